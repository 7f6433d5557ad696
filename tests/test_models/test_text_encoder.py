import json
import os
import time
import warnings
from contextlib import nullcontext

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModel,
    BertConfig,
    DebertaV2Config,
    DistilBertConfig,
    ElectraConfig,
    PretrainedConfig,
    RobertaConfig,
    RobertaModel,
    T5Config,
)

from mmrvos.models.text_encoders import (
    HuggingFaceTextEncoder,
    StagedTextEncoder,
)
from mmrvos.models.text_encoders.hugging_face_text_encoder import (
    position_limit,
)
from mmrvos.models.text_encoders.tokenizers import word_tokenizer
from mmrvos.registry import MODELS
from mmrvos.utils import weights_from_checkpoint

CONFIG = dict(
    hidden_size=16,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=16,
    max_position_embeddings=34)


def encoder(**changes) -> HuggingFaceTextEncoder:
    torch.manual_seed(0)
    args = dict(
        config=CONFIG, vocabulary='the red square moves', out_channels=8)
    return HuggingFaceTextEncoder(**(args | changes)).eval()


def test_words_get_roberta_like_ids():
    tokenizer = word_tokenizer(['the', 'red', 'square'])
    ids = tokenizer(['The red blob', 'square'], padding='longest').input_ids
    assert ids == [[0, 4, 5, 3, 2], [0, 6, 2, 1, 1]]


def test_a_vocabulary_with_repetition_is_refused():
    with pytest.raises(ValueError, match='red'):
        word_tokenizer(['red', 'the', 'red'])


def test_padding_does_not_change_words():
    model = encoder()
    index = torch.tensor([0, 0])
    both = model(*model.tokenize(['red square', 'the red square moves']),
                 index)
    alone = model(*model.tokenize(['red square']), index[:1])
    assert both.padding.tolist() == [[False] * 4 + [True] * 2, [False] * 6]
    torch.testing.assert_close(both.words[:1, :4], alone.words)
    torch.testing.assert_close(both.sentence[:1], alone.sentence)


def test_no_mask_where_nothing_is_padded():
    model = encoder()
    plain = model.encode([['red square'], ['the red']])
    assert plain.padding is None
    ids, mask = model.tokenize(['red square', 'the red'])
    masked = model(ids, mask, torch.tensor([0, 1]))
    for name in ('words', 'sentence', 'positions', 'video_index'):
        torch.testing.assert_close(
            getattr(plain, name), getattr(masked, name))
    assert plain.pairs(slice(1, 2)).padding is None


def test_every_video_needs_an_expression():
    with pytest.raises(ValueError, match=r'got \[1, 0\]'):
        encoder().encode([['red'], []])


@pytest.mark.parametrize('frozen', [True, False])
def test_frozen_trains_only_the_projection(frozen):
    model = encoder(frozen=frozen)
    text = model(*model.tokenize(['red square']), torch.tensor([0]))
    text.sentence[:, 0].sum().backward()
    assert model.projection[0].weight.grad.abs().sum() > 0
    pooler = model.model.pooler.dense.weight.grad
    assert pooler is None if frozen else pooler.abs().sum() > 0


def test_loads_model_and_tokenizer_from_a_folder(tmp_path):
    word_tokenizer(['red', 'square']).save_pretrained(tmp_path)
    saved = RobertaModel(RobertaConfig(vocab_size=6, pad_token_id=1, **CONFIG))
    saved.save_pretrained(tmp_path)
    model = HuggingFaceTextEncoder(name=str(tmp_path), out_channels=8)
    torch.testing.assert_close(model.model.embeddings.word_embeddings.weight,
                               saved.embeddings.word_embeddings.weight)
    assert model.tokenize(['red'])[0].tolist() == [[0, 4, 2]]


def test_no_network_says_what_to_pass(monkeypatch):
    monkeypatch.setattr('huggingface_hub.constants.HF_HUB_OFFLINE', True)
    with pytest.raises(OSError, match='model.text_encoder.name=FOLDER'):
        HuggingFaceTextEncoder(name='no-such-model-anywhere')


@pytest.mark.parametrize('text', ['', '  '])
def test_an_empty_expression_is_an_error(text):
    with pytest.raises(ValueError, match='is empty'):
        encoder().tokenize(['red', text])


def test_a_sentence_longer_than_the_positions_is_refused():
    """34 positions, of which RoBERTa uses 32; two tokens mark the ends."""
    model = encoder()
    assert model.token_limit == 32
    longest = ' '.join(30 * ['red'])
    assert model.encode([[longest]]).words.shape[1] == 32
    with pytest.raises(ValueError, match="'red red.* 33 tokens.* takes 32"):
        model.encode([['square', f'{longest} red']])


def test_max_length_cuts_sentences():
    model = encoder(max_length=5)
    ids, mask = model.tokenize(['the red square moves', 'red'])
    assert ids.tolist() == [[0, 4, 5, 6, 2], [0, 5, 2, 1, 1]]
    assert mask.sum(1).tolist() == [5, 3]
    with pytest.raises(ValueError, match='max_length=33: expected 3 to 32'):
        encoder(max_length=33)


@pytest.mark.parametrize(('config', 'limit'), [
    (RobertaConfig(**CONFIG | dict(vocab_size=9)), 32),
    (BertConfig(**CONFIG | dict(vocab_size=9)), 34),
    (T5Config(vocab_size=9, d_model=8, d_ff=8, num_layers=1, num_heads=1),
     None),
], ids=['roberta', 'bert', 't5'])
def test_limit_of_other_text_models(config, limit):
    assert position_limit(AutoModel.from_config(config)) == limit


def test_unknown_words_are_named_once():
    model = encoder()
    with pytest.warns(UserWarning, match="'xyzzy', 'plugh': it reads"):
        model.tokenize(['the Xyzzy, red', 'plugh moves xyzzy'])
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        model.tokenize(['the xyzzy', 'red!'])


def test_long_and_many_unknown_words_are_cut_in_the_warning():
    model = encoder()
    words = ['x' * 5000, *(f'w{chr(97 + i)}w' for i in range(20))]
    with pytest.warns(UserWarning, match='and others: it reads') as caught:
        model.tokenize(words)
    assert len(str(caught[0].message)) < 400


@pytest.mark.parametrize(
    'args', [dict(), dict(name='roberta-base', config=CONFIG)])
def test_name_or_config(args):
    with pytest.raises(ValueError, match='either name'):
        HuggingFaceTextEncoder(**args)


def test_a_config_needs_words():
    with pytest.raises(ValueError, match='vocabulary'):
        HuggingFaceTextEncoder(config=CONFIG)


def test_a_misspelt_key_of_the_text_model_is_refused():
    with pytest.raises(ValueError, match='hidden_sise'):
        encoder(config=CONFIG | dict(hidden_sise=8))


class Command:

    def __reduce__(self):
        return os.mkdir, ('was_run', )


def saved_encoder(folder) -> dict:
    """A folder of Hugging Face, with tokenizer; returns its config."""
    model = encoder()
    model.model.save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)
    return json.loads((folder / 'config.json').read_text())


@pytest.mark.parametrize('fault', ['model', 'tokenizer', 'weights'])
def test_folders_run_no_code(tmp_path, monkeypatch, fault):
    """Neither Python files of the folder nor its pickled weights."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / 'folder'
    config = saved_encoder(folder)
    if fault == 'weights':
        (folder / 'model.safetensors').unlink()
        torch.save(dict(a=Command()), folder / 'pytorch_model.bin')
    else:
        (folder / 'own.py').write_text("import os; os.mkdir('was_run')")
        name = 'config.json' if fault == 'model' else 'tokenizer_config.json'
        if fault == 'tokenizer':
            config = json.loads((folder / name).read_text())
            del config['tokenizer_class']
        config['model_type'] = 'own'
        config['auto_map'] = dict(
            AutoConfig='own.Own', AutoModel='own.Own',
            AutoTokenizer=['own.Own', 'own.Own'])
        (folder / name).write_text(json.dumps(config))
    # transformers ignores the Python file of a tokenizer that it knows
    with (nullcontext() if fault == 'tokenizer' else pytest.raises(
            ValueError, match='folder')):
        encoder(name=str(folder), config=None, vocabulary=None)
    assert not (tmp_path / 'was_run').exists()


@pytest.mark.parametrize('pooler', [True, False])
@pytest.mark.parametrize(
    'config', [BertConfig, DebertaV2Config, DistilBertConfig, ElectraConfig])
def test_models_without_a_pooler_use_their_first_token(tmp_path, config,
                                                       pooler):
    AutoModel.from_config(small(config)).save_pretrained(tmp_path)
    word_tokenizer(['red', 'dog']).save_pretrained(tmp_path)
    for pretrained in (True, False):
        model = encoder(
            name=str(tmp_path), config=None, vocabulary=None, pooler=pooler,
            pretrained=pretrained)
        text = model.encode([['red dog']])
        pooled = config is BertConfig and pooler
        assert pooled == any(
            'pooler' in name for name, _ in model.named_parameters())
        assert pooled != torch.equal(text.sentence, text.words[:, 0])


@pytest.mark.parametrize('config', [DistilBertConfig, ElectraConfig])
def test_layers_in_groups_need_the_layout_of_roberta(tmp_path, config):
    """Electra has a projection between the embeddings and the layers."""
    AutoModel.from_config(small(config)).save_pretrained(tmp_path)
    word_tokenizer(['red', 'dog']).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match='models of its layout'):
        StagedTextEncoder(name=str(tmp_path))


def small(config: type) -> PretrainedConfig:
    """A text model of one layer; DistilBERT has other names of sizes."""
    return config(
        vocab_size=6, hidden_size=8, num_hidden_layers=1,
        num_attention_heads=2, intermediate_size=8, hidden_dim=8)


def test_missing_weights_of_a_folder_are_named(tmp_path):
    """transformers makes random ones; only a pooler may be missing."""
    saved_encoder(tmp_path)
    path = tmp_path / 'model.safetensors'
    weights = load_file(path)
    args = dict(name=str(tmp_path), config=None, vocabulary=None)
    for key in [k for k in weights if 'pooler' in k]:
        del weights[key]
    save_file(weights, path, metadata=dict(format='pt'))
    encoder(**args)
    del weights['encoder.layer.0.output.dense.weight']
    save_file(weights, path, metadata=dict(format='pt'))
    with pytest.raises(ValueError, match='lacks 1 weights.*output.dense'):
        encoder(**args)


def test_weights_of_a_folder_are_finite(tmp_path):
    saved_encoder(tmp_path)
    path = tmp_path / 'model.safetensors'
    weights = load_file(path)
    weights['encoder.layer.0.output.dense.bias'][1] = torch.nan
    save_file(weights, path, metadata=dict(format='pt'))
    with pytest.raises(ValueError, match='layer.0.output.dense.bias: 1 of'):
        encoder(name=str(tmp_path), config=None, vocabulary=None)


@pytest.mark.parametrize('name', [
    'config.json', 'model.safetensors', 'tokenizer.json', 'merges.txt'
])
def test_pipes_in_a_folder_are_not_read(tmp_path, name):
    saved_encoder(tmp_path)
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name)
    with pytest.raises(ValueError, match=f'{name} is a named pipe'):
        encoder(name=str(tmp_path), config=None, vocabulary=None)


def test_weights_of_a_checkpoint_need_the_tokenizer_only(tmp_path,
                                                         monkeypatch):
    """The model is built from known dimensions, without any weights."""
    word_tokenizer(['red', 'dog']).save_pretrained(tmp_path)
    cfg = dict(type='HuggingFaceTextEncoder', name='roberta-base',
               tokenizer=str(tmp_path))
    weights_from_checkpoint(cfg)
    with torch.device('meta'):
        encoder = MODELS.build(cfg)
    shapes = {k: tuple(v.shape) for k, v in encoder.model.state_dict().items()}
    # those of the published file
    assert shapes['embeddings.word_embeddings.weight'] == (50265, 768)
    assert shapes['embeddings.position_embeddings.weight'] == (514, 768)
    assert shapes['embeddings.token_type_embeddings.weight'] == (1, 768)
    assert shapes['encoder.layer.11.output.dense.weight'] == (768, 3072)
    assert 'pooler.dense.weight' in shapes
    assert encoder.token_limit == 512


def test_weights_of_a_folder_are_not_read(tmp_path):
    config = RobertaConfig(
        vocab_size=6, hidden_size=8, num_hidden_layers=1,
        num_attention_heads=2, intermediate_size=8)
    config.save_pretrained(tmp_path)
    word_tokenizer(['red', 'dog']).save_pretrained(tmp_path)
    cfg = dict(type='HuggingFaceTextEncoder', name=str(tmp_path))
    with pytest.raises(OSError, match='cannot be downloaded'):
        MODELS.build(cfg)
    weights_from_checkpoint(cfg)
    assert MODELS.build(cfg).model.config.hidden_size == 8


def test_no_network_is_found_in_one_request(monkeypatch, tmp_path):
    monkeypatch.setattr(constants, 'ENDPOINT', 'http://127.0.0.1:9')
    monkeypatch.setattr(constants, 'HF_HUB_CACHE', str(tmp_path))
    cfg = dict(type='HuggingFaceTextEncoder', name='roberta-base',
               pretrained=False)
    start = time.monotonic()
    with pytest.raises(OSError, match="AutoTokenizer.from_pretrained.'roberta-"
                       "base'.*text_encoder.tokenizer=FOLDER.*127.0.0.1:9 "
                       'cannot be reached'):
        MODELS.build(cfg)
    assert time.monotonic() - start < 5

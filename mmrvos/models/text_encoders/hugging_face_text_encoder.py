import inspect
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from huggingface_hub import try_to_load_from_cache
from torch import Tensor, nn
from transformers import (
    MODEL_MAPPING,
    AutoConfig,
    AutoModel,
    AutoTokenizer,
    PretrainedConfig,
    PreTrainedTokenizerBase,
    RobertaConfig,
    RobertaModel,
)

from mmrvos.downloads import check_hub
from mmrvos.registry import MODELS
from mmrvos.utils import apply_init_cfg

from ..features import TextFeatures
from ..hugging_face import check_model_folder, load_hugging_face
from ..layers import sine_word_positions
from .base import BaseTextEncoder
from .tokenizers import SPECIAL_TOKENS, word_tokenizer

_ROBERTA_BASE = dict(
    vocab_size=50265,
    max_position_embeddings=514,
    type_vocab_size=1,
    layer_norm_eps=1e-5,
    bos_token_id=0,
    pad_token_id=1,
    eos_token_id=2)
_ROBERTA_LARGE = dict(
    _ROBERTA_BASE,
    hidden_size=1024,
    num_hidden_layers=24,
    num_attention_heads=16,
    intermediate_size=4096)
#: RobertaConfig of published models, from their config.json.
KNOWN = {
    'roberta-base': _ROBERTA_BASE,
    'FacebookAI/roberta-base': _ROBERTA_BASE,
    'roberta-large': _ROBERTA_LARGE,
    'FacebookAI/roberta-large': _ROBERTA_LARGE,
}


@MODELS.register_module()
class HuggingFaceTextEncoder(BaseTextEncoder):
    """Encode sentences with a Hugging Face text model and a projection.

    The last hidden states are the word features. The pooler's output is the
    sentence feature; a model without a pooler uses its first token. Both pass
    through the same projection (Linear, LayerNorm, Dropout).

    Give either ``name`` or ``config``:

    - ``name='roberta-base'`` or a local folder: model and tokenizer are loaded
      from there. ``roberta-base`` has no pooler weights: they start random
      and come from the checkpoint that is loaded afterwards. With
      ``pretrained=False`` all weights come from that checkpoint.
    - ``config=dict(hidden_size=..., ...)``: a RoBERTa with random weights.
      Its tokenizer is made from ``vocabulary`` (one token per word, nothing
      is downloaded) or loaded from ``tokenizer``.

    Args:
        out_channels: C, channels of word and sentence features; None for
            those of the text model, without a projection.
        name: model name or folder.
        pretrained: load the weights of ``name``. False builds the model with
            random weights, and only its tokenizer is downloaded.
        config: keys of ``transformers.RobertaConfig``; ``vocab_size`` is
            derived from the tokenizer.
        vocabulary: the words of the tokenizer, with ``config``; a string is
            split at blanks.
        tokenizer: name or folder of the tokenizer; by default ``name``.
        max_length: longer sentences are cut to this number of tokens,
            including the start and end tokens. None cuts nothing: a sentence
            that is longer than :attr:`token_limit` is an error.
        frozen: no gradients for the text model. Its dropout stays active in
            training, as in the official code. The projection is always
            trained.
        dropout: of the projection.
        pooler: build the text model with its pooler, if it has one
            (DistilBERT, DeBERTa and ELECTRA have none).

    Raises:
        ValueError: neither or both of ``name`` and ``config`` are given, or
            ``max_length`` is not between 3 and the model's limit.
        OSError: the model can neither be found nor downloaded.
    """

    def __init__(self,
                 *,
                 out_channels: int | None = 256,
                 name: str | None = None,
                 pretrained: bool = True,
                 config: dict | None = None,
                 vocabulary: str | Sequence[str] | None = None,
                 tokenizer: str | None = None,
                 max_length: int | None = None,
                 frozen: bool = True,
                 dropout: float = 0.1,
                 pooler: bool = True,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        if (name is None) == (config is None):
            raise ValueError(
                'the text encoder takes either name (a Hugging Face model or '
                f'a folder) or config (a RoBERTa from scratch), got {name=}, '
                f'{config=}')
        if config is None:
            self.tokenizer, self.model = load_pretrained(
                name, tokenizer or name, pooler, pretrained)
        else:
            self.tokenizer, self.model = build_from_config(
                config, vocabulary, tokenizer, pooler)
        self.token_limit = position_limit(self.model)
        if max_length is not None and not (
                3 <= max_length <= (self.token_limit or max_length)):
            raise ValueError(
                f'text_encoder.max_length={max_length}: expected 3 to '
                f'{self.token_limit}, the positions of the text model')
        self.max_length = max_length
        self.unknown_words: set[str] = set()  # each is reported once
        self.frozen = frozen
        if frozen:
            self.model.requires_grad_(False)
        self.projection = nn.Identity() if out_channels is None else (
            nn.Sequential(
                nn.Linear(self.model.config.hidden_size, out_channels),
                nn.LayerNorm(out_channels, eps=1e-12), nn.Dropout(dropout)))

    @classmethod
    def without_downloads(cls, cfg: dict, vocabulary: Sequence[str]) -> None:
        """See the base class; an unknown name becomes a RoBERTa-base."""
        if name := cfg.pop('name', None):
            for key in ('tokenizer', 'pretrained'):
                cfg.pop(key, None)
            cfg.update(
                vocabulary=vocabulary,
                config=dict(KNOWN.get(name, KNOWN['roberta-base'])))
        elif cfg.pop('tokenizer', None):
            cfg['vocabulary'] = vocabulary

    @classmethod
    def weights_from_checkpoint(cls, cfg: dict) -> None:
        """See the base class; only a tokenizer is downloaded then."""
        if cfg.get('name'):
            cfg['pretrained'] = False

    def init_weights(self) -> None:
        """Keep the initialisation of torch and Hugging Face."""
        apply_init_cfg(self)

    def encode(self, expressions: Sequence[Sequence[str]]) -> TextFeatures:
        """Encode all expressions of a batch.

        Args:
            expressions: for each of B videos, its expressions.

        Raises:
            ValueError: a video has no expression, or :meth:`tokenize` fails.
        """
        counts = torch.tensor([len(video) for video in expressions])
        if not counts.all():
            raise ValueError('every video needs at least one expression, got '
                             f'{counts.tolist()} expressions per video')
        ids, mask = self.tokenize(
            [text for video in expressions for text in video])
        videos = torch.arange(len(counts)).repeat_interleave(counts)
        device = next(self.parameters()).device
        return self(
            ids.to(device), None if mask.all() else mask.to(device),
            videos.to(device))

    def tokenize(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Convert P expressions to token ids, padded to the longest.

        Words that the tokenizer does not know are named once in a warning.

        Returns:
            Token ids and attention mask, both (P, L) on the CPU.

        Raises:
            ValueError: an expression is empty, or has more tokens than the
                text model has positions.
        """
        for text in texts:
            if not text.strip():
                raise ValueError(
                    f'one of the expressions {list(texts)} is empty: each '
                    'must describe an object')
        tokens = self.tokenizer(
            list(texts),
            padding='longest',
            truncation=self.max_length is not None,
            max_length=self.max_length,
            return_offsets_mapping=self.tokenizer.is_fast,
            return_tensors='pt')
        ids, mask = tokens['input_ids'], tokens['attention_mask']
        counts = mask.sum(1)
        if self.token_limit and counts.max() > self.token_limit:
            longest = int(counts.argmax())
            raise ValueError(
                f'the expression {shorten(texts[longest])!r} has '
                f'{counts[longest]} tokens (start and end included), the text '
                f'encoder takes {self.token_limit}: shorten it, or set '
                f'model.text_encoder.max_length={self.token_limit} to cut it')
        if self.tokenizer.is_fast and self.tokenizer.unk_token_id is not None:
            self._warn_of_unknown(texts, ids, tokens['offset_mapping'])
        return ids, mask

    def _warn_of_unknown(self, texts: Sequence[str], ids: Tensor,
                         offsets: Tensor) -> None:
        """Warn of words outside the vocabulary, once per word.

        Args:
            texts: P expressions.
            ids: (P, L).
            offsets: (P, L, 2), first and last character of each token.
        """
        words = {}  # a dictionary keeps the order
        for p, token in (ids == self.tokenizer.unk_token_id).nonzero():
            start, stop = offsets[p, token]
            word = texts[p][start:stop].lower()
            if any(map(str.isalnum, word)):
                words[word] = None
        if new := [w for w in words if w not in self.unknown_words]:
            self.unknown_words.update(new)
            warnings.warn(
                'the text encoder does not know '
                f'{", ".join(repr(shorten(word)) for word in new[:10])}'
                f'{" and others" if len(new) > 10 else ""}: it reads every '
                'unknown word as the same token, so the word has no '
                'influence',
                stacklevel=2)

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None,
                video_index: Tensor) -> TextFeatures:
        """Encode the tokens of P expressions.

        Args:
            input_ids: (P, L).
            attention_mask: (P, L), 0 where padded; None without padding.
            video_index: (P,), index of the video of each expression.
        """
        with torch.set_grad_enabled(torch.is_grad_enabled()
                                    and not self.frozen):
            output = self.model(
                input_ids=input_ids, attention_mask=attention_mask)
        words = self.projection(output.last_hidden_state)
        pooled = getattr(output, 'pooler_output', None)
        sentence = (
            words[:, 0] if pooled is None else self.projection(pooled))
        if attention_mask is None:
            padding = None
            positions = sine_word_positions(
                torch.zeros_like(input_ids[:1]).bool(),
                words.shape[-1]).expand_as(words)
        else:
            padding = attention_mask != 1
            positions = sine_word_positions(padding, words.shape[-1])
        return TextFeatures(
            words=words,
            padding=padding,
            sentence=sentence,
            positions=positions.to(words.dtype),
            video_index=video_index)


def position_limit(model: nn.Module) -> int | None:
    """Return the largest number of tokens that a text model takes.

    None for models without a table of positions (T5).
    """
    limit = getattr(model.config, 'max_position_embeddings', None)
    for name, table in model.named_modules():
        if (name.endswith('position_embeddings')
                and getattr(table, 'padding_idx', None) is not None):
            # RoBERTa and its relatives number positions from padding_idx + 1
            return table.num_embeddings - table.padding_idx - 1
    return limit


def shorten(text: str, length: int = 40) -> str:
    """Cut a text for a message."""
    return text if len(text) <= length else f'{text[:length]}...'


def load_pretrained(name: str, tokenizer: str, pooler: bool,
                    pretrained: bool) -> tuple:
    """Load tokenizer and model by name or from a folder.

    Args:
        name, tokenizer: names or folders.
        pooler: build the model with its pooler.
        pretrained: load weights; False makes random ones.
    """
    try:
        loaded = load_tokenizer(tokenizer)
        options = {} if pooler else no_pooler(known_config(name))
        if pretrained:
            # Published RoBERTa weights have no pooler.
            return loaded, load_hugging_face(AutoModel, name, r'\bpooler\.',
                                             **options)
        return loaded, AutoModel.from_config(known_config(name), **options)
    except OSError as error:
        weights = (f"AutoModel.from_pretrained('{name}').save_pretrained("
                   'FOLDER), the tokenizer as well' if pretrained else
                   f"AutoTokenizer.from_pretrained('{tokenizer}')"
                   '.save_pretrained(FOLDER)')
        option = 'name' if pretrained else 'tokenizer'
        raise OSError(
            f'the text encoder {name!r} is not a local folder and cannot be '
            f'downloaded: save it on a machine with network access ({weights})'
            f' and pass --cfg-options model.text_encoder.{option}=FOLDER. '
            f'First cause: {str(error).splitlines()[0]}') from None


def load_tokenizer(name: str) -> PreTrainedTokenizerBase:
    """Load a tokenizer by name or from a folder, without code from there.

    Raises:
        OSError: it can neither be found nor downloaded.
    """
    check_source(name)
    return AutoTokenizer.from_pretrained(name, trust_remote_code=False)


def check_source(name: str) -> None:
    """Check that transformers can find a model or tokenizer.

    Without a network transformers retries for 46 seconds before it fails.

    Raises:
        OSError: it is no folder, nothing of it is in the cache, and there is
            no network.
        ValueError: a file of the folder is a pipe or device.
    """
    check_model_folder(name)
    files = 'tokenizer_config.json', 'tokenizer.json', 'config.json'
    if not Path(name).is_dir() and not any(
            isinstance(try_to_load_from_cache(name, file), str)
            for file in files):
        check_hub()


def known_config(name: str) -> PretrainedConfig:
    """Return the dimensions of a text model by name or from a folder."""
    if name in KNOWN:
        return RobertaConfig(**KNOWN[name])
    check_model_folder(name)
    return AutoConfig.from_pretrained(name, trust_remote_code=False)


def no_pooler(config: PretrainedConfig) -> dict:
    """Return the options that build a text model without its pooler.

    Empty for a model class without such an option.
    """
    kind = MODEL_MAPPING.get(type(config), None)
    names = inspect.signature(kind.__init__).parameters
    if 'add_pooling_layer' in names:
        return dict(add_pooling_layer=False)
    return {}


def build_from_config(config: dict, vocabulary: str | Sequence[str] | None,
                      tokenizer: str | None, pooler: bool) -> tuple:
    """Build a RoBERTa with random weights, and its tokenizer.

    Raises:
        ValueError: neither a vocabulary nor a tokenizer is given, or
            ``config`` has a key that RoBERTa does not know.
    """
    # transformers accepts and stores unknown keys without an error.
    known = {*RobertaConfig().to_dict(), 'attn_implementation'}
    if unknown := set(config) - known:
        raise ValueError(f'RobertaConfig has no {sorted(unknown)}; see its '
                         'page in the documentation of transformers')
    if vocabulary is not None:
        if isinstance(vocabulary, str):
            vocabulary = vocabulary.split()
        tokenizer = word_tokenizer(vocabulary)
    elif tokenizer is not None:
        tokenizer = load_tokenizer(tokenizer)
    else:
        raise ValueError('a text encoder from a config needs a vocabulary '
                         '(its words) or a tokenizer (name or folder)')
    settings = dict(
        vocab_size=len(tokenizer),
        bos_token_id=SPECIAL_TOKENS.index('<s>'),
        pad_token_id=SPECIAL_TOKENS.index('<pad>'),
        eos_token_id=SPECIAL_TOKENS.index('</s>'))
    return tokenizer, RobertaModel(
        RobertaConfig(**(settings | config)), add_pooling_layer=pooler)

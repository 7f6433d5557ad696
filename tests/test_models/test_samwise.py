"""SAMWISE: memory, decisions and options; see also ``test_methods.py`` and the
golden cases."""
import sys
from dataclasses import replace
from types import SimpleNamespace

import pycocotools.mask as mask_utils
import pytest
import torch
from mmengine.config import Config
from mmengine.structures import InstanceData
from torch import Tensor
from transformers.initialization import no_init_weights

from mmrvos.models import merge_windows
from mmrvos.models.backbones.sam2_build import network_config
from mmrvos.models.chunks import Chunks
from mmrvos.models.decoders.video_memory import VideoMemory
from mmrvos.models.features import Targets
from mmrvos.models.heads.samwise_head import Decisions, SAMWISEPredictions
from mmrvos.models.text_encoders.verbs import load_pipeline
from mmrvos.registry import MODELS

from .tiny import CONFIGS, make_batch

TEXTS = ('the red square', 'the small one that moves right')


def small_cfg(**changes) -> Config:
    """The tiny config with smaller frames; dotted keys (``a__b=c``)."""
    cfg = Config.fromfile(CONFIGS / 'samwise/tiny_shapes.py')
    cfg.model.sam2.image_size = 64
    cfg.model.sam2.arch.window_size_per_stage = [8, 4, 4, 2]
    cfg.model.test_cfg.window = 4
    cfg.merge_from_dict(
        {f"model.{k.replace('__', '.')}": v for k, v in changes.items()})
    return cfg.model


def small_model(**changes) -> torch.nn.Module:
    torch.manual_seed(0)
    return MODELS.build(small_cfg(**changes)).eval()


@pytest.fixture(scope='module')
def shared_model() -> torch.nn.Module:
    return small_model()


@pytest.fixture
def model(shared_model) -> torch.nn.Module:
    """The shared model; its settings are restored."""
    settings, decision = shared_model.test_cfg, shared_model.memory_decision
    yield shared_model
    shared_model.test_cfg, shared_model.memory_decision = settings, decision
    shared_model.keep_memory = False
    shared_model.eval()


def segment(model, frames: Tensor, texts=TEXTS, piece: int = 3
            ) -> InstanceData:
    """Segment a video that is read in pieces."""
    sample, = make_batch(((40, 64), ), len(frames), texts)['data_samples']
    with torch.no_grad():
        return merge_windows(model.stream(frames.split(piece), sample))


def video(num_frames: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(num_frames, 3, 40, 64, generator=generator)


def decode(model, frames: Tensor, windows: list[int],
           texts=TEXTS) -> SAMWISEPredictions:
    """Decode windows of a video; return the predictions of each."""
    with torch.no_grad():
        text = model.encode_text([texts])
        memory = model.new_memory(text)
        return [
            model.decode(
                model.encode_clip(part[None], torch.tensor([[40., 64.]])),
                text, memory) for part in frames.split(windows)
        ]


def same_masks(ours: InstanceData, theirs: InstanceData) -> bool:
    """Compare masks; a pixel may be within rounding of the threshold."""
    differences = [
        (mask_utils.decode(a) != mask_utils.decode(b)).mean()
        for a, b in zip(ours.masks, theirs.masks, strict=True)
    ]
    return max(differences) < 1e-3


# ---- memory


def test_memory_does_not_grow(model, monkeypatch):
    sizes, store = [], VideoMemory.store

    def counted(memory, *args):
        store(memory, *args)
        tensors = [*memory.maps, *memory.pointers]
        assert not any(x.requires_grad for x in tensors)
        sizes.append((len(memory.maps), len(memory.pointers),
                      sum(x.untyped_storage().nbytes() for x in tensors)))

    monkeypatch.setattr(VideoMemory, 'store', counted)
    pred = segment(model, video(200), TEXTS[:1])
    assert len(pred.masks[0]) == len(sizes) == 200
    assert {size[:2] for size in sizes[14:]} == {(6, 15)}
    assert len({size[2] for size in sizes[14:]}) == 1


def test_memory_goes_on_from_window_to_window(model):
    """The last frame sees only what is in the memory of the others."""
    frames = video(6)
    whole = decode(model, frames, [4, 2])[1].square_masks[:, -1]
    other = frames.clone()
    other[1] = 0
    changed = decode(model, other, [4, 2])[1].square_masks[:, -1]
    assert (whole - changed).abs().max() > 1e-4


@pytest.mark.parametrize('keep', [False, True])
def test_a_window_of_one_frame_empties_the_memory(model, keep):
    model.keep_memory = keep
    frames = video(5)
    last = decode(model, frames, [4, 1])[1].square_masks
    alone = decode(model, frames[4:], [1])[0].square_masks
    assert torch.equal(last, alone) is not keep


def test_reading_in_other_pieces_changes_nothing(model):
    whole = segment(model, video(10), piece=10)
    for piece in (1, 7):
        parts = segment(model, video(10), piece=piece)
        assert torch.equal(parts.frame_scores, whole.frame_scores)
        assert parts.masks == whole.masks


def test_sentences_and_chunks_do_not_influence_each_other(model):
    """Sentences of different lengths, windows of 4, 4 and 2 frames."""
    together = segment(model, video(10))
    model.test_cfg = replace(
        model.test_cfg, chunks=Chunks(frames=1, pairs=1))
    assert same_masks(segment(model, video(10)), together)
    for index, text in enumerate(TEXTS):
        alone = segment(model, video(10), [text])
        assert same_masks(
            alone, InstanceData(masks=together.masks[index:index + 1]))


def test_frames_are_encoded_once_for_all_sentences(model, monkeypatch):
    stages, run_stage = [], type(model.sam2).run_stage

    def counted(sam2, stage, x):
        stages.append((stage, len(x)))
        return run_stage(sam2, stage, x)

    monkeypatch.setattr(type(model.sam2), 'run_stage', counted)
    segment(model, video(4))
    assert stages == [(0, 4), (1, 4), (2, 8), (3, 8)]


def test_the_annotated_frame_is_decoded_with_the_memory_before_it(model):
    frames = video(4)[None]
    with torch.no_grad():
        text = model.encode_text([TEXTS])
        size = torch.tensor([[40., 64.]])
        every = model.decode(model.encode_clip(frames, size), text)
        one = model.decode(
            model.encode_clip(frames, size, torch.tensor([2])), text)
    assert torch.equal(one.square_masks, every.square_masks[:, 2:3])
    assert torch.equal(one.logits, every.logits[:, :, 2:3])


# ---- decisions


def test_a_switch_changes_the_next_frames_only(model):
    frames = video(6)
    model.memory_decision = None
    without = torch.cat(
        [p.square_masks for p in decode(model, frames, [4, 2])], dim=1)
    model.memory_decision = always(small_model().memory_decision)
    memory = decode(model, frames, [4, 2])
    found = torch.cat([p.square_masks for p in memory], dim=1)
    # window 2: the first decision is on frame 3
    assert torch.equal(found[:, :4], without[:, :4])
    assert (found[:, 4] - without[:, 4]).abs().max() > 1e-4


def always(decision: torch.nn.Module) -> torch.nn.Module:
    """Make all decisions a switch."""
    torch.nn.init.constant_(decision.classifier.bias[1:], 100.)
    return decision


def test_frames_that_are_decided():
    decision = MODELS.build(
        dict(type='ConditionalMemoryEncoder', embed_dims=64, window=4))
    never = torch.zeros(1).long()
    assert [t for t in range(10) if decision.due(t, never)] == [5, 6, 7, 8, 9]
    last = torch.tensor([6, 0])
    assert decision.due(8, last).tolist() == [False, True]
    assert decision.due(9, last).tolist() == [True, True]


def test_masks_after_a_switch():
    masks, alone = torch.tensor([4., -4., 2.]), torch.tensor([2., -2., -6.])
    expected = dict(
        reweight=[20., -4., 2.], all_mask=[2., -2., -6.], avg=[3., -3., -2.])
    for switch, values in expected.items():
        decision = MODELS.build(
            dict(type='ConditionalMemoryEncoder', switch=switch))
        assert decision.mix(masks, alone).tolist() == values


@pytest.mark.parametrize('empty_differs,label', [(False, 0), (True, 1)])
def test_label_of_an_empty_mask(empty_differs, label):
    decision = MODELS.build(
        dict(type='ConditionalMemoryEncoder', empty_differs=empty_differs))
    large, empty = torch.ones(1, 10, 10), -torch.ones(1, 10, 10)
    assert decision.labels(large, empty, torch.ones(1)).tolist() == [label]
    assert decision.labels(empty, empty, torch.ones(1)).tolist() == [-1]


# ---- training


def test_only_the_additions_are_trained():
    model = small_model(
        sam2__frozen=True,
        text_encoder__frozen=True,
        sam2__object_scores=True,
        category_head=None,
        dense_head=None).train()
    batch = make_batch(((40, 64), ), 4, TEXTS[:1])
    losses = model(**model.data_preprocessor(batch, True), mode='loss')
    assert set(losses) == {'loss_mask', 'loss_dice', 'loss_decision'}
    sum(losses.values()).backward()
    trained = {
        name.split('.')[0]
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }
    assert trained == {'adapters', 'text_prompt', 'memory_decision'}


def predictions(size: tuple[int, int]) -> SAMWISEPredictions:
    return SAMWISEPredictions(
        logits=torch.zeros(1, 1, 1, 1, 1),
        square_masks=torch.randn(
            1, 1, 16, 16, generator=torch.Generator().manual_seed(0)),
        image_size=64,
        image_sizes=torch.tensor([size]).float(),
        input_size=size)


def test_loss_stretches_or_pads():
    """Both are the same for frames of the size of the targets."""
    stretched, padded = (
        MODELS.build(dict(type='SAMWISEHead', stretch=stretch))
        for stretch in (True, False))
    target = torch.zeros(1, 1, 64, 64).bool()
    target[..., 8:24, 8:24] = True
    targets = Targets(masks=target, boxes=None, valid=None, labels=None)
    for size, same in (((64, 64), True), ((40, 50), False)):
        ours, theirs = (
            head.loss(predictions(size), targets)['loss_dice']
            for head in (stretched, padded))
        assert torch.equal(ours, theirs) is same


def test_loss_of_decisions():
    head = MODELS.build(dict(type='SAMWISEHead'))
    logits = torch.tensor([[0., 0.], [2., 0.], [9., 9.]], requires_grad=True)

    def loss(labels: list[int]) -> Tensor:
        return head.decision_loss(Decisions(logits, torch.tensor(labels)))

    keep, switch = logits.detach()[:2].log_softmax(-1).unbind(1)
    # a switch counts twice
    torch.testing.assert_close(
        loss([0, 1, -1]), -(keep[0] + 2 * switch[1]) / 3)
    ignored = loss([-1, -1, -1])
    ignored.backward()
    assert ignored == 0
    assert not logits.grad.any()


@pytest.mark.parametrize('arch,count', [('tiny', 4_460_928),
                                        ('base-plus', 4_576_064)])
def test_adapters_have_the_official_number_of_weights(arch, count):
    hiera = network_config(arch, 1024, 256, {}).vision_config.backbone_config
    adapters = [
        MODELS.build(
            dict(
                type='CrossModalAdapter',
                visual_channels=channels,
                text_channels=768,
                patch_size=size)) for channels, size in zip(
                    hiera.embed_dim_per_stage[1:], (8, 4, 2), strict=True)
    ]
    assert sum(p.numel() for a in adapters for p in a.parameters()) == count


def test_base_plus_runs():
    """Shapes in the network of the published models, on smaller frames."""
    with no_init_weights():
        model = small_model(
            sam2=dict(
                _delete_=True,
                type='SAM2Network',
                arch='base-plus',
                image_size=64,
                weights='any',
                pretrained=False),
            embed_dims=256,
            patch_sizes=(8, 4, 2),
            category_head=None,
            dense_head=None)
    with torch.no_grad():
        clip = model.encode_clip(
            torch.zeros(1, 2, 3, 36, 64), torch.tensor([[36., 64.]]))
        predictions = model.decode(clip, model.encode_text([TEXTS[:1]]))
    assert len(model.sam2.network.memory_attention.layers) == 4
    assert clip.fine.shape == (2, 32, 16, 16)
    assert clip.stage.shape == (2, 224, 8, 8)
    assert predictions.square_masks.shape == (1, 2, 16, 16)
    assert model.head.masks(predictions).shape == (1, 1, 2, 1, 36, 64)


# ---- errors


@pytest.mark.parametrize('changes,message', [
    (dict(test_cfg__overlap=1), 'test_cfg.overlap=1: SAMWISE'),
    (dict(text_layers=(4, 4, 4)), 'expected 3 layers in total'),
    (dict(sam2__arch='huge'), "got 'huge'"),
    (dict(sam2__image_size=100), 'image_size=100: expected a multiple of 32'),
    (dict(sam2__config__depth=3), r"Sam2VideoConfig has no \['depth'\]"),
    (dict(sam2__embed_dims=128), 'sam2.embed_dims=128 contradicts'),
    (dict(memory_decision__switch='off'), "got 'off'"),
    (dict(backbone=dict(type='ResNet')), 'encodes frames with sam2'),
])
def test_configs_that_contradict_themselves(changes, message):
    with pytest.raises(ValueError, match=message):
        small_model(**changes)


def test_frames_of_an_extreme_aspect_ratio():
    """Official resizing makes long sides above the square; they are cut."""
    model = small_model(category_head=None, dense_head=None)
    for shape, model.head.stretch in (((40, 65), True), ((66, 13), False)):
        batch = make_batch((shape, (64, 64)), 1, TEXTS[:1])
        model.train()
        losses = model(**model.data_preprocessor(batch, True), mode='loss')
        assert all(loss.isfinite().all() for loss in losses.values())
        model.eval()
        batch = make_batch((shape, ), 1, TEXTS[:1])
        with torch.no_grad():
            sample, = model.test_step(batch)
        assert sample.pred.masks[0][0]['size'] == [2 * x for x in shape]


def test_frames_that_do_not_fit(model):
    with pytest.raises(ValueError, match='66x40 pixels do not fit'):
        model.encode_clip(torch.zeros(1, 1, 3, 66, 40),
                          torch.tensor([[66., 40.]]))


def test_patches_that_do_not_fit():
    with pytest.raises(ValueError, match='8x8 cells cannot be cut into'):
        decode(small_model(patch_sizes=(3, 2, 1)), video(1), [1])


# ---- weights


def test_weights_of_a_folder(tmp_path):
    """They replace the random ones, also if a part of them is not used."""
    cfg = small_cfg(sam2__object_scores=True).sam2
    sam2 = MODELS.build(dict(cfg, embed_dims=64))
    sam2.network.save_pretrained(tmp_path)
    for object_scores in (True, False):
        loaded = MODELS.build(
            dict(
                cfg,
                embed_dims=64,
                weights=str(tmp_path),
                object_scores=object_scores))
        expected, found = sam2.state_dict(), loaded.state_dict()
        assert (set(found) == set(expected)) is object_scores
        assert all(torch.equal(found[key], expected[key]) for key in found)


# ---- text


def test_text_layers_run_in_groups():
    """Without padding, groups of layers are equal to the whole model."""
    encoder = MODELS.build(
        dict(small_cfg().text_encoder, first_layers=1)).eval()
    with torch.no_grad():
        text = encoder.encode([['the red square']])
        assert text.padding is None
        words = encoder.run_layers(text.words, None, 1, 3)
        ids, _ = encoder.tokenize(['the red square'])
        expected = encoder.model(ids).last_hidden_state
    torch.testing.assert_close(words, expected)


# ---- motion prompt


class Doc(list):
    """The part of a spaCy document that is used."""

    def __init__(self, text: str, verbs: tuple[str, ...]) -> None:
        super().__init__(Word(text, word, verbs) for word in text.split())
        self.tagged = bool(verbs)

    def has_annotation(self, name: str) -> bool:
        return self.tagged


class Word(str):
    """A token of a spaCy document."""

    def __new__(cls, text: str, word: str, verbs: tuple[str, ...]) -> 'Word':
        token = super().__new__(cls, word)
        token.idx = text.index(word)
        token.pos_ = 'VERB' if word in verbs else 'NOUN'
        return token


def spacy_with(*verbs: str) -> SimpleNamespace:
    """Stand in for spaCy, whose pipelines are not on PyPI."""
    return SimpleNamespace(load=lambda name: lambda text: Doc(text, verbs))


@pytest.fixture
def motion_model(monkeypatch) -> torch.nn.Module:
    load_pipeline.cache_clear()
    monkeypatch.setitem(sys.modules, 'spacy',
                        spacy_with('runs', 'moves', 'grows'))
    yield small_model(text_encoder__verbs='en_core_web_sm')
    load_pipeline.cache_clear()


def test_verbs_are_marked(motion_model):
    """Tokens: <s>, words, </s>, padding."""
    texts = ['the square that moves left', 'it grows and then moves',
             'the star']
    with torch.no_grad():
        found = motion_model.encode_text([texts]).verbs
    assert found.int().tolist() == [[0, 0, 0, 0, 1, 0, 0],
                                    [0, 0, 1, 0, 0, 1, 0], [0] * 7]


def test_motion_prompt(motion_model):
    """The mean of the verbs; without a verb the embedding of no prompt."""
    words = torch.randn(3, 7, motion_model.text_encoder.width)
    marks = torch.zeros(3, 7).bool()
    marks[0, 4], marks[1, 2:4] = True, True
    with torch.no_grad():
        prompts = motion_model.prompts(words, marks)
        expected = motion_model.motion_prompt(
            torch.stack([words[0, 4], words[1, 2:4].mean(0)]))
    assert torch.equal(prompts[:, 0], motion_model.text_prompt(words[:, 0]))
    torch.testing.assert_close(prompts[:2, 1], expected)
    assert torch.equal(prompts[2:, 1], motion_model.sam2.no_prompt)


def test_motion_prompt_is_a_prompt_of_the_decoding_with_memory(
        motion_model, monkeypatch):
    counts, network = [], type(motion_model.sam2)
    decode_masks = network.decode

    def counted(sam2, features, fine, prompts):
        counts.append(prompts.shape[1])
        return decode_masks(sam2, features, fine, prompts)

    monkeypatch.setattr(network, 'decode', counted)
    segment(motion_model, video(4))
    # the last frame is also decoded without memory, for the decision
    assert counts == [2, 2, 2, 2, 1]


def test_motion_prompt_is_trained(motion_model):
    batch = make_batch(((40, 64), ), 4, TEXTS)
    motion_model.train()
    losses = motion_model(
        **motion_model.data_preprocessor(batch, True), mode='loss')
    sum(losses.values()).backward()
    assert all(p.grad.any() for p in motion_model.motion_prompt.parameters())


@pytest.mark.parametrize('module, error, message', [
    (None, ImportError, 'needs spaCy: pip install spacy'),
    (SimpleNamespace(load=open), OSError, 'neither an installed pipeline'),
    (spacy_with(), ValueError, 'assigns no parts of speech'),
])
def test_motion_prompt_without_spacy(monkeypatch, module, error, message):
    load_pipeline.cache_clear()
    monkeypatch.setitem(sys.modules, 'spacy', module)
    with pytest.raises(error, match=message):
        small_model(text_encoder__verbs='no_such_pipeline')

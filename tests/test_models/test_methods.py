"""Checks of every method, found by ``configs/<method>/tiny_shapes.py``.

A new method with such a config is checked without an edit here. Tests of one
method alone are in ``test_<method>.py``.
"""
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pycocotools.mask as mask_utils
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from torch import Tensor

from mmrvos.models import (
    BasePostprocessor,
    BaseRVOSHead,
    BaseTextEncoder,
    ReferFormer,
    RVOSTTAModel,
    merge_windows,
)
from mmrvos.models.chunks import WHOLE, Chunks
from mmrvos.models.features import ClipFeatures, Predictions, TextFeatures
from mmrvos.registry import MODELS, TASK_UTILS

from .tiny import CONFIGS, add_objects, make_batch

METHODS = sorted(
    path.parent.name for path in CONFIGS.glob('*/tiny_shapes.py'))
TEXTS = ('the red square', 'the star', 'the small one that moves right')
TWO_SIZES = ((64, 96), (48, 80))
# training-only heads and the stage in which each is trained
STAGES = dict(
    category='category_head', words='word_head', dense='dense_head')


def config_of(method: str) -> Config:
    return Config.fromfile(CONFIGS / method / 'tiny_shapes.py')


def raise_everywhere(node: Any, key: str, value: int) -> None:
    """Raise all values of a key in nested configs to at least ``value``."""
    if isinstance(node, dict):
        if key in node:
            node[key] = max(node[key], value)
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for child in node:
            raise_everywhere(child, key, value)


def build(method: str, **test_cfg) -> torch.nn.Module:
    """Build the tiny model of a method with random weights.

    It has several queries. Weights that are initialised with zeros become
    random, so that boxes and masks depend on the input.
    """
    cfg = config_of(method).model
    raise_everywhere(cfg, 'num_queries', 3)
    cfg.setdefault('test_cfg', {}).update(test_cfg)
    torch.manual_seed(0)
    model = MODELS.build(cfg)
    for parameter in model.parameters():
        if parameter.dim() > 1 and not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return model.eval()


@pytest.fixture(scope='module', params=METHODS)
def method(request) -> str:
    return request.param


@pytest.fixture(scope='module')
def shared_model(method) -> torch.nn.Module:
    """A model that tests do not change."""
    return build(method)


@pytest.fixture
def model(shared_model) -> torch.nn.Module:
    """The shared model; its test settings and mode are restored."""
    settings = shared_model.test_cfg
    shared_model.test_cfg = replace(settings, window=None)
    yield shared_model
    shared_model.test_cfg = settings
    shared_model.stage = 'whole'
    shared_model.eval()


def predict(model, num_frames: int = 3, texts=TEXTS, shape=(64, 96)):
    """Segment one video; return its ``pred``."""
    sample, = model.test_step(
        make_batch(shapes=(shape, ), num_frames=num_frames, texts=texts))
    return sample.pred


def tensors(model, batch: dict, training: bool = False):
    """Return plain predictions."""
    with torch.no_grad():
        return model(
            **model.data_preprocessor(batch, training), mode='tensor')


def count_calls(module: torch.nn.Module, monkeypatch) -> list:
    """Count the calls of a module; they have frames as first argument."""
    calls, forward = [], module.forward

    def counted(x, *args, **kwargs):
        calls.append(x.shape)
        return forward(x, *args, **kwargs)

    monkeypatch.setattr(module, 'forward', counted)
    return calls


def test_methods_are_found():
    assert {'referformer', 'mttr', 'mlrl'} <= set(METHODS)


def test_contracts(model):
    """Parts and the results of the three steps have the abstract types."""
    assert isinstance(model.head, BaseRVOSHead)
    assert isinstance(model.text_encoder, BaseTextEncoder)
    assert isinstance(model.postprocessor, BasePostprocessor)
    with torch.no_grad():
        clip = model.encode_clip(
            torch.randn(1, 2, 3, 64, 96), torch.tensor([[64., 96.]]))
        text = model.encode_text([TEXTS])
        predictions = model.decode(clip, text)
    assert isinstance(clip, ClipFeatures)
    assert clip.num_frames == 2
    assert clip.input_size == (64, 96)
    assert isinstance(text, TextFeatures)
    assert isinstance(predictions, Predictions)
    assert predictions.logits.shape[1:3] == (3, 2)


# ---- testing


def test_sentences_together_equal_one_at_a_time(model, monkeypatch):
    """The frames are encoded once for all sentences."""
    calls = count_calls(model.backbone, monkeypatch)
    together = predict(model)
    assert len(calls) == 1
    for index, text in enumerate(TEXTS):
        alone = predict(model, texts=(text, ))
        torch.testing.assert_close(
            together.frame_scores[index],
            alone.frame_scores[0],
            rtol=0,
            atol=1e-5)
        assert together.queries[index] == alone.queries[0]
        assert together.masks[index] == alone.masks[0]


def test_a_batch_equals_its_videos_one_by_one(model):
    batch = make_batch(shapes=((64, 96), (64, 96)), texts=TEXTS[:2])
    together = tensors(model, batch)
    for index in range(2):
        alone = tensors(model,
                        {key: [value[index]]
                         for key, value in batch.items()})
        pairs = slice(2 * index, 2 * index + 2)
        torch.testing.assert_close(
            together.logits[:, pairs], alone.logits, rtol=0, atol=1e-5)


def change_cells(value: Any, num_frames: int,
                 cells: Callable[[Tensor], Tensor]) -> Any:
    """Set cells of all maps (num_frames, C, h, w) in clip features to 100.

    Args:
        value: clip features, or a part of them.
        cells: returns (h, w) bool for a map.
    """
    if isinstance(value, Tensor):
        if value.dim() != 4 or len(value) != num_frames:
            return value
        return value.masked_fill(cells(value), 100.)
    if is_dataclass(value):
        return replace(
            value, **{
                field.name: change_cells(
                    getattr(value, field.name), num_frames, cells)
                for field in fields(value)
            })
    if isinstance(value, dict):
        return {
            key: change_cells(part, num_frames, cells)
            for key, part in value.items()
        }
    if isinstance(value, (list, tuple)):
        return type(value)(
            change_cells(part, num_frames, cells) for part in value)
    return value


@torch.no_grad()
def test_padded_cells_have_no_effect(model):
    """Scores and boxes do not depend on features under the padding."""
    if not model.masks_padding:
        pytest.skip('this method does not mask the padding of frames')
    clip = model.encode_clip(
        torch.randn(1, 3, 3, 64, 160), torch.tensor([[64., 96.]]))
    text = model.encode_text([TEXTS])

    def padded(level: Tensor) -> Tensor:
        columns = torch.arange(160) >= 96
        shape = level.shape[-2:]
        mask = columns.expand(64, 160)[None, None].float()
        return F.interpolate(mask, shape)[0, 0].bool()

    expected = model.decode(clip, text)
    actual = model.decode(change_cells(clip, 3, padded), text)
    other = model.decode(
        change_cells(clip, 3, lambda level: ~padded(level)), text)
    torch.testing.assert_close(
        actual.logits, expected.logits, rtol=0, atol=1e-5)
    assert (other.logits - expected.logits).abs().max() > 1e-3
    if getattr(expected, 'boxes', None) is not None:
        torch.testing.assert_close(
            actual.boxes, expected.boxes, rtol=0, atol=1e-5)


@pytest.mark.parametrize('shapes', [
    ((64, 96), ), ((48, 80), ), ((64, 96), (64, 160))])
@pytest.mark.parametrize('postprocessor', ['BestQuery', 'MergeObjects'])
def test_padding_is_cut_off_the_masks(model, monkeypatch, shapes,
                                      postprocessor):
    """A mask of the left half of the image stays the left half."""
    monkeypatch.setattr(model, 'postprocessor',
                        TASK_UTILS.build(dict(type=postprocessor)))
    build_masks = model.head.masks

    def left_halves(predictions, **options) -> Tensor:
        masks = torch.full_like(build_masks(predictions, **options), -10)
        scale = masks.shape[-2] / predictions.input_size[0]
        for pair, size in enumerate(predictions.image_sizes):
            height, width = (size * scale).round().int().tolist()
            masks[:, pair, ..., :height, :width // 2] = 10
        return masks

    monkeypatch.setattr(model.head, 'masks', left_halves)
    samples = model.test_step(make_batch(shapes=shapes))
    for sample in samples:
        mask = mask_utils.decode(sample.pred.masks[0][0])
        expected = torch.zeros(mask.shape, dtype=bool)
        expected[:, :mask.shape[1] // 2] = True
        wrong = torch.from_numpy(mask).bool() != expected
        assert wrong.float().mean() < 0.02


def test_chosen_masks_are_those_of_all_queries(model):
    predictions = tensors(model, make_batch(num_frames=3, texts=TEXTS))
    pairs = torch.arange(len(TEXTS))
    with torch.no_grad():
        everything = model.head.masks(predictions)
        for layer in range(len(everything)):
            chosen = (pairs + layer) % predictions.logits.shape[3]
            masks = model.head.masks(predictions, layer=layer, chosen=chosen)
            assert masks.shape[0] == masks.shape[3] == 1
            expected = everything[layer][pairs, :, chosen]
            torch.testing.assert_close(
                masks[0, :, :, 0], expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize('num_frames,shape', [(1, (33, 50)), (9, (32, 48))])
def test_any_number_of_frames_and_size(model, num_frames, shape):
    """Masks have the original size, twice that of the network's frames."""
    pred = predict(model, num_frames, texts=('the star', ), shape=shape)
    masks = mask_utils.decode(pred.masks[0])
    assert masks.shape == (2 * shape[0], 2 * shape[1], num_frames)
    assert pred.scores.isfinite().all()


def test_windows_with_overlap(model):
    """A window gives the masks of its frames alone, without the overlap."""
    if model.start_video() is not None:
        pytest.skip('this method has a memory, and no overlap')
    frames = make_batch(num_frames=7)['inputs'][0]
    expected = [[] for _ in TEXTS]
    for first, part in ((0, slice(0, 3)), (2, slice(1, 3)), (4, slice(1, 3))):
        batch = make_batch(num_frames=7, texts=TEXTS)
        batch['inputs'] = [frames[first:first + 4]]
        alone = model.test_step(batch)[0].pred
        for index, masks in enumerate(alone.masks):
            expected[index] += masks[part]
    model.test_cfg = replace(model.test_cfg, window=4, overlap=2)
    pred = predict(model, 7)
    assert pred.masks == expected
    assert pred.frame_scores.shape == (3, 7)
    assert pred.queries.shape == (3, 3)


def test_merged_copies_of_a_clip_equal_the_clip(model):
    """Test-time augmentation with two equal copies changes nothing."""
    copies = [make_batch(num_frames=2, texts=TEXTS) for _ in range(2)]
    tta = RVOSTTAModel(model)
    with torch.no_grad():
        merged, = tta.test_step(
            {key: [copy[key] for copy in copies] for key in copies[0]})
    pred = predict(model, 2)
    assert merged.pred.masks == pred.masks
    torch.testing.assert_close(merged.pred.scores, pred.scores)
    torch.testing.assert_close(merged.pred.frame_scores, pred.frame_scores)


def test_a_low_score_is_answered_by_absent(model):
    pred = predict(model, 2)
    limit = float(pred.scores.sort().values[1])  # of three sentences
    model.test_cfg = replace(model.test_cfg, min_score=limit)
    limited = predict(model, 2)
    torch.testing.assert_close(limited.scores, pred.scores)
    for score, before, after in zip(
            pred.scores.tolist(), pred.masks, limited.masks, strict=True):
        if score >= limit:
            assert after == before
        else:
            assert not mask_utils.decode(after).any()


def test_mixed_precision_gives_nearly_the_same(model):
    full = predict(model)
    model.test_cfg = replace(model.test_cfg, amp='bf16')
    half = predict(model)
    assert half.scores.dtype == half.frame_scores.dtype == torch.float32
    torch.testing.assert_close(half.scores, full.scores, rtol=0, atol=0.03)
    same = half.queries[:, 0] == full.queries[:, 0]
    for index in same.nonzero()[:, 0].tolist():
        ours, theirs = (
            mask_utils.decode(pred.masks[index]) for pred in (half, full))
        assert (ours != theirs).mean() < 0.1
    model.test_cfg = replace(model.test_cfg, amp='fp16')
    with pytest.raises(ValueError, match="'bf16' on a CPU"):
        predict(model, 1)


def test_all_queries_of_a_frame_in_mixed_precision(model, monkeypatch):
    """The metrics convert scores and boxes to numpy, which has no bf16."""
    monkeypatch.setattr(model, 'postprocessor',
                        TASK_UTILS.build(dict(type='RankQueries')))
    full = predict(model, 1)
    model.test_cfg = replace(model.test_cfg, amp='bf16')
    half = predict(model, 1)
    for key in ('query_scores', 'query_boxes'):
        if key in full:
            assert half[key].dtype is torch.float32
            scale = full[key].abs().max().item()
            torch.testing.assert_close(
                half[key], full[key], rtol=0, atol=0.03 * scale)


@pytest.mark.parametrize('postprocessor', ['BestQuery', 'MergeObjects'])
def test_chunks_of_one_equal_the_whole(model, monkeypatch, postprocessor):
    """Frames, pairs, pixels and queries one at a time; videos with padding."""
    processor = TASK_UTILS.build(dict(type=postprocessor))
    monkeypatch.setattr(model, 'postprocessor', processor)
    frames = torch.randn(4, 3, 64, 96)
    sample, = make_batch(num_frames=4, texts=TEXTS)['data_samples']
    sample.set_metainfo(dict(img_shape=(64, 80)))
    found = []
    for chunks in (WHOLE, Chunks(frames=1, pairs=1, pixels=1, queries=1)):
        model.test_cfg = replace(model.test_cfg, chunks=chunks)
        sizes = count_sizes(model, monkeypatch)
        with torch.no_grad():
            found.append(merge_windows(model.stream([frames], sample)))
        whole = chunks is WHOLE
        assert sizes['decode'] == ([3] if whole else [1, 1, 1])
        if not getattr(model.backbone, 'temporal', False):
            assert sizes['backbone'] == ([4] if whole else [1] * 4)
    whole, parts = found
    torch.testing.assert_close(
        parts.frame_scores, whole.frame_scores, rtol=0, atol=1e-5)
    assert torch.equal(parts.queries, whole.queries)
    for ours, theirs in zip(parts.masks, whole.masks, strict=True):
        # a pixel may be within rounding of the threshold
        difference = mask_utils.decode(ours) != mask_utils.decode(theirs)
        assert difference.mean() < 1e-3


def count_sizes(model, monkeypatch) -> dict[str, list[int]]:
    """Record the expressions per ``decode`` and the frames per call of the
    backbone."""
    sizes = dict(decode=[], backbone=[])
    decode, backbone = type(model).decode, type(model.backbone).forward

    def counted_decode(clip, text, **options):
        sizes['decode'].append(len(text.words))
        return decode(model, clip, text, **options)

    def counted_backbone(frames):
        sizes['backbone'].append(len(frames))
        return backbone(model.backbone, frames)

    monkeypatch.setattr(model, 'decode', counted_decode)
    monkeypatch.setattr(model.backbone, 'forward', counted_backbone)
    return sizes


def test_training_is_whole(model):
    model.test_cfg = replace(
        model.test_cfg, chunks=Chunks(frames=1, pairs=1, pixels=1, queries=1))
    assert model.chunks.frames == 1
    assert model.train().chunks == WHOLE


def test_an_annotated_frame_is_decoded_alone(model):
    batch = make_batch(num_frames=3)
    batch['data_samples'][0].set_metainfo(dict(valid_index=1))
    one = tensors(model, batch, training=True)
    assert one.logits.shape[2] == 1


def test_all_frames_are_decoded_and_the_annotated_one_is_kept(method):
    cfg = config_of(method).model
    if not issubclass(MODELS.get(cfg.type), ReferFormer):
        pytest.skip('this method has no decode_all_frames')
    cfg.update(decode_all_frames=True, word_head=None)
    model = MODELS.build(cfg)
    batch = make_batch(num_frames=3)
    batch['data_samples'][0].set_metainfo(dict(valid_index=1))
    sample, = model.eval().test_step(batch)
    assert len(sample.pred.masks[0]) == 1
    batch['data_samples'][0].set_metainfo(dict(valid_index=1))
    losses = model.train()(
        **model.data_preprocessor(batch, True), mode='loss')
    assert sum(losses.values()).isfinite()


@pytest.mark.parametrize('stage', ['category', 'dense'])
def test_early_stages_train_on_the_annotated_frame(model, stage):
    """The category loss is that of this frame alone; the dense map may
    depend on the others."""
    if getattr(model.backbone, 'temporal', False):
        pytest.skip('the backbone mixes frames')
    model.stage = stage
    shapes = ((64, 96), (64, 96))
    clips = add_objects(make_batch(shapes=shapes, num_frames=3))
    for sample, index in zip(clips['data_samples'], (1, 2), strict=True):
        sample.set_metainfo(dict(valid_index=index))
    frames = add_objects(make_batch(shapes=shapes, num_frames=1))
    frames['inputs'] = [clips['inputs'][0][1:2], clips['inputs'][1][2:]]
    with torch.no_grad():
        losses = [
            model(**model.data_preprocessor(batch, True), mode='loss')
            for batch in (clips, frames)
        ]
    assert losses[0].keys() == losses[1].keys()
    for name, loss in losses[0].items():
        assert loss.isfinite()
        if stage == 'category':
            torch.testing.assert_close(loss, losses[1][name])


# ---- training


def losses_of(model, num_frames: int = 4, shapes=((64, 96), ),
              absent: bool = False) -> dict[str, Tensor]:
    """Compute the losses of the model's stage.

    Args:
        absent: the objects are in no frame.
    """
    batch = add_objects(
        make_batch(shapes=shapes, num_frames=num_frames, texts=TEXTS[:2]))
    for sample in batch['data_samples'] if absent else ():
        sample.gt.masks[:], sample.gt.boxes[:] = False, 0
        sample.gt.valid[:], sample.objects.masks[:] = False, False
    return model(**model.data_preprocessor(batch, True), mode='loss')


def test_every_parameter_learns(method):
    """Each parameter has a gradient in some stage of the training.

    Frozen ones have none: parts of SAM 2 that SAMWISE does not use.
    """
    model = build(method).train()
    stages = [
        stage for stage, head in STAGES.items()
        if getattr(model, head, None) is not None
    ]
    for stage in (*stages, 'whole'):
        model.stage = stage
        sum(losses_of(model).values()).backward()
    idle = [
        name for name, parameter in model.named_parameters()
        # Hugging Face models bring a pooler, whether a method uses it or not
        if parameter.requires_grad and parameter.grad is None
        and '.pooler.' not in name
    ]
    assert not idle
    assert all(
        parameter.grad.isfinite().all() for parameter in model.parameters()
        if parameter.grad is not None)


def test_absent_objects_give_finite_losses_and_gradients(model):
    losses = losses_of(model.train(), absent=True)
    sum(losses.values()).backward()
    assert all(value.isfinite() for value in losses.values())
    for name, parameter in model.named_parameters():
        assert parameter.grad is None or parameter.grad.isfinite().all(), name
    model.zero_grad()


def test_losses_of_a_padded_batch_are_finite_in_mixed_precision(model):
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = losses_of(model.train(), shapes=TWO_SIZES)
    for name, value in losses.items():
        assert value.dtype == torch.float32, name
        assert value.isfinite(), name


# ---- compilation


def test_all_modules_belong_to_declared_parts(method):
    """``parts`` of the class lists every module with parameters, and no
    module that no configuration has."""
    model = build(method)
    declared = {part.path.split('.')[0] for part in model.parts}
    modules = {
        name for name, module in model.named_children()
        if next(module.parameters(), None) is not None
    }
    assert modules <= declared
    # switched on by a config of their own, see test_motion.py and
    # test_samwise.py
    optional = {*STAGES.values(), 'temporal', 'motion_head', 'motion_prompt'}
    for part in model.parts:
        if part.path not in optional:
            assert list(part.modules(model)), part


def test_compiled_parts_give_the_same_masks(method):
    model = build(method)
    names = list(model.state_dict())
    expected = predict(model)
    model.compile_parts(backend='eager')  # capture alone, no compiler
    assert list(model.state_dict()) == names
    found = predict(model)
    torch.testing.assert_close(found.frame_scores, expected.frame_scores)
    assert found.masks == expected.masks


def test_the_large_parts_are_compiled(model, monkeypatch):
    """Modules with most of the parameters outside text and heads."""
    compiled = []
    monkeypatch.setattr(torch.nn.Module, 'compile',
                        lambda part, **options: compiled.append(part))
    model.compile_parts()
    assert model.backbone in compiled
    ours = {p for part in compiled for p in part.parameters()}
    parts = dict(model.named_children())
    for name in ('text_encoder', 'head', 'category_head', 'dense_head'):
        parts.pop(name, None)
    every = {p for part in parts.values() for p in part.parameters()}
    assert sum(p.numel() for p in ours) > 0.5 * sum(p.numel() for p in every)


# ---- activation checkpointing


def test_checkpointing_keeps_losses_and_gradients(method, monkeypatch):
    """With dropout, and with batch norms that train."""
    cfg = config_of(method).model
    raise_everywhere(cfg, 'dropout', 0.2)
    batch = add_objects(make_batch(shapes=((48, 64), ), num_frames=2))
    states, results, held = [], [], []
    for checkpointing in (False, True):
        torch.manual_seed(0)
        model = MODELS.build(dict(cfg, checkpointing=checkpointing)).train()
        inputs = model.data_preprocessor(batch, True)
        sizes = {}

        def pack(tensor, sizes=sizes):
            storage = tensor.untyped_storage()
            sizes[storage.data_ptr()] = storage.nbytes()
            return tensor

        torch.manual_seed(1)
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
            total, _ = model.parse_losses(model(**inputs, mode='loss'))
        total.backward()
        held.append(sum(sizes.values()))
        results.append({
            'loss': total,
            **{name: p.grad for name, p in model.named_parameters()}
        })
        states.append(dict(model.named_buffers()))
    for name, expected in results[0].items():
        if expected is not None:
            torch.testing.assert_close(
                results[1][name], expected, rtol=1e-3, atol=1e-5, msg=name)
    for name, expected in states[0].items():
        torch.testing.assert_close(states[1][name], expected, msg=name)
    assert held[1] < 0.8 * held[0]

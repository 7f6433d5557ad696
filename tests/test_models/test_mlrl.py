"""MLRL compared with its formulas."""
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from scipy import ndimage
from torch import Tensor

from mmrvos.models.heads.boundary_aware_head import (
    all_objects,
    inside,
    mask_iou,
)
from mmrvos.models.losses import (
    balanced_cross_entropy,
    mask_boundaries,
    sequence_dice,
    sigmoid_focal,
)
from mmrvos.models.segmentors.batch import collect_targets
from mmrvos.registry import MODELS

from .tiny import CONFIGS, add_objects, make_batch

TEXTS = ('the red square', 'the star', 'the small one that moves right')
C, T, HEIGHT, WIDTH = 8, 3, 2, 5


def build(kind: str, **kwargs) -> torch.nn.Module:
    torch.manual_seed(0)
    return MODELS.build(dict(type=kind, embed_dims=C, **kwargs)).eval()


def tiny_mlrl(**changes) -> torch.nn.Module:
    cfg = Config.fromfile(CONFIGS / 'mlrl/tiny_shapes.py')
    cfg.merge_from_dict(
        {f"model.{k.replace('__', '.')}": v for k, v in changes.items()})
    torch.manual_seed(0)
    return MODELS.build(cfg.model).eval()


def linear(module: torch.nn.Linear, x: np.ndarray) -> np.ndarray:
    return x @ module.weight.detach().numpy().T + module.bias.detach().numpy()


def softmax(x: np.ndarray) -> np.ndarray:
    x = np.exp(x - x.max(-1, keepdims=True))
    return x / x.sum(-1, keepdims=True)


def pixels_of(maps: Tensor) -> np.ndarray:
    """(T, C, h, w) to (T*h*w, C)."""
    return maps.detach().movedim(1, -1).flatten(0, 2).numpy()


def sines(places: np.ndarray, num: int) -> np.ndarray:
    """(N,) counts from 1, scaled to 2 pi at the last cell's end, to (N, num)
    interleaved sines and cosines."""
    places = (places - 0.5) / places.max() * 2 * math.pi
    angle = places[:, None] / 10000**(np.arange(0, num, 2) / num)
    return np.stack([np.sin(angle), np.cos(angle)], -1).reshape(-1, num)


def visual_positions(scope: str) -> np.ndarray:
    """POS_v of Eq. 9, (T*h*w, C)."""
    t, y, x = (
        axis.ravel() + 1. for axis in np.meshgrid(
            np.arange(T), np.arange(HEIGHT), np.arange(WIDTH), indexing='ij'))
    places = np.concatenate([sines(y, C // 2), sines(x, C // 2)], axis=1)
    return places + sines(t, C) if scope == 'video' else places


@pytest.mark.parametrize('scope', ['video', 'frame'])
def test_embeddings_are_equations_1_to_4(scope):
    module = build('PixelSelfAttention', scope=scope)
    maps = torch.randn(T, C, HEIGHT, WIDTH)
    actual = pixels_of(module(maps, T, None))
    pixels = pixels_of(maps)
    groups = [pixels] if scope == 'video' else np.split(pixels, T)
    expected = [
        softmax(
            linear(module.query, p) @ linear(module.key, p).T / math.sqrt(C))
        @ linear(module.value, p) + p for p in groups
    ]
    np.testing.assert_allclose(actual, np.concatenate(expected), atol=1e-5)


@pytest.mark.parametrize('scope', ['video', 'frame'])
def test_embeddings_do_not_read_the_padding(scope):
    module = build('PixelSelfAttention', scope=scope)
    maps = torch.randn(2 * T, C, HEIGHT, WIDTH)
    padding = torch.zeros(2, HEIGHT, WIDTH).bool()
    padding[1, :, 3:] = True
    other = maps.clone()
    other[T:, ..., 3:] = 9.
    first, second = (module(x, T, padding) for x in (maps, other))
    torch.testing.assert_close(first[:T], module(maps[:T], T, None))
    torch.testing.assert_close(first[T:, ..., :3], second[T:, ..., :3])
    assert not torch.equal(
        second[T:, ..., :3], module(other, T, None)[T:, ..., :3])


def words_of(module, text) -> np.ndarray:
    """S of Eq. 8 for the first sentence, only the words that are there."""
    words = module.language(
        text.words + text.positions, src_key_padding_mask=text.padding)
    return words[0][~text.padding[0]].detach().numpy()


@pytest.fixture(scope='module')
def text():
    """Sentences of different length, the first of them padded."""
    encoder = MODELS.build(
        dict(
            type='HuggingFaceTextEncoder',
            out_channels=C,
            vocabulary='the red square that moves',
            config=dict(
                hidden_size=8,
                num_hidden_layers=0,
                num_attention_heads=2,
                max_position_embeddings=20),
            pooler=False)).eval()
    text = encoder.encode([['the square', 'the red square that moves']])
    assert text.padding[0].sum() == 3
    return text


@pytest.mark.parametrize('scope', ['video', 'frame'])
def test_alignment_is_equations_8_to_11(scope, text):
    module = build('SemanticAlignment', scope=scope, num_heads=2)
    maps = torch.randn(T, C, HEIGHT, WIDTH)
    both = torch.cat([maps, torch.randn_like(maps)])
    actual = pixels_of(module(both, T, None, text)[:T])
    words, pixels = words_of(module, text), pixels_of(maps)
    places = text.positions[0][~text.padding[0]].numpy()
    queries = linear(module.visual_projection,
                     pixels + visual_positions(scope))
    keys = linear(module.word_projection, words + places)
    attention = softmax(queries @ keys.T / math.sqrt(C))
    expected = linear(module.output, attention @ words + pixels)
    np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_without_alignment_every_pixel_gets_the_mean_of_the_words(text):
    module = build(
        'SemanticAlignment', scope='frame', num_heads=2, dynamic=False)
    maps = torch.randn(2 * T, C, HEIGHT, WIDTH)
    actual = pixels_of(module(maps, T, None, text)[:T])
    expected = linear(
        module.output,
        pixels_of(maps[:T]) + words_of(module, text).mean(0))
    np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_without_alignment_all_sentences_get_the_same_mask():
    """Table 3 and Fig. 5: the masks do not depend on any word."""
    model = tiny_mlrl(alignment=None)
    masks = masks_of(model, TEXTS)
    assert torch.equal(masks[0], masks[1])
    assert torch.equal(masks[0], masks[2])
    # the milder variant still reads the words
    masks = masks_of(tiny_mlrl(alignment__dynamic=False), TEXTS)
    assert not torch.equal(masks[0], masks[1])
    # the mask itself is trained
    losses, predictions, _ = losses_of(model, add_objects(make_batch()))
    assert predictions.dense.shape[1] == 3 * 64
    sum(losses.values()).backward()
    assert model.projection.weight.grad.abs().max() > 0


def test_the_dense_stage_trains_the_aligned_map_and_no_decoder():
    """Ours: a loss on the map from which all masks are predicted."""
    model = tiny_mlrl()
    assert model.dense_head.conv.in_channels == 3 * 64
    batch = model.data_preprocessor(make_batch(), True)  # without all objects
    decoded = []
    for part in ('boundary', 'segmentation', 'objects'):
        getattr(model.head, part).register_forward_hook(
            lambda *_: decoded.append(1))
    model.stage = 'dense'
    losses = model(**batch, mode='loss')
    assert set(losses) == {'loss_dense_mask', 'loss_dense_dice'}
    assert not decoded
    sum(losses.values()).backward()
    for part in (*model.levels.values(), *model.alignments.values(),
                 model.projection, model.text_encoder, model.backbone):
        assert any(p.grad is not None and p.grad.abs().max() > 0
                   for p in part.parameters())
    with pytest.raises(ValueError, match=r'len\(levels\) \* embed_dims=192'):
        tiny_mlrl(dense_head__in_channels=64)


def test_boundaries_are_three_pixels_wide():
    masks = torch.zeros(2, 9, 12).bool()
    masks[0, 2:7, 3:9] = True
    masks[0, 4, 5] = False
    masks[1, :, :4] = True  # the border of the frame is no boundary
    cross = ndimage.generate_binary_structure(2, 1)
    actual = mask_boundaries(masks, torch.ones(1, 1).bool())
    for mask, found in zip(
            masks.numpy(), actual.numpy(), strict=True):
        inner = mask & ~ndimage.binary_erosion(mask, cross, border_value=1)
        expected = ndimage.binary_dilation(inner, np.ones((3, 3)))
        np.testing.assert_array_equal(found, expected)
    assert actual[1, 4].tolist() == [0, 0] + [1] * 3 + [0] * 7


def test_there_is_no_boundary_where_padding_follows():
    torch.manual_seed(0)
    masks = torch.rand(2, 3, 5, 7) > 0.4
    masks[0] = True  # fills the frames
    plain = mask_boundaries(masks, torch.ones(2, 1, 5, 7).bool())
    sizes = torch.tensor([[5., 7.]] * 2)
    padded = mask_boundaries(
        F.pad(masks, (0, 4, 0, 3)), inside(sizes, (8, 11)))
    assert not plain[0].any() and plain[1].any()
    torch.testing.assert_close(padded, F.pad(plain, (0, 4, 0, 3)))


def test_both_classes_of_a_boundary_have_equal_weight():
    logits, goals = torch.randn(2, 50), torch.zeros(2, 50)
    goals[0, :3] = 1
    losses = -torch.where(goals > 0, logits, -logits).sigmoid().log()
    expected = (losses[0, :3].mean() + losses[0, 3:].mean()) / 2
    actual = balanced_cross_entropy(logits, goals)
    torch.testing.assert_close(actual, torch.stack([expected, expected * 0]))


def losses_of(model, batch):
    data = model.data_preprocessor(batch, True)
    predictions = model(**data, mode='tensor')
    targets = collect_targets(data['data_samples'], data['inputs'][0])
    return model.head.loss(predictions, targets), predictions, targets


def test_losses_are_equations_7_14_and_16():
    model = tiny_mlrl(head__loss_weights=dict(mask=1., object_mask=1.))
    batch = add_objects(
        make_batch(shapes=((64, 96), (48, 80)), texts=TEXTS[:2]))
    losses, predictions, targets = losses_of(model, batch)
    head = model.head
    masks, boundary = head.maps(predictions)
    frames = predictions.objects.unflatten(0, (2, 2))
    objects = head.objects(frames.flatten(0, 1), predictions.pyramid,
                           (64, 96)).view(2, -1)
    # the clips' objects, at their own sizes; the rest is padding
    union = torch.zeros(2, 2, 64, 96)
    union[:, :, 4:20, 8:32] = union[:, :, 30:40, 40:60] = 1
    goals = targets.masks.flatten(1).float()
    shown = torch.zeros(4, 1, 64, 96).bool()
    shown[:2], shown[2:, :, :48, :80] = True, True
    quality = mask_iou((masks > 0) & shown, targets.masks)
    confidence = predictions.logits.sigmoid().view(4, 2)
    expected = dict(
        loss_mask=sigmoid_focal(masks.flatten(1), goals).mean(),
        loss_dice=sequence_dice(masks.flatten(1), goals).mean(),
        loss_boundary=0.2 * balanced_cross_entropy(
            boundary.flatten(1),
            mask_boundaries(targets.masks, shown).flatten(1)).mean(),
        loss_confidence=0.1 * (confidence - quality).square().mean(),
        loss_object_mask=sigmoid_focal(objects, union.flatten(1)).mean(),
        loss_object_dice=sequence_dice(objects, union.flatten(1)).mean())
    assert losses.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(losses[name], value, msg=name)


@torch.no_grad()
def test_padding_does_not_count_in_the_confidence():
    model = tiny_mlrl()
    batch = add_objects(
        make_batch(shapes=((64, 96), (32, 48)), texts=TEXTS[:2]))
    losses, predictions, targets = losses_of(model, batch)
    # pooling: cells beyond the image of the second clip
    padding = torch.zeros(4, 8, 12).bool()
    padding[2:, 4:] = padding[2:, :, 6:] = True
    frames = padding.repeat_interleave(2, 0)[:, None]
    arguments = (None, predictions.pyramid, predictions.video_index)
    sizes = (predictions.image_sizes, predictions.input_size)
    first, second = (
        model.head(aligned, *arguments, padding, *sizes).logits
        for aligned in (predictions.dense,
                        predictions.dense + 100. * frames))
    torch.testing.assert_close(first, second)
    # its target: a mask that covers the padding as well
    whole = torch.full((4, 2, 64, 96), 9.)
    model.head.maps = lambda _: (whole, whole)
    quality = targets.masks.sum((2, 3)) / torch.tensor(
        [64 * 96, 32 * 48]).repeat_interleave(2)[:, None]
    confidence = predictions.logits.sigmoid().view(4, 2)
    torch.testing.assert_close(
        model.head.loss(predictions, targets)['loss_confidence'],
        0.1 * (confidence - quality).square().mean())


def test_two_empty_masks_have_iou_one():
    masks = torch.zeros(1, 3, 4, 4).bool()
    masks[0, 1, :2] = True
    targets = masks.clone()
    targets[0, 1:, :1] = True
    targets[0, 1, 1] = False
    assert mask_iou(masks, targets).tolist() == [[1., 0.5, 0.]]


def test_the_object_level_needs_all_objects():
    model = tiny_mlrl()
    with pytest.raises(ValueError, match='all_objects=True'):
        losses_of(model, make_batch())


def test_all_objects_of_each_video():
    batch = add_objects(make_batch(shapes=((64, 96), ) * 2, texts=TEXTS[:2]))
    batch['data_samples'][1].objects.masks[1] = False
    targets = collect_targets(batch['data_samples'],
                              torch.zeros(2, 3, 64, 96))
    areas = all_objects(targets, torch.tensor([0, 0, 1, 1]), 2).sum(
        (2, 3))
    assert areas.tolist() == [[16 * 24 + 10 * 20] * 2, [16 * 24] * 2]


@pytest.mark.parametrize('off', ['video', 'frame', 'object'])
def test_levels_can_be_switched_off(off):
    model = tiny_mlrl(**{f'levels__{off}': None})
    assert set(model.levels) == {'video', 'frame', 'object'} - {off}
    losses, predictions, _ = losses_of(model, add_objects(make_batch()))
    assert predictions.dense.shape[1] == 2 * 64
    assert ('loss_object_dice' in losses) == (off != 'object')


def test_unknown_levels_are_refused():
    with pytest.raises(ValueError, match="'clip'"):
        tiny_mlrl(levels__clip=dict(type='PixelSelfAttention'))
    with pytest.raises(ValueError, match="'objects'"):
        tiny_mlrl(levels__objects=None)  # a level that is off is 'object'


def masks_of(model, texts) -> Tensor:
    with torch.no_grad():
        data = model.data_preprocessor(make_batch(texts=texts), False)
        return model.head.masks(model(**data, mode='tensor'))[0, :, :, 0]


def test_a_window_is_encoded_once_for_all_sentences():
    model = tiny_mlrl(test_cfg__window=2, test_cfg__chunks=dict(pairs=1))
    calls = []
    model.backbone.register_forward_hook(lambda *_: calls.append(1))
    pred = model.test_step(make_batch(texts=TEXTS, num_frames=3))[0].pred
    assert len(calls) == 2
    assert pred.scores.shape == (3, )
    assert [len(rles) for rles in pred.masks] == [3] * 3

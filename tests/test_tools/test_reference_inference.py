"""The reference of the benchmark must give the same masks as ours."""
from pathlib import Path

import numpy as np
import pycocotools.mask as mask_utils
import pytest
import torch
from benchmarking.reference_inference import (
    RepeatedFeatures,
    reference_inference,
    reference_layers,
)
from benchmarking.synthetic import (
    build_model,
    make_clip,
    make_frames,
    make_sample,
)
from torch import nn

from mmrvos.models.heads.dynamic_mask import DynamicMaskLayers
from mmrvos.models.layers import deformable_attention

CONFIGS = Path(__file__).parents[2] / 'configs'
SIZE, ORI_SIZE = (64, 96), (80, 120)


# several queries, so that the reference builds masks of all of them
QUERIES = dict(
    referformer={'model.decoder.num_queries': 3},
    soc={
        'model.decoder.num_queries': 5,
        'model.cluster.num_queries': 5
    })


def tiny_model(method):
    model = build_model(
        str(CONFIGS / method / 'tiny_shapes.py'), QUERIES.get(method))
    return model.requires_grad_(False)


def segment(model, frames):
    sample = make_sample(1, SIZE, ORI_SIZE)
    return model.test_step(dict(inputs=[frames], data_samples=[sample]))[0]


@pytest.mark.parametrize('method', [
    'referformer', 'soc', 'mttr', 'mlrl', 'mutr', 'samwise'])
def test_same_masks(method):
    torch.manual_seed(0)
    model = tiny_model(method)
    attention = next(m for m in model.modules()
                     if isinstance(m, nn.MultiheadAttention))
    frames = make_frames(3, SIZE)
    with torch.no_grad():
        ours = segment(model, frames).pred
    sample_levels = deformable_attention.sample_levels
    with reference_inference(model):
        assert deformable_attention.sample_levels is not sample_levels
        x = torch.zeros(1, 2, attention.embed_dim)
        assert attention(x, x, x, need_weights=False)[1] is not None
        reference = segment(model, frames).pred
    torch.testing.assert_close(reference.scores, ours.scores)
    masks = [
        np.stack([mask_utils.decode(rle) for rle in pred.masks[0]])
        for pred in (ours, reference)
    ]
    assert masks[0].shape == (3, *ORI_SIZE)
    assert (masks[0] != masks[1]).mean() < 1e-3
    # everything is restored
    assert deformable_attention.sample_levels is sample_levels
    assert attention(x, x, x, need_weights=False)[1] is None
    assert torch.backends.mha.get_fastpath_enabled()


def test_all_masks_are_built():
    """SOC needs the masks of one layer; the reference builds all layers."""
    model = tiny_model('soc')
    calls = []
    build = model.head.masks

    def masks(predictions, layer=None, chosen=None):
        calls.append((layer, chosen))
        return build(predictions, layer=layer, chosen=chosen)

    model.head.masks = masks
    with reference_inference(model):
        segment(model, make_frames(2, SIZE))
    assert calls == [(layer, None) for layer in range(3)]


@pytest.mark.parametrize('relative_coords', [True, False])
def test_repeated_features_are_the_same_convolution(relative_coords):
    layers = DynamicMaskLayers(5, 4, relative_coords)
    features = torch.randn(2, 5, 6, 7)
    params = torch.randn(2, 3, layers.num_params)
    arguments = (features, params, 20 * torch.rand(2, 3, 2), 4)
    torch.testing.assert_close(
        RepeatedFeatures(layers)(*arguments), layers(*arguments), rtol=1e-4,
        atol=1e-4)


@pytest.mark.parametrize('method', ['referformer', 'soc', 'mttr'])
def test_same_losses_and_gradients(method):
    """Without dropout, whose random numbers differ."""
    torch.manual_seed(0)
    model = tiny_model(method).requires_grad_(True)
    samples = make_clip(2, SIZE, 1)
    batch = model.data_preprocessor(
        dict(zip(('inputs', 'data_samples'), ([x] for x in samples),
                 strict=True)), True)

    def gradients():
        total, _ = model.parse_losses(model(**batch, mode='loss'))
        used = [p for p in model.parameters() if p.requires_grad]
        return total, *torch.autograd.grad(total, used, allow_unused=True)

    ours = gradients()
    with reference_layers(model):
        reference = gradients()
    scale = max(g.abs().max() for g in ours[1:] if g is not None)
    for actual, expected in zip(ours, reference, strict=True):
        if expected is not None or actual is not None:
            torch.testing.assert_close(
                actual, expected, rtol=1e-3, atol=1e-4 * float(scale))

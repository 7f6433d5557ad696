"""Initial values of ReferFormer, as in the official code."""
import inspect
import math

import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseModule

from mmrvos.registry import MODELS
from mmrvos.utils import CheckpointMismatch

from .tiny import CONFIGS, tiny_cfg

SMALL = dict(embed_dims=32)
WORDS = dict(
    vocabulary='a dog',
    config=dict(
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8))
#: Options of the parts that have an ``init_weights`` of their own.
PARTS = dict(
    BoundaryAwareHead=dict(
        in_channels=8, object_channels=8, pyramid_channels=(8, 8)),
    ConditionalMemoryEncoder=SMALL,
    CrossModalAdapter=dict(SMALL, visual_channels=8, text_channels=8),
    CrossModalFPN=dict(SMALL, fine_channels=8),
    DeformableEncoder=SMALL,
    DenseMaskHead=dict(in_channels=8),
    FrameAttention=SMALL,
    HuggingFaceTextEncoder=WORDS,
    InterFrameLayer=SMALL,
    LanguageQueryDecoder=SMALL,
    MUTRHead=SMALL,
    MultimodalTransformer=SMALL,
    PyramidDecoder=dict(in_channels=8, pyramid_channels=(8, 8)),
    ReferringHead=SMALL,
    SAM2Network=Config.fromfile(CONFIGS / 'samwise/tiny_shapes.py').model.sam2,
    SOCHead=SMALL,
    SpatialDecoder=dict(in_channels=(32, 32), fine_channels=8),
    StagedTextEncoder=WORDS,
    TemporalInteraction=SMALL,
    VideoObjectCluster=SMALL,
    VisionLanguageInteraction=SMALL)


@pytest.fixture(scope='module')
def model():
    torch.manual_seed(0)
    model = MODELS.build(tiny_cfg())
    model.init_weights()
    return model


def xavier_bound(weight: torch.Tensor) -> float:
    return math.sqrt(6 / (weight[0].numel() + weight.transpose(0, 1)[0].numel()
                          ))


def is_xavier(weight: torch.Tensor) -> bool:
    """Uniform up to the bound, which a large matrix nearly reaches."""
    return 0.95 < weight.abs().max().item() / xavier_bound(weight) <= 1


def is_standard_normal(weight: torch.Tensor) -> bool:
    return abs(weight.std().item() - 1) < 0.15 and abs(weight.mean()) < 0.2


def test_class_and_box_heads(model):
    for branch in model.head.class_branches:
        # the initial probability of a query is 1 %
        torch.testing.assert_close(branch.bias,
                                   torch.full((1, ), -math.log(99)))
        assert branch.weight.abs().sum() > 0
    for index, branch in enumerate(model.head.box_branches):
        last = branch.layers[-1]
        assert not last.weight.any()
        small = -2. if index == 0 else 0.
        assert last.bias.tolist() == [0, 0, small, small]


def test_controller(model):
    for layer in model.head.controller.layers:
        assert is_xavier(layer.weight)
        assert not layer.bias.any()


def test_embeddings_and_references(model):
    assert is_standard_normal(model.encoder.level_embed)
    assert is_standard_normal(model.decoder.query_embed.weight)
    points = model.decoder.reference_points
    assert points.weight.abs().max() <= xavier_bound(points.weight)
    assert not points.bias.any()


def test_initial_sampling_offsets(model):
    attentions = [layer.self_attn for layer in model.encoder.layers]
    attentions += [layer.cross_attn for layer in model.decoder.layers]
    for attention in attentions:
        assert not attention.sampling_offsets.weight.any()
        assert not attention.attention_weights.weight.any()
        assert not attention.attention_weights.bias.any()
        # (heads, levels, points, 2): point p lies p + 1 cells away
        offsets = attention.sampling_offsets.bias.view(4, 4, 2, 2)
        radius = offsets.abs().amax(-1)
        torch.testing.assert_close(
            radius, torch.tensor([1., 2.]).expand(4, 4, 2))
        directions = offsets[:, 0, 0]
        expected = torch.tensor([[1., 0], [0, 1], [-1, 0], [0, -1]])
        torch.testing.assert_close(directions, expected, rtol=0, atol=1e-6)
        for linear in (attention.value_proj, attention.output_proj):
            assert is_xavier(linear.weight)
            assert not linear.bias.any()


def test_transformer_matrices(model):
    for layer in (*model.encoder.layers, *model.decoder.layers):
        assert is_xavier(layer.ffn.layers[0][0].weight)
        assert is_xavier(layer.ffn.layers[1].weight)
    for layer in model.decoder.layers:
        assert is_xavier(layer.self_attn.attn.in_proj_weight)


def test_projections(model):
    for projection in model.projections:
        assert is_xavier(projection.conv.weight)
        assert not projection.conv.bias.any()


def test_pixel_decoder(model):
    decoder = model.pixel_decoder
    convs = [m.conv for m in (*decoder.laterals, *decoder.outputs)]
    for conv in (*convs, decoder.mask_features):
        # Caffe2's Xavier: the fan-in alone, +-sqrt(3 / fan_in)
        bound = math.sqrt(3 / conv.weight[0].numel())
        assert 0.95 < conv.weight.abs().max().item() / bound <= 1
    assert not decoder.mask_features.bias.any()
    for block in decoder.blocks:
        assert is_xavier(block.self_attn.in_proj_weight)
        assert is_xavier(block.text_attn.out_proj.weight)
        assert is_xavier(block.ffn.layers[0][0].weight)


def test_all_parts_are_tested():
    """The two backbones convert their files and have tests of their own."""
    own = {
        name for name, kind in MODELS.module_dict.items()
        if kind.__module__.startswith('mmrvos.')
        and getattr(kind, 'init_weights', None) not in (
            None, BaseModule.init_weights)
        and 'init_cfg' in inspect.signature(kind.__init__).parameters
    }
    assert own - PARTS.keys() == {'ConvNeXt', 'VideoSwinTransformer'}
    assert PARTS.keys() <= own


@pytest.mark.parametrize('kind', [*PARTS, 'ReferFormer'])
def test_a_file_replaces_the_initial_values(tmp_path, kind):
    path = tmp_path / 'part.pth'
    cfg = dict(
        PARTS.get(kind) or tiny_cfg(), type=kind,
        init_cfg=dict(type='Pretrained', checkpoint=str(path)))
    part = MODELS.build(cfg)
    weights = {key: value + 1 for key, value in part.state_dict().items()}
    torch.save(weights, path)
    part.init_weights()
    for key, value in part.state_dict().items():
        torch.testing.assert_close(value, weights[key], msg=key)
    key, _ = weights.popitem()
    torch.save(weights, path)
    with pytest.raises(CheckpointMismatch, match=key):
        MODELS.build(cfg).init_weights()


def test_other_initialisers_come_after_the_own_ones():
    init = dict(type='Constant', layer='Linear', val=3., bias=4.)
    head = MODELS.build(
        dict(SMALL, type='ReferringHead', init_cfg=init))
    head.init_weights()
    for layer in head.controller.layers:
        assert layer.weight.eq(3).all() and layer.bias.eq(4).all()

"""Widths and counts that are set once in a model's config."""
import pytest
import torch
from mmengine.config import Config

from mmrvos.models.derive import derive, parameters, setting
from mmrvos.models.segmentors.backbone_maps import check_channels
from mmrvos.registry import MODELS

from .tiny import CONFIGS, make_batch

METHODS = sorted(path.parent.name
                 for path in CONFIGS.glob('*/tiny_shapes.py'))


def config(method: str, **changes) -> Config:
    """The method's tiny model; dotted keys (``a__b=c``) change it."""
    cfg = Config.fromfile(CONFIGS / method / 'tiny_shapes.py')
    cfg.merge_from_dict(
        {f"model.{k.replace('__', '.')}": v for k, v in changes.items()})
    return cfg.model


@pytest.mark.parametrize('method,repeated', [
    ('referformer', dict(
        fusion__embed_dims=64,
        encoder__num_levels=4,
        pixel_decoder__fine_channels=24,
        head__num_layers=3,
        head__mask_channels=16,
        category_head__in_channels=48)),
    ('soc', dict(cluster__num_queries=1, pixel_decoder__in_channels=[64] * 3)),
    ('mttr', dict(
        transformer__embed_dims=64, pixel_decoder__in_channels=[64, 48])),
    ('mlrl', dict(alignment__embed_dims=64, head__in_channels=192)),
])
def test_an_equal_value_may_be_repeated(method, repeated):
    shapes = []
    for cfg in (config(method), config(method, **repeated)):
        state = MODELS.build(cfg).state_dict()
        shapes.append({name: x.shape for name, x in state.items()})
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize('method,changes,keys', [
    ('referformer', dict(head__num_layers=4),
     ('head.num_layers=4', 'decoder.num_layers=3')),
    ('soc', dict(head__num_layers=2),
     ('head.num_layers=2', 'decoder.num_layers=3')),
    ('soc', dict(cluster__num_queries=7),
     ('cluster.num_queries=7', 'decoder.num_queries=1')),
    ('referformer', dict(decoder__embed_dims=32),
     ('decoder.embed_dims=32', 'embed_dims=64')),
    ('ifirvos', dict(decoder__inter_frame__embed_dims=32),
     ('decoder.inter_frame.embed_dims=32', 'decoder.embed_dims=64')),
    ('html', dict(fusion__embed_dims=32),
     ('fusion.embed_dims=32', 'embed_dims=64')),
    ('referformer', dict(text_encoder__out_channels=32),
     ('text_encoder.out_channels=32', 'embed_dims=64')),
    ('referformer', dict(encoder__num_levels=3),
     ('encoder.num_levels=3', r'len\(backbone_channels\)=4')),
    ('referformer', dict(pixel_decoder__fine_channels=9),
     ('pixel_decoder.fine_channels=9', r'backbone_channels\[0\]=24')),
    ('referformer', dict(pixel_decoder__reductions=(2, 1)),
     ('pixel_decoder.reductions=', 'num_levels=4')),
    ('referformer', dict(head__mask_channels=8),
     ('head.mask_channels=8', 'pixel_decoder.mask_channels=16')),
    ('soc', dict(pixel_decoder__channels=(64, 32)),
     ('pixel_decoder.channels=', '4 steps')),
    ('mttr', dict(transformer__embed_dims=32),
     ('transformer.embed_dims=32', 'embed_dims=64')),
    ('mttr', dict(head__embed_dims=32),
     ('head.embed_dims=32', 'embed_dims=64')),
    ('mttr', dict(head__mask_channels=4),
     ('head.mask_channels=4', 'pixel_decoder.mask_channels=8')),
    ('mttr', dict(pixel_decoder__in_channels=(64, 32)),
     ('pixel_decoder.in_channels=', r'\(64, 48\)')),
    ('mlrl', dict(head__in_channels=64),
     ('head.in_channels=64', r'len\(levels\) \* embed_dims=192')),
    ('mlrl', dict(levels__frame__embed_dims=32),
     ('levels.frame.embed_dims=32', 'embed_dims=64')),
    ('mlrl', dict(alignment__scope='frame'),
     ('alignment.scope=', 'level video')),
    ('referformer', dict(dense_head__in_channels=24),
     ('dense_head.in_channels=24', 'embed_dims=64')),
    ('referformer', dict(category_head__in_channels=24),
     ('category_head.in_channels=24', r'backbone_channels\[1\]=48')),
    ('referformer', dict(category_head__level=4),
     ('category_head.level=4', '0 to 3')),
    ('referformer', dict(embed_dims=40), ('embed_dims=40', 'multiple of 32')),
    ('referformer', dict(backbone_channels=(24, 48, 96, 100)),
     ('backbone_channels=', r'\(24, 48, 96, 192\)')),
])
def test_a_contradiction_is_refused_by_both_keys(method, changes, keys):
    cfg = config(method, **changes)
    with pytest.raises(ValueError) as error:
        MODELS.build(cfg)
    for key in keys:
        assert error.match(key)


@pytest.mark.parametrize('num_layers', [1, 2])
def test_heads_follow_the_decoder(num_layers):
    cfg = config('referformer', decoder__num_layers=num_layers)
    model = MODELS.build(cfg)
    assert len(model.head.class_branches) == num_layers


BACKBONES = {
    'Swin':
    dict(
        type='mmdet.SwinTransformer',
        embed_dims=8,
        depths=(1, 1, 1, 1),
        num_heads=(1, 1, 2, 2),
        window_size=3),
    'Video Swin':
    dict(
        type='VideoSwinTransformer',
        embed_dims=8,
        depths=(1, 1, 1, 1),
        num_heads=(1, 1, 2, 2)),
    'Video Swin without its fourth stage':
    dict(
        type='VideoSwinTransformer',
        embed_dims=8,
        depths=(1, 1, 1, 1),
        num_heads=(1, 1, 2, 2),
        out_indices=(0, 1, 2)),
}


@pytest.mark.parametrize(
    'method', [m for m in METHODS if 'backbone' in config(m)])
@pytest.mark.parametrize('backbone', BACKBONES)
def test_any_backbone_fits_any_method(method, backbone):
    """Nothing but the backbone and its channels changes."""
    cfg = config(method)
    cfg.backbone = BACKBONES[backbone]
    maps = len(cfg.backbone.get('out_indices', range(4)))
    cfg.backbone_channels = [8 * 2**i for i in range(maps)]
    for key in ('channels', 'reductions'):
        cfg.get('pixel_decoder', {}).pop(key, None)
    cfg.category_head.level = 1
    model = MODELS.build(cfg).eval()
    sample, = model.test_step(make_batch(texts=('a', 'the red square')))
    assert [len(masks) for masks in sample.pred.masks] == [2, 2]


def test_the_check_of_the_channels_leaves_no_trace():
    backbone = MODELS.build(dict(config('referformer').backbone))
    torch.manual_seed(0)
    before = torch.rand(1)
    torch.manual_seed(0)
    with pytest.raises(ValueError, match='returns maps'):
        check_channels(backbone, (24, 48, 96))
    assert torch.equal(torch.rand(1), before)  # no random number is drawn
    assert backbone.training
    assert backbone.bn1.training
    assert backbone.bn1.num_batches_tracked == 0


def test_a_part_gets_what_its_constructor_takes():
    values = dict(embed_dims=('embed_dims', 8), num_queries=('x', 2))
    assert derive('cluster', dict(type='KMeansCluster'), **values) == dict(
        type='KMeansCluster')
    assert derive('cluster', dict(type='ConvCluster'), **values) == dict(
        type='ConvCluster', embed_dims=8)
    assert derive('cluster', None, **values) is None
    # equal values may be repeated, as list or tuple
    assert derive('x', dict(type='SpatialDecoder', in_channels=[8]),
                  in_channels=('y', (8, )))['in_channels'] == [8]
    assert setting(dict(type='LanguageQueryDecoder'), 'num_layers') == 4
    assert setting(dict(type='SpatialDecoder'), 'fine_channels') is None
    assert 'backbone' in parameters(dict(type='SOC'))  # of a base class

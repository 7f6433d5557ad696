"""MUTR's keys; that the weights land rightly is in the golden cases."""
import re
from pathlib import Path

import pytest
import torch

from mmrvos.conversion import METHODS, convert_convnext

from ..config_values import CONFIGS, read
from ..golden_kinds.case import load_case

GOLDEN = Path(__file__).parents[1] / 'data' / 'golden'
NEW = r'MTA\.|mti\.'


def checkpoint(case: str) -> dict[str, torch.Tensor]:
    """All keys of a published checkpoint, on tensors without values."""
    shapes = load_case(GOLDEN / f'{case}.npz').state_shapes
    weights = {k: torch.zeros(()).expand(v) for k, v in shapes.items()}
    weights.update({
        f'transformer.decoder.{key}': value
        for key, value in weights.items() if key.startswith('bbox_embed.')
    })
    weights['text_encoder.embeddings.position_ids'] = torch.arange(514)[None]
    return weights


def convnext(depths: tuple[int, ...],
             widths: tuple[int, ...]) -> dict[str, torch.Tensor]:
    """Backbone of an official checkpoint with timm's ConvNeXt."""
    shapes = {'body.stem.0': (widths[0], 3, 4, 4), 'body.stem.1': widths[:1]}
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True)):
        path = f'body.stages.{stage}'
        if stage:
            before = widths[stage - 1]
            shapes[f'{path}.downsample.0'] = (before, )
            shapes[f'{path}.downsample.1'] = (width, before, 2, 2)
        for block in range(depth):
            shapes.update({
                f'{path}.blocks.{block}.conv_dw': (width, 1, 7, 7),
                f'{path}.blocks.{block}.norm': (width, ),
                f'{path}.blocks.{block}.mlp.fc1': (4 * width, width),
                f'{path}.blocks.{block}.mlp.fc2': (width, 4 * width),
            })
        shapes[f'norm_layers.{stage}'] = (width, )
    values = {}
    for name, shape in shapes.items():
        values[f'backbone.0.{name}.weight'] = torch.zeros(()).expand(shape)
        values[f'backbone.0.{name}.bias'] = torch.zeros(()).expand(shape[0])
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True)):
        values.update({
            f'backbone.0.body.stages.{stage}.blocks.{block}.gamma':
            torch.zeros(()).expand(width)
            for block in range(depth)
        })
    return values


def with_convnext() -> dict[str, torch.Tensor]:
    """The official checkpoint of ConvNeXt-L."""
    widths = (192, 384, 768, 1536)
    weights = {
        key: value for key, value in checkpoint('mutr_r50_s0').items()
        if not key.startswith('backbone.')
    }
    weights.update(convnext((3, 3, 27, 3), widths))
    # projections of the widths of strides 8, 16, 32 and 32
    for level, width in enumerate([*widths[1:], widths[-1]]):
        kernel = 3 if level == 3 else 1
        weights[f'input_proj.{level}.0.weight'] = torch.zeros(()).expand(
            256, width, kernel, kernel)
    weights['pixel_decoder.adapter_1.weight'] = torch.zeros(()).expand(
        256, widths[0], 1, 1)
    return weights


CHECKPOINTS = {
    'r50': lambda: checkpoint('mutr_r50_s0'),
    'video-swin-t': lambda: checkpoint('mutr_video_swin_t_s0'),
    'convnext-l': with_convnext,
}


@pytest.mark.parametrize('backbone', CHECKPOINTS)
def test_every_key_is_used_once_and_fits_the_config(backbone):
    weights = CHECKPOINTS[backbone]()
    assert sum(bool(re.match(NEW, key)) for key in weights) == 107
    ours, report = METHODS['mutr'](weights)
    assert len(ours) + len(report.dropped) == len(weights)
    assert all(
        re.search(r'decoder\.bbox_embed|position_ids|\.pooler\.', key)
        for key in report.dropped)
    # two queries embeddings
    assert report.renamed['query_embed.weight'] == 'decoder.query_embed.weight'
    assert report.renamed['mti.query_embed.weight'] == (
        'cluster.video_embed.weight')

    def shapes(state: dict[str, torch.Tensor]) -> dict[str, torch.Size]:
        return {key: value.shape for key, value in state.items()
                if not key.startswith('text_encoder.')
                and not key.endswith('num_batches_tracked')}

    _, model, _ = read(CONFIGS / f'mutr/{backbone}_joint.py')
    assert shapes(ours) == shapes(model.state_dict())


def test_a_checkpoint_of_referformer_is_refused():
    weights = {k: v for k, v in checkpoint('mutr_r50_s0').items()
               if not re.match(NEW, k)}
    with pytest.raises(ValueError, match=r'not a checkpoint of MUTR.*\n.*MTA'):
        METHODS['mutr'](weights)


def test_published_weights_of_convnext():
    """Meta's keys; the classifier is dropped."""
    weights = {
        'downsample_layers.0.0.weight': torch.zeros(1),
        'downsample_layers.0.1.bias': torch.zeros(1),
        'downsample_layers.2.1.weight': torch.zeros(1),
        'stages.1.0.gamma': torch.zeros(1),
        'stages.2.26.dwconv.weight': torch.zeros(1),
        'stages.2.26.norm.bias': torch.zeros(1),
        'stages.2.26.pwconv2.bias': torch.zeros(1),
        'norm.weight': torch.zeros(1),
        'head.weight': torch.zeros(1),
    }
    ours, report = convert_convnext(weights)
    layer = 'model.encoder.stages.2.layers.26'
    assert list(ours) == [
        'model.embeddings.patch_embeddings.weight',
        'model.embeddings.layernorm.bias',
        'model.encoder.stages.2.downsampling_layer.1.weight',
        'model.encoder.stages.1.layers.0.layer_scale_parameter',
        f'{layer}.dwconv.weight',
        f'{layer}.layernorm.bias',
        f'{layer}.pwconv2.bias',
    ]
    assert list(report.dropped) == ['norm.weight', 'head.weight']

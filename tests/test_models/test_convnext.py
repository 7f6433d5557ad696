"""ConvNeXt as a backbone."""
import pytest
import torch

from mmrvos.models.backbones import ConvNeXt
from mmrvos.utils import CheckpointMismatch

SMALL = dict(depths=(1, 1, 2, 1), hidden_sizes=(4, 8, 12, 16))
NAMES = {
    'embeddings.patch_embeddings': 'downsample_layers.0.0',
    'embeddings.layernorm': 'downsample_layers.0.1',
    'encoder.': '',
    '.layers.': '.',
    'layer_scale_parameter': 'gamma',
    'layernorm': 'norm',
}


def official(model: ConvNeXt) -> dict[str, torch.Tensor]:
    """The backbone's weights in the form in which Meta publishes them."""
    weights = {'norm.weight': torch.ones(16), 'head.bias': torch.zeros(9)}
    for key, value in model.state_dict().items():
        if 'hidden_states_norms' in key:
            continue
        key = key.removeprefix('model.')
        if 'downsampling_layer' in key:
            stage, rest = key.removeprefix('encoder.stages.').split(
                '.downsampling_layer')
            key = f'downsample_layers.{stage}{rest}'
        for ours, theirs in NAMES.items():
            key = key.replace(ours, theirs)
        weights[key] = value
    return weights


def test_sizes_are_rounded_down():
    maps = ConvNeXt(**SMALL)(torch.rand(2, 3, 74, 106))
    assert [tuple(m.shape) for m in maps] == [
        (2, 4, 18, 26), (2, 8, 9, 13), (2, 12, 4, 6), (2, 16, 2, 3)]


def test_maps_are_normalised_with_the_epsilon_of_mutr():
    """x / sqrt(var + 1e-5), where the variance is about 1e-5."""
    model = ConvNeXt(**SMALL)
    norm = model.model.hidden_states_norms['stage1']
    x = 3e-3 * torch.randn(1, 4, 2, 2)
    centred = x - x.mean(1, keepdim=True)
    variance = centred.square().mean(1, keepdim=True)
    torch.testing.assert_close(norm(x), centred / (variance + 1e-5).sqrt())


def test_published_weights(tmp_path):
    torch.manual_seed(0)
    source, path = ConvNeXt(**SMALL), tmp_path / 'convnext.pth'
    for parameter in source.parameters():
        torch.nn.init.normal_(parameter)
    weights = official(source)
    torch.save(dict(model=weights), path)
    model = ConvNeXt(
        **SMALL, init_cfg=dict(type='Pretrained', checkpoint=str(path)))
    model.init_weights()
    for key, value in source.state_dict().items():
        own = model.state_dict()[key]
        if 'hidden_states_norms' in key:  # not part of the file
            value = torch.full_like(own, float(key.endswith('weight')))
        assert own.equal(value), key
    del weights['stages.2.1.dwconv.bias']
    torch.save(dict(model=weights), path)
    with pytest.raises(CheckpointMismatch, match=r'layers\.1\.dwconv\.bias'):
        model.init_weights()

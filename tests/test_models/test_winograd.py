import copy
import pickle

import pytest
import torch
import torch.nn.functional as F
from torch.nn.utils.parametrizations import weight_norm

from mmrvos.models.layers import WinogradConv2d, winograd
from mmrvos.registry import MODELS


@pytest.fixture
def conv():
    torch.manual_seed(0)
    return WinogradConv2d(256, 288, 3, padding=1)


@pytest.mark.parametrize('batch, height, width', [(1, 16, 16), (2, 17, 23),
                                                  (1, 1, 241), (3, 14, 6)])
@torch.no_grad()
def test_equals_a_direct_convolution(conv, batch, height, width):
    x = torch.randn(batch, 256, height, width)
    assert conv.applies(x)
    exact = F.conv2d(
        x.double(), conv.weight.double(), conv.bias.double(), padding=1)
    assert conv(x).shape == exact.shape
    assert (conv(x) - exact).abs().max() < 1e-5
    assert (conv(x) - exact).std() < 2e-6  # of outputs with 0.6
    channels_last = x.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(conv(channels_last), conv(x))


@torch.no_grad()
def test_parts_of_the_rows_and_no_bias(conv, monkeypatch):
    conv.bias = None
    x = torch.randn(2, 256, 18, 22)
    whole = conv(x)
    monkeypatch.setattr(winograd, 'ELEMENTS', 1)  # one row of tiles at a time
    torch.testing.assert_close(conv(x), whole, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(
        whole, F.conv2d(x, conv.weight, padding=1), atol=1e-5, rtol=1e-5)


def test_gradients_are_those_of_a_plain_convolution(conv):
    x = torch.randn(1, 256, 16, 16, requires_grad=True)
    assert not conv.applies(x)
    conv(x).square().sum().backward()
    got = x.grad, conv.weight.grad
    x.grad = conv.weight.grad = None
    F.conv2d(x, conv.weight, conv.bias, padding=1).square().sum().backward()
    assert torch.equal(got[0], x.grad)
    assert torch.equal(got[1], conv.weight.grad)


@pytest.mark.parametrize('options', [
    dict(stride=2),
    dict(dilation=2),
    dict(padding=0),
    dict(groups=2),
    dict(padding_mode='reflect'),
    dict(out_channels=128),
    dict(kernel_size=1),
    dict(kernel_size=5),
    dict(dtype=torch.float64),
])
@torch.no_grad()
def test_other_convolutions_are_plain(options):
    options = dict(
        dict(in_channels=256, out_channels=256, kernel_size=3, padding=1),
        **options)
    conv = WinogradConv2d(**options)
    plain = torch.nn.Conv2d(**options)
    plain.load_state_dict(conv.state_dict())
    x = torch.randn(1, 256, 16, 17, dtype=options.get('dtype'))
    assert not conv.applies(x)
    assert torch.equal(conv(x), plain(x))


@torch.no_grad()
def test_small_maps_and_mixed_precision_are_plain(conv):
    assert not conv.applies(torch.zeros(1, 256, 15, 15))
    with torch.autocast('cpu', torch.bfloat16):
        assert conv(torch.randn(1, 256, 16, 16)).dtype is torch.bfloat16


@torch.no_grad()
def test_follows_changes_of_the_weights(conv):
    x = torch.randn(1, 256, 16, 16)
    before = conv(x)
    conv.weight.mul_(2)
    conv.bias.mul_(2)
    torch.testing.assert_close(conv(x), 2 * before)
    conv.load_state_dict(
        {k: -v for k, v in conv.state_dict().items()})
    torch.testing.assert_close(conv(x), -2 * before)
    # an average of the weights is put in place before the test, see EMAHook
    conv.weight.data.copy_(conv.weight.data / -2)
    conv.bias.data.copy_(conv.bias.data / -2)
    conv.eval()
    torch.testing.assert_close(conv(x), before)
    assert conv.state_dict().keys() == {'weight', 'bias'}


@torch.no_grad()
def test_follows_weights_at_the_address_of_older_ones():
    x = torch.randn(1, 256, 16, 16)
    direct = torch.nn.Conv2d(256, 256, 3, padding=1)
    # computes its weight in each pass, and releases it afterwards
    conv = weight_norm(WinogradConv2d(256, 256, 3, padding=1))
    for scale in (1, 2, 3):
        conv.parametrizations.weight.original0.mul_(scale)
        direct.load_state_dict(dict(weight=conv.weight, bias=conv.bias))
        torch.testing.assert_close(conv(x), direct(x), atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize('change', [
    copy.deepcopy,
    lambda conv: pickle.loads(pickle.dumps(conv)),
    lambda conv: conv.half(),
    lambda conv: conv.to('meta'),
    lambda conv: conv.train(),
])
@torch.no_grad()
def test_cached_kernels_do_not_outlive_their_weights(conv, change):
    conv(torch.randn(1, 256, 16, 16))
    assert conv.cache is not None
    assert change(conv).cache is None


@torch.no_grad()
def test_traces_are_plain(conv):
    x = torch.randn(1, 256, 16, 16)
    traced = torch.jit.trace(conv, x, check_trace=False)
    assert conv.cache is None
    assert [n.kind() for n in traced.inlined_graph.nodes()
            ].count('aten::_convolution') == 1


def test_wrong_channels_are_refused_as_by_a_plain_convolution(conv):
    with torch.no_grad(), pytest.raises(
            RuntimeError, match='to have 256 channels, but got 512'):
        conv(torch.zeros(1, 512, 16, 16))


def test_networks_use_it():
    stcn = MODELS.build(dict(type='STCN'))
    fast = {
        name
        for name, module in stcn.named_modules()
        if isinstance(module, WinogradConv2d) and module.kernel_size == (3, 3)
    }
    assert {
        'compress.conv1', 'up_8.skip', 'up_4.block.conv2', 'key_compression',
        'value_fusion.block1.shortcut', 'key_encoder.layer3.2.conv2'
    } <= fast
    fpn = MODELS.build(dict(type='CrossModalFPN', fine_channels=256))
    assert all(isinstance(m.conv, WinogradConv2d) for m in fpn.outputs)

import pytest
import torch

from mmrvos.models.segmentors.inference_cfg import (
    InferenceCfg,
    fast_precision,
)


@pytest.mark.parametrize('avx512, amx, expected', [
    (True, False, 'bf16'), (False, True, 'bf16'), (False, False, None)])
def test_auto_needs_instructions(monkeypatch, avx512, amx, expected):
    for name, found in (('_is_avx512_bf16_supported', avx512),
                        ('_is_amx_tile_supported', amx)):
        monkeypatch.setattr(torch.cpu, name, lambda f=found: f, raising=False)
    device = torch.device('cpu')
    assert fast_precision(device) == expected
    with InferenceCfg(amp='auto').precision(device):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == (
        torch.bfloat16 if expected else torch.float32)


@pytest.mark.parametrize('capability, expected', [
    ((7, 5), 'fp16'), ((8, 0), 'bf16'), ((9, 0), 'bf16')])
def test_auto_on_a_gpu(monkeypatch, capability, expected):
    monkeypatch.setattr(torch.cuda, 'get_device_capability',
                        lambda device: capability)
    assert fast_precision(torch.device('cuda')) == expected


def test_unknown_precision():
    with pytest.raises(ValueError, match="'auto', 'bf16', 'fp16'"):
        InferenceCfg(amp='fp8')

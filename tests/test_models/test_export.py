"""Exported programs give the numbers of the model."""
import runpy
import sys
from pathlib import Path

import pytest
import torch

from mmrvos.models.export import export_clip, export_window, largest_error

from .test_methods import build

ROOT = Path(__file__).parents[2]
SIZE = (32, 64)


# the encoder of IFIRVOS, MUTR and SOC is ReferFormer's
@pytest.mark.parametrize('method', ['html', 'mlrl', 'mttr', 'referformer'])
def test_clip_encoders(method):
    torch.manual_seed(0)
    program, module, inputs = export_clip(build(method), 2, SIZE)
    assert largest_error(program, module, inputs) < 1e-5


@pytest.mark.parametrize(
    'method',
    ['html', 'ifirvos', 'mlrl', 'mttr', 'mutr', 'referformer', 'soc'])
def test_a_window(method):
    torch.manual_seed(0)
    program, module, inputs = export_window(build(method), 2, SIZE, 1, 5)
    assert largest_error(program, module, inputs) < 1e-4
    with torch.no_grad():
        scores, masks = program.module()(*inputs)
    assert scores.shape == (1, ) and masks.shape[:2] == (1, 2)


def test_the_tool_writes_the_shipped_model(tmp_path, monkeypatch, capsys):
    file = tmp_path / 'clip.pt2'
    monkeypatch.setattr(sys, 'argv', [
        'export.py', str(ROOT / 'configs/referformer/tiny_shapes.py'),
        'referformer_tiny_shapes', '--out', str(file), '--frames', '2',
        '--size', '32', '64'
    ])
    runpy.run_path(str(ROOT / 'tools/export.py'), run_name='__main__')
    assert 'largest difference from the model 0' in capsys.readouterr().out
    fine, *levels = torch.export.load(file).module()(
        torch.zeros(1, 2, 3, *SIZE))
    assert fine.shape == (2, 24, 8, 16) and len(levels) == 4

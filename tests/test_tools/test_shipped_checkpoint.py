"""Checkpoints in demo/ fit their configs and do what they are shown for."""
import json

import pytest

from .running import options


@pytest.mark.parametrize('name', ['tiny_shapes', 'tiny_shapes_motion'])
def test_it_tests_on_moving_shapes(shapes, tool, tmp_path, capsys, name):
    out = tmp_path / 'scores.json'
    tool('test.py', f'configs/referformer/{name}.py',
         f'demo/referformer_{name}.pth', '--work-dir', str(tmp_path),
         '--out', str(out), *options(shapes)[:1],
         'test_dataloader.num_workers=0',
         'test_dataloader.persistent_workers=False',
         'test_dataloader.dataset.size=mini',
         f'test_dataloader.dataset.data_root={shapes}',
         f'test_evaluator.data_root={shapes}')
    metrics = json.loads(out.read_text())['metrics']
    # far from the size it was trained at; by chance it would be about 24
    assert metrics['shapes/J&F/appearance'] > 35, metrics
    # the ceilings stand beside the scores
    assert 'stride4_mean' in capsys.readouterr().out

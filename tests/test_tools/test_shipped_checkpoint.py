"""The checkpoint in demo/ fits its config and does what it is shown for."""
import json

from .running import options


def test_it_tests_on_moving_shapes(shapes, tool, tmp_path, capsys):
    out = tmp_path / 'scores.json'
    tool('test.py', 'configs/referformer/tiny_shapes.py',
         'demo/referformer_tiny_shapes.pth', '--work-dir', str(tmp_path),
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

"""The benchmark of propagation, on a model that takes milliseconds."""
import re

import pytest

from .test_train_and_test import tool  # noqa: F401

CONFIG = """
_base_ = '{configs}/mlrl/tiny_shapes.py'
model = dict(test_cfg=dict(propagator=dict(type='STCNPropagator')))
"""


def test_parts_add_up_to_the_whole(tool, tmp_path, capsys, request):  # noqa: F811
    config = tmp_path / 'tiny_stcn.py'
    config.write_text(
        CONFIG.format(configs=request.config.rootpath / 'configs'))
    tool('analysis_tools/benchmark_propagation.py', str(config), '--frames',
         '3', '--size', '32', '64', '--ori-size', '40', '70', '--repeat', '1',
         '--sentences', '2', '--device', 'cpu')
    said = capsys.readouterr().out
    parts = dict(re.findall(r'^([^\d\n]+?) +([\d.]+)$', said, re.MULTILINE))
    without, whole = (
        float(x) for x in re.findall(r'([\d.]+) FPS', said))
    assert whole < without
    expected = [
        'backbone', 'visual features', 'text', 'language to pixels', 'masks',
        'to original size, RLE', 'propagation: frames',
        'propagation: masks to memory', 'propagation: masks',
        'propagation: memory read, the rest'
    ]
    assert set(parts) == {*expected, 'to the device, the rest'}
    carrying = sum(
        float(ms) for part, ms in parts.items() if 'propagation' in part)
    total = sum(map(float, parts.values()))
    assert total == pytest.approx(1e3 / whole, rel=0.02)
    assert total - carrying == pytest.approx(1e3 / without, rel=0.02)


def test_a_config_without_propagator_is_refused(tool):  # noqa: F811
    with pytest.raises(SystemExit, match='test_cfg.propagator'):
        tool('analysis_tools/benchmark_propagation.py',
             'configs/mlrl/tiny_shapes.py')

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from mmrvos.engine import RVOSVisualizationHook
from mmrvos.structures import RVOSDataSample
from mmrvos.visualization import RVOSVisualizer

from ..colour_segmentor import to_rles


@pytest.fixture
def runner(tmp_path):
    return SimpleNamespace(
        visualizer=RVOSVisualizer('hook'), log_dir=str(tmp_path), iter=0)


def batch(count: int) -> tuple[dict, list[RVOSDataSample]]:
    samples = []
    for i in range(count):
        sample = RVOSDataSample(
            metainfo=dict(video_id=f'v/{i}', exp_ids=['3'], texts=['a ring']))
        sample.pred = InstanceData(
            masks=[to_rles(np.ones((2, 24, 32), bool))],
            scores=torch.ones(1))
        samples.append(sample)
    clip = torch.zeros(2, 3, 12, 16, dtype=torch.uint8)
    return dict(inputs=[clip] * count), samples


def test_writes_every_nth_test_sample(runner, tmp_path):
    hook = RVOSVisualizationHook(draw=True, interval=2)
    data, samples = batch(3)
    for i in range(3):
        hook.after_test_iter(runner, i, dict(inputs=data['inputs'][:1]),
                             samples[i:i + 1])
    names = sorted(p.name for p in (tmp_path / 'vis').iterdir())
    assert names == ['v_0_3.mp4', 'v_0_3.png', 'v_2_3.mp4', 'v_2_3.png']


def test_off_by_default(runner, tmp_path):
    hook = RVOSVisualizationHook()
    hook.after_test_iter(runner, 0, *batch(1))
    hook.after_val_iter(runner, 0, *batch(1))
    assert not list(tmp_path.iterdir())

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from mmrvos.engine import RVOSVisualizationHook
from mmrvos.engine.hooks.visualization_hook import frames_of
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
            metainfo=dict(video_id=f'v/{i}', exp_ids=['3'], texts=['a ring'],
                          ori_shape=(24, 32)))
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


def test_draws_the_only_annotated_frame(runner, tmp_path):
    """Masks of A2D-Sentences are of one frame of the clip."""
    hook = RVOSVisualizationHook(draw=True)
    data, (sample, ) = batch(1)
    sample.pred.masks = [sample.pred.masks[0][:1]]
    sample.set_metainfo(dict(valid_index=1))
    data['inputs'] = [torch.stack(
        [torch.zeros(3, 12, 16), torch.full((3, 12, 16), 200)]).byte()]
    assert frames_of(data['inputs'][0], sample).tolist() == np.full(
        (1, 12, 16, 3), 200).tolist()
    with warnings.catch_warnings():
        warnings.simplefilter('error', UserWarning)  # of a failure
        hook.after_test_iter(runner, 0, data, [sample])
        hook.after_val_iter(runner, 0, data, [sample])
    assert len(list((tmp_path / 'vis').iterdir())) == 2


def test_a_picture_that_fails_does_not_end_the_test(runner, tmp_path):
    hook = RVOSVisualizationHook(draw=True)
    (tmp_path / 'vis').touch()
    with pytest.warns(UserWarning, match='no overlay of v_0_3'):
        hook.after_test_iter(runner, 0, *batch(1))
    runner.visualizer = None
    with pytest.warns(UserWarning, match='no picture of val_v_0'):
        hook.after_val_iter(runner, 0, *batch(1))


def test_off_by_default(runner, tmp_path):
    hook = RVOSVisualizationHook()
    hook.after_test_iter(runner, 0, *batch(1))
    hook.after_val_iter(runner, 0, *batch(1))
    assert not list(tmp_path.iterdir())


def test_the_folder_is_checked_before_the_first_sample(runner, tmp_path):
    (tmp_path / 'file').touch()
    hook = RVOSVisualizationHook(draw=True, out_dir=str(tmp_path / 'file/vis'))
    with pytest.raises(NotADirectoryError, match='file is not a folder'):
        hook.before_test(runner)
    RVOSVisualizationHook(out_dir=hook.out_dir).before_test(runner)


@pytest.mark.parametrize('options', [dict(interval=0), dict(fps=-1)])
def test_options_are_checked(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        RVOSVisualizationHook(**options)

"""The inferencer around a real method, with random weights."""
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope

from mmrvos.apis import RVOSInferencer
from mmrvos.registry import DATASETS, MODELS

CONFIG = 'configs/referformer/tiny_shapes.py'
TEXTS = ['the red circle', 'the square that goes left']


@pytest.fixture(scope='module')
def setting(tmp_path_factory, request):
    """Config on Moving Shapes `mini`, and a checkpoint."""
    folder = tmp_path_factory.mktemp('referformer')
    init_default_scope('mmrvos')
    cfg = Config.fromfile(request.config.rootpath / CONFIG)
    cfg.test_dataloader.dataset.update(
        size='mini', data_root=str(folder / 'mini'))
    torch.manual_seed(0)
    torch.save(MODELS.build(cfg.model).state_dict(), folder / 'random.pth')
    return cfg, str(folder / 'random.pth')


def test_same_masks_as_testing(setting):
    cfg, checkpoint = setting
    inferencer = RVOSInferencer(cfg, checkpoint, show_progress=False)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    with torch.no_grad():
        tested, = inferencer.model.test_step(pseudo_collate([dataset[1]]))
    results = inferencer(tested.img_paths, tested.texts)
    assert [r.text for r in results] == tested.texts
    assert [r.rles for r in results] == tested.pred.masks
    assert [r.score for r in results] == pytest.approx(
        tested.pred.scores.tolist())


def test_windows(setting):
    cfg, checkpoint = setting
    video = np.random.default_rng(0).integers(0, 255, (5, 64, 112, 3),
                                              np.uint8)
    inferencer = RVOSInferencer(
        cfg, checkpoint, window=2, show_progress=False)
    windowed = inferencer(video, TEXTS)
    parts = [inferencer(video[t:t + 2], TEXTS) for t in (0, 2, 4)]
    for e, result in enumerate(windowed):
        assert result.rles == sum((part[e].rles for part in parts), [])

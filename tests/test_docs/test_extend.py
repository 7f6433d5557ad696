"""The examples of docs/extend.md, taken out of the page and run."""
import importlib.util
import re
import shutil
from pathlib import Path

import numpy as np
import pycocotools.mask as mask_utils
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from mmrvos.evaluation.metrics import RefYoutubeVOSMetric
from mmrvos.registry import DATASETS, METRICS, MODELS, TASK_UTILS
from mmrvos.structures import RVOSDataSample

from ..test_datasets import miniature
from ..test_models.tiny import make_batch

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / 'docs' / 'extend.md').read_text()
FILES = dict(
    re.findall(
        r'```python\n# file: (\S+)\n(.*?)```', PAGE, flags=re.DOTALL))


@pytest.fixture(autouse=True)
def mmrvos_scope():
    init_default_scope('mmrvos')


@pytest.fixture(scope='module')
def tree(tmp_path_factory) -> Path:
    """A copy of configs/ with the files of the page beside them."""
    folder = tmp_path_factory.mktemp('extend')
    shutil.copytree(ROOT / 'configs', folder / 'configs')
    for name, code in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert not path.exists(), f'{name} exists: rename the example'
        path.write_text(code)
    return folder


def load(tree: Path, name: str):
    """Import a file of the page once, so that its class is registered."""
    spec = importlib.util.spec_from_file_location(
        'extend_' + Path(name).stem, tree / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def modules(tree) -> dict:
    return {
        Path(name).stem: load(tree, name)
        for name in FILES if name.startswith('mmrvos/')
    }


def test_the_table_counts_the_lines_of_the_examples():
    """At most 5 files and 150 lines per method, 120 lines per data set."""
    sections = dict(
        fusion=('fusions/', 'gated/'), dataset=('datasets/my_videos', ),
        backbone=('backbones/', ), metric=('metrics/', ),
        propagator=('propagators/', ))
    limits = dict(fusion=150, dataset=120)
    rows = re.findall(r'^\| \[.*\| (\d+) \|$', PAGE, flags=re.M)
    for (section, parts), row in zip(sections.items(), rows, strict=True):
        lines = sum(
            len(code.splitlines()) for name, code in FILES.items()
            if any(part in name for part in parts))
        assert int(row) == lines, f'{section} has {lines} lines'
        assert lines <= limits.get(section, 120)


def test_method(tree, modules):
    cfg = Config.fromfile(tree / 'configs/gated/tiny_shapes.py')
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.init_weights()
    assert isinstance(model.fusion, modules['gated_fusion'].GatedFusion)
    assert model.fusion.gate.in_features == 64  # handed down
    batch = make_batch(texts=('the red square', 'the star'))
    losses = model(**model.data_preprocessor(batch, True), mode='loss')
    sum(losses.values()).backward()
    assert model.fusion.gate.weight.grad.abs().sum() > 0
    sample, = model.eval().test_step(make_batch())
    assert len(sample.pred.masks) == 1

    full = Config.fromfile(tree / 'configs/gated/r50_ytvos.py')
    assert full.model.fusion.type == 'GatedFusion'
    assert full.optim_wrapper.optimizer.type == 'AdamW'


@pytest.fixture
def my_videos(tmp_path) -> Path:
    maps = miniature.label_maps()
    names = [f'{t:03d}' for t in range(len(maps))]
    for video in ('aaa', 'bbb'):
        miniature.write_images(tmp_path / 'frames' / video, names,
                               miniature.pictures(maps))
        miniature.write_palette(tmp_path / 'masks' / video, names, maps)
    videos = [
        dict(
            video=video,
            frames=names,
            sentences=[
                dict(text='The red one', objects=[1]),
                dict(text='both', objects=[1, 2])
            ]) for video in ('aaa', 'bbb')
    ]
    for split in ('train', 'valid'):
        miniature.write_json(tmp_path / f'{split}.json', videos)
    return tmp_path


def build_dataset(tree: Path, loader: str, root: Path):
    cfg = Config.fromfile(tree / 'configs/_base_/datasets/my_videos.py')
    return DATASETS.build(dict(cfg[loader].dataset, data_root=str(root)))


def test_data_set(tree, modules, my_videos):
    train = build_dataset(tree, 'train_dataloader', my_videos)
    assert len(train) == 2 * 2 * 2  # videos, sentences, starts 0 and 5
    sample = pseudo_collate([train[0]])['data_samples'][0]
    assert sample.texts == ['the red one']
    assert sample.gt.masks.any()

    valid = build_dataset(tree, 'val_dataloader', my_videos)
    metric = RefYoutubeVOSMetric()
    for entry in valid:
        metric.process(None, [perfect(entry['data_samples'])])
    assert metric.evaluate(len(valid))['ytvos/J&F'] == pytest.approx(100)

    (my_videos / 'valid.json').write_text(
        '[{"video": "../aaa", "frames": ["000"], "sentences": []}]')
    with pytest.raises(ValueError, match=r'\.\./aaa'):
        build_dataset(tree, 'val_dataloader', my_videos)


def perfect(sample: RVOSDataSample, shift: int = 0) -> dict:
    """A data sample whose predictions are the ground truth, moved right."""
    masks = [[
        mask_utils.encode(
            np.asfortranarray(
                np.roll(sample.mask_source.read(ids, t), shift,
                        axis=1).astype(np.uint8)))
        for t in range(len(sample.frame_names))
    ] for ids in sample.obj_ids]
    sample.pred = InstanceData(masks=masks)
    return sample.to_dict()


def test_backbone(tree):
    """Maps have the stated channels, and a leaf of two lines builds."""
    leaf = tree / 'configs/referformer/regnetx-400mf_ytvos.py'
    leaf.write_text(
        "_base_ = ['../_base_/models/referformer_r50.py', "
        "'../_base_/backbones/regnetx-400mf.py']\n"
        'model = _base_.regnetx_400mf\n')
    cfg = Config.fromfile(leaf).model
    backbone = MODELS.build(dict(cfg.backbone, init_cfg=None))
    backbone.eval()
    with torch.no_grad():
        maps = backbone(torch.zeros(1, 3, 64, 64))
    assert [m.shape[1] for m in maps] == list(cfg.backbone_channels)
    assert [64 // m.shape[-1] for m in maps] == [4, 8, 16, 32]


def test_metric(tree, modules, my_videos):
    valid = build_dataset(tree, 'val_dataloader', my_videos)
    metric = METRICS.build(dict(type='CentreDistance'))
    metric.process(None, [perfect(valid[0]['data_samples'], shift=2)])
    numbers = metric.evaluate(1)
    # both targets stay inside the frame, so each centre moves two pixels
    height, width = valid[0]['data_samples'].ori_shape
    assert numbers['centre/distance'] == pytest.approx(
        200 / np.hypot(height, width), rel=0.3)


def test_propagator(modules):
    """A textured square that moves right is followed both ways."""
    propagator = TASK_UTILS.build(
        dict(type='FlowPropagator', key_frame='middle'))
    texture = torch.rand(20, 20, generator=torch.Generator().manual_seed(0))
    frames = torch.zeros(5, 3, 48, 64)
    truth = torch.zeros(5, 48, 64, dtype=torch.bool)
    for t in range(5):
        frames[t, :, 14:34, 10 + 2 * t:30 + 2 * t] = 1 + texture
        truth[t, 14:34, 10 + 2 * t:30 + 2 * t] = True
    found = {
        t: masks[0]
        for t, _, masks in propagator.propagate(frames, truth[2:3], [2], (48,
                                                                         64))
    }
    assert sorted(found) == [0, 1, 3, 4]
    for t, mask in found.items():
        overlap = (mask & truth[t]).sum() / (mask | truth[t]).sum()
        assert overlap > 0.75, t

"""Ground truth as prediction: data set, config and metric must agree on 100
percent, and on less when something is missing."""
import numpy as np
import pycocotools.mask as mask_utils
import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData

from . import miniature
from .test_benchmarks import REPO, build, converter


def encode(mask: np.ndarray) -> dict:
    return mask_utils.encode(np.asfortranarray(mask, dtype=np.uint8))


def truth(sample, missing: int) -> InstanceData:
    """Perfect masks, but empty ones for the first ``missing`` expressions."""
    shape = tuple(sample.ori_shape)
    only = sample.get('valid_index')
    frames = range(len(sample.frame_names)) if only is None else [only]
    masks = []
    for e, obj_ids in enumerate(sample.obj_ids):
        found = [sample.mask_source.read(obj_ids, t) for t in frames]
        assert all(m.shape == shape for m in found)
        masks.append(
            [encode(m & (e >= missing)) for m in found])
    # two candidates where candidates are ranked: the truth, and nothing
    empty = encode(np.zeros(shape, dtype=bool))
    count = len(masks)
    return InstanceData(
        masks=masks,
        scores=torch.ones(count),
        query_masks=[[m[0], empty] for m in masks],
        query_scores=torch.tensor([[0.9, 0.1]] * count))


@pytest.mark.parametrize('config, loader, make, numbers', [
    ('ref_youtube_vos', 'val',
     lambda p: miniature.ref_youtube_vos(p, split='valid'), ['J&F', 'J', 'F']),
    ('mevis', 'val', lambda p: miniature.mevis(p, 'valid_u'), ['J&F']),
    ('revos', 'val', miniature.revos, ['J&F']),
    ('ref_sav', 'test', miniature.ref_sav, ['J&F']),
    ('long_rvos', 'val', miniature.long_rvos, ['J&F', 'tIoU', 'vIoU']),
    ('yourvos', 'test', miniature.yourvos, ['J&F', 'tIoU']),
    ('a2d_sentences', 'val', miniature.a2d, ['mAP', 'oIoU', 'P@0.9']),
    ('jhmdb_sentences', 'test', miniature.jhmdb, ['mAP', 'mIoU']),
    ('refcoco', 'val', miniature.refcoco, ['P@0.5', 'oIoU', 'box_P@0.5']),
    ('ref_davis17', 'val', miniature.davis, ['J&F', 'J', 'F']),
])
def test_ground_truth_scores_100(tmp_path, config, loader, make, numbers):
    root = make(tmp_path)
    if config == 'a2d_sentences':
        converter(config)(root, root)
    if config == 'refcoco':
        converter(config)(root, ['refcoco'])
    if config == 'ref_davis17':
        converter(config)(root, root, ['valid'], link=True)
    cfg = Config.fromfile(REPO / f'configs/_base_/datasets/{config}.py')
    dataset = build(config, f'{loader}_dataloader', root)
    for missing in (0, 1):
        evaluator = Evaluator(dict(cfg[f'{loader}_evaluator']))
        for i in range(len(dataset)):
            sample = dataset[i]['data_samples']
            sample.pred = truth(sample, missing)
            evaluator.process([sample])
        result = {  # the totals; splits have a third part
            key.split('/')[1]: value
            for key, value in evaluator.evaluate(len(dataset)).items()
            if key.count('/') == 1
        }
        for name in numbers:
            if missing:
                assert result[name] < 99, name
            else:
                assert result[name] == pytest.approx(100), name

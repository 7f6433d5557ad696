"""A tiny ReferFormer and tiny batches."""
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.structures import InstanceData

from mmrvos.registry import MODELS
from mmrvos.structures import RVOSDataSample

CONFIGS = Path(__file__).parents[2] / 'configs'


def several_queries(cfg: Config, num: int = 3) -> Config:
    """A model's config with queries to choose among; the tiny ones have one,
    but for MTTR's ten."""
    for part in ('decoder', 'cluster'):
        if cfg.get(part):
            cfg[part].num_queries = num
    return cfg


def tiny_cfg(**changes) -> Config:
    """The tiny model's config; dotted keys (``a__b=c``) change it."""
    cfg = Config.fromfile(CONFIGS / '_base_/models/referformer_tiny.py')
    several_queries(cfg.model)
    cfg.model.word_head = None  # for a stage of its own, see test_motion.py
    cfg.merge_from_dict(
        {f"model.{k.replace('__', '.')}": v for k, v in changes.items()})
    return cfg.model


def tiny_model(seed: int = 0, **changes) -> torch.nn.Module:
    """Random weights, with box heads that do not start at zero."""
    torch.manual_seed(seed)
    model = MODELS.build(tiny_cfg(**changes))
    for branch in model.head.box_branches:
        torch.nn.init.normal_(branch.layers[-1].weight, std=0.1)
    return model.eval()


def make_sample(shape, num_frames: int, texts: list[str],
                **meta) -> RVOSDataSample:
    """A sample with one rectangle as the target of every expression."""
    height, width = shape
    masks = torch.zeros(len(texts), num_frames, height, width).bool()
    masks[:, :, 4:20, 8:32] = True
    box = torch.tensor([20 / width, 12 / height, 24 / width, 16 / height])
    sample = RVOSDataSample(
        metainfo=dict(
            video_id='video',
            texts=texts,
            img_shape=shape,
            ori_shape=(height * 2, width * 2),
            frame_names=[str(t) for t in range(num_frames)],
            **meta))
    sample.gt = InstanceData(
        masks=masks,
        boxes=box.expand(len(texts), num_frames, 4).clone(),
        valid=torch.ones(len(texts), num_frames).bool(),
        labels=torch.zeros(len(texts)).long())
    return sample


def add_objects(batch: dict) -> dict:
    """Add two objects per clip: the target of all sentences, and a smaller
    one."""
    for sample in batch['data_samples']:
        target = sample.gt.masks[0]
        other = torch.zeros_like(target)
        other[:, 30:40, 40:60] = True
        sample.set_metainfo(dict(obj_ids=[['1']] * len(sample.texts)))
        sample.objects = InstanceData(
            masks=torch.stack([target, other]), obj_ids=['1', '2'])
    return batch


def make_batch(shapes=((64, 96), ),
               num_frames: int = 2,
               texts=('the red square', ),
               seed: int = 0) -> dict:
    """A batch as the dataloader gives it."""
    generator = torch.Generator().manual_seed(seed)
    return dict(
        inputs=[
            torch.randint(
                0, 256, (num_frames, 3, *shape), generator=generator).byte()
            for shape in shapes
        ],
        data_samples=[
            make_sample(shape, num_frames, list(texts)) for shape in shapes
        ])

"""Build models and inputs for which nothing has to be downloaded."""
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from mmrvos.models import BaseRVOSSegmentor
from mmrvos.registry import MODELS
from mmrvos.structures import RVOSDataSample
from mmrvos.utils import (
    load_config,
    load_weights,
    read_checkpoint,
    without_downloads,
)

SENTENCE = 'the small dog that runs to the left'


def build_model(config: str,
                options: Mapping[str, Any] | None = None,
                checkpoint: str | None = None,
                device: str = 'cpu') -> BaseRVOSSegmentor:
    """Build the model of a config for testing.

    A pretrained text encoder becomes a random one of RoBERTa-base's size,
    with a tokenizer of whole words.

    Args:
        config: path of the config file.
        options: dotted key to value, as ``--cfg-options`` gives them.
        checkpoint: path of the weights; None for random weights.
        device: where the model is put.
    """
    cfg = load_config(config, options)
    init_default_scope('mmrvos')
    without_downloads(cfg.model, SENTENCE.split())
    model = MODELS.build(cfg.model)
    if checkpoint is not None:
        load_weights(
            model,
            read_checkpoint(checkpoint)['state_dict'],
            source=checkpoint)
    return model.to(device).eval()


def make_sample(num_sentences: int, size: Sequence[int],
                ori_size: Sequence[int]) -> RVOSDataSample:
    """Make the data sample of a test video.

    Args:
        size: (height, width) of the network's frames.
        ori_size: (height, width) of the masks.
    """
    return RVOSDataSample(
        metainfo=dict(
            video_id='synthetic',
            texts=[SENTENCE] * num_sentences,
            img_shape=tuple(size),
            ori_shape=tuple(ori_size)))


def make_frames(num_frames: int, size: Sequence[int]) -> torch.Tensor:
    """Make (T, 3, H, W) uint8 noise."""
    return torch.randint(0, 256, (num_frames, 3, *size), dtype=torch.uint8)


def make_clip(num_frames: int, size: Sequence[int],
              num_sentences: int) -> tuple[torch.Tensor, RVOSDataSample]:
    """Make a training clip: noise with two rectangles as objects.

    All sentences refer to the first rectangle, a sixteenth of the frame.
    Methods that are trained on all objects use the second one as well.
    """
    height, width = size
    masks = torch.zeros(num_sentences, num_frames, height, width).bool()
    masks[..., :height // 4, :width // 4] = True
    sample = make_sample(num_sentences, size, size)
    sample.set_metainfo(dict(obj_ids=[['1']] * num_sentences))
    box = torch.tensor([0.125, 0.125, 0.25, 0.25])
    sample.gt = InstanceData(
        masks=masks,
        boxes=box.repeat(num_sentences, num_frames, 1),
        valid=torch.ones(num_sentences, num_frames).bool(),
        labels=torch.zeros(num_sentences).long())
    sample.objects = InstanceData(
        masks=torch.stack((masks[0], masks[0].flip(-1))), obj_ids=['1', '2'])
    return make_frames(num_frames, size), sample


def write_frames(folder: Path, num_frames: int, size: Sequence[int]) -> None:
    """Write JPEG files of smooth noise, about as large as real frames."""
    height, width = size
    rng = np.random.default_rng(0)
    for index in range(num_frames):
        coarse = rng.integers(
            0, 256, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
        image = cv2.resize(
            coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f'{index:05d}.jpg'), image)

"""Models and samples with which nothing has to be downloaded."""
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.registry import init_default_scope

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
    """A config's model, ready to be tested.

    A text model that is given by name becomes one of RoBERTa-base's size with
    a tokenizer of whole words: same cost, nothing downloaded.

    Args:
        config: the config file.
        options: dotted key to value, as of ``--cfg-options``.
        checkpoint: weights; None for random ones.
        device: where it goes.
    """
    cfg = load_config(config, options)
    init_default_scope('mmrvos')
    without_downloads(cfg.model, sorted(set(SENTENCE.split())))
    model = MODELS.build(cfg.model)
    if checkpoint is not None:
        load_weights(
            model,
            read_checkpoint(checkpoint)['state_dict'],
            source=checkpoint)
    return model.to(device).eval().requires_grad_(False)


def made_up_sample(num_sentences: int, size: tuple[int, int],
                   ori_size: tuple[int, int]) -> RVOSDataSample:
    """What a video's data sample says before testing.

    Args:
        size, ori_size: (height, width) of the network's frames and of the
            masks.
    """
    return RVOSDataSample(
        metainfo=dict(
            video_id='made up',
            texts=[SENTENCE] * num_sentences,
            img_shape=tuple(size),
            ori_shape=tuple(ori_size)))


def made_up_frames(num_frames: int, size: tuple[int, int]) -> torch.Tensor:
    """(T, 3, H, W) uint8 noise."""
    return torch.randint(0, 256, (num_frames, 3, *size), dtype=torch.uint8)

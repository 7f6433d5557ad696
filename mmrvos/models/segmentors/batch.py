"""Tensors of a batch, from its inputs and data samples."""
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmrvos.structures import RVOSDataSample

from ..features import Targets


def stack_clips(inputs: Sequence[Tensor]) -> Tensor:
    """Stack B clips (T, 3, H, W) to (B, T, 3, H, W).

    Raises:
        ValueError: clips differ in their number of frames.
    """
    lengths = [len(clip) for clip in inputs]
    if len(set(lengths)) > 1:
        raise ValueError('the clips of a batch need the same number of '
                         f'frames, got {lengths}: set num_frames in the '
                         'pipeline, or batch_size=1')
    return torch.stack(list(inputs))


def image_sizes(data_samples: Sequence[RVOSDataSample]) -> Tensor:
    """Return (height, width) of each clip without padding, (B, 2) float.

    The tensor is on the CPU: Python code reads it.
    """
    return torch.tensor([s.img_shape[:2] for s in data_samples]).float()


def valid_indices(data_samples: Sequence[RVOSDataSample],
                  like: Tensor) -> Tensor | None:
    """Return the position of each clip's only annotated frame, (B,) long.

    None for clips that are annotated in all frames.
    """
    if data_samples[0].get('valid_index') is None:
        return None
    return torch.tensor([s.valid_index for s in data_samples],
                        device=like.device)


def video_index(data_samples: Sequence[RVOSDataSample]) -> Tensor:
    """Return the video of each (video, expression) pair, (P,) long, on the
    CPU."""
    counts = torch.tensor([len(s.texts) for s in data_samples])
    return torch.arange(len(counts)).repeat_interleave(counts)


def collect_targets(data_samples: Sequence[RVOSDataSample],
                    like: Tensor) -> Targets:
    """Collect the targets of a batch; masks are padded to the size of
    ``like``."""
    height, width = like.shape[-2:]
    masks, boxes, valid, others = [], [], [], []

    def pad(mask: Tensor) -> Tensor:
        return F.pad(mask, (0, width - mask.shape[-1], 0,
                            height - mask.shape[-2]))

    for sample in data_samples:
        # with a valid_index the model decodes only that frame
        index = sample.get('valid_index')
        frames = slice(None) if index is None else [index]
        masks.append(pad(sample.gt.masks[:, frames]))
        if 'objects' in sample:
            objects = pad(sample.objects.masks[:, frames])
            others += [
                objects[[name not in own for name in sample.objects.obj_ids]]
                for own in sample.obj_ids
            ]
        boxes.append(sample.gt.boxes[:, frames])
        valid.append(sample.gt.valid[:, frames])
    return Targets(
        masks=torch.cat(masks),
        boxes=torch.cat(boxes),
        valid=torch.cat(valid),
        labels=torch.cat([sample.gt.labels for sample in data_samples]),
        others=others or None)

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.structures import InstanceData

from mmrvos.registry import TRANSFORMS
from mmrvos.structures import RVOSDataSample

from ..entries import OPTIONAL_KEYS, entry_meta
from ..mask_sources import ClipMasks


def channels_first(frames: np.ndarray) -> np.ndarray:
    """(T, H, W, 3) to (T, 3, H, W), several times faster than a transpose."""
    frames = np.ascontiguousarray(frames)
    out = np.empty((len(frames), 3, *frames.shape[1:3]), dtype=np.uint8)
    for frame, planes in zip(frames, out, strict=True):
        for channel, plane in enumerate(planes):
            cv2.extractChannel(frame, channel, dst=plane)
    return out


@TRANSFORMS.register_module()
class PackRVOSInputs(BaseTransform):
    """The end of every pipeline.

    Returns:
        dict: ``inputs``, (T, 3, h, w) uint8 RGB tensor; ``data_samples``, an
        :class:`RVOSDataSample` with its ``gt`` where masks were loaded, and
        its ``objects`` where those of all objects were.

    Annotated boxes (RefCOCO) go into the meta information as ``gt_boxes``, x1
    y1 x2 y2 in pixels of the original.

    Args:
        keep_masks: carry the ``mask_source`` in the meta information, for the
            metrics; test pipelines. Its frames are those of the clip.
        meta_keys: further entries of the data set to keep where present.
    """

    def __init__(self,
                 keep_masks: bool = False,
                 meta_keys: Sequence[str] = OPTIONAL_KEYS) -> None:
        self.keep_masks = keep_masks
        self.meta_keys = tuple(meta_keys)

    def pack_targets(self, results: dict) -> InstanceData:
        height, width = results['img_shape']
        x1, y1, x2, y2 = np.moveaxis(results['boxes'], -1, 0)
        boxes = np.stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1],
                         axis=-1)
        boxes /= np.array([width, height] * 2, dtype=np.float32)
        # a flip moves the zero box of an absent object off zero
        boxes[~results['valid']] = 0
        num = len(results['expressions'])  # rows of objects may follow
        return InstanceData(
            masks=torch.from_numpy(
                np.ascontiguousarray(results['masks'][:num])),
            boxes=torch.from_numpy(boxes[:num]),
            valid=torch.from_numpy(results['valid'][:num]),
            labels=torch.tensor([e['label'] for e in results['expressions']]))

    def transform(self, results: dict) -> dict:
        frames = channels_first(results['frames'])
        expressions, inds = results['expressions'], results['frame_inds']
        meta = entry_meta(results, inds, self.meta_keys) | dict(
            img_paths=[results['img_paths'][i] for i in inds],
            ori_shape=tuple(results['ori_shape']),
            img_shape=tuple(results['img_shape']))
        if self.keep_masks:
            source = results['mask_source']
            meta['mask_source'] = (
                None if source is None else ClipMasks(source, inds.tolist()))
        sample = RVOSDataSample(metainfo=meta)
        if 'masks' in results:
            sample.gt = self.pack_targets(results)
        if 'objects' in results:
            masks = results['masks'][len(expressions):]
            sample.objects = InstanceData(
                masks=torch.from_numpy(np.ascontiguousarray(masks)),
                obj_ids=results['objects'])
        return dict(inputs=torch.from_numpy(frames), data_samples=sample)

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(keep_masks={self.keep_masks}, '
                f'meta_keys={self.meta_keys})')

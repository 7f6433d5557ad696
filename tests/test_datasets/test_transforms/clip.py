"""A clip as the loading transforms hand it on."""
import numpy as np

from mmrvos.datasets.transforms.loading import masks_to_boxes

from .. import miniature


def make_clip(num_frames: int = 4, texts: tuple[str, ...] = ('the red one',
                                                             'the blue one'),
              size: int = 1) -> dict:
    """Object 1 and 2 of the miniature video; object 2 comes in frame 2.

    Args:
        size: enlarges the frames.
    """
    maps = miniature.label_maps(num_frames)
    maps = maps.repeat(size, axis=1).repeat(size, axis=2)
    masks = np.stack([maps == e + 1 for e in range(len(texts))])
    boxes, valid = masks_to_boxes(masks)
    names = [f'{t:05d}' for t in range(num_frames)]
    return dict(
        video_id='v',
        frame_names=names,
        img_paths=[f'{n}.jpg' for n in names],
        frame_inds=np.arange(num_frames),
        key_frame=0,
        frames=miniature.pictures(maps),
        masks=masks,
        boxes=boxes,
        valid=valid,
        ori_shape=maps.shape[1:],
        img_shape=maps.shape[1:],
        expressions=[
            dict(
                exp_id=str(e),
                text=text,
                obj_ids=[str(e + 1)],
                type_id=None,
                length=None,
                label=0) for e, text in enumerate(texts)
        ])


def shown(clip: dict) -> np.ndarray:
    """(E, T, H, W) masks of the objects as the frames show them."""
    frames = clip['frames'].astype(int)
    red = frames[..., 0] - frames[..., 2] > 90
    blue = frames[..., 2] - frames[..., 0] > 90
    return np.stack([red, blue])

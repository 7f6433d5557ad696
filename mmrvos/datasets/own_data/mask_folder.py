from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmrvos.utils import read_pixels


class MaskFolder:
    """Label maps of a video in a folder of PNGs.

    Args:
        root: the folder.
        names: of the frames.
    """

    def __init__(self, root: Path, names: Sequence[str]) -> None:
        self.paths = [root / f'{name}.png' for name in names]
        for path, name in zip(self.paths, names, strict=True):
            if not path.exists():
                raise FileNotFoundError(
                    f'{path} is missing: frame {name} has no mask. '
                    '--annotated-only leaves out frames without a mask')
        self.binary = False

    def check_objects(self, video: str, expressions: Sequence[dict]) -> None:
        """Read all masks, and check that they show the objects of sentences.

        Raises:
            ValueError: an object is in no mask, or a file is no label map.
        """
        ids: set[int] = set()
        for path in self.paths:
            ids.update(np.unique(read_labels(path)).tolist())
        self.binary = ids <= {0, 255}
        ids = {1} if self.binary else ids - {0}
        for expression in expressions:
            for obj_id in expression['obj_id']:
                if int(obj_id) not in ids:
                    raise ValueError(
                        f'video {video}: {expression["exp"]!r} names object '
                        f'{obj_id}, but its masks hold {sorted(ids)}')

    def label_map(self, frame: int) -> tuple[np.ndarray, int]:
        """As :meth:`ExportedVideo.label_map`; masks do not overlap."""
        labels = read_labels(self.paths[frame])
        return ((labels > 0).astype(np.uint8) if self.binary else labels), 0


def read_labels(path: Path) -> np.ndarray:
    """Read a label map, (H, W) uint8.

    Raises:
        ValueError: the file is no palette, grey or binary PNG.
    """
    mask = read_pixels(path)
    if mask.ndim != 2 or mask.dtype not in (np.uint8, bool):
        raise ValueError(
            f'{path} is {mask.shape} {mask.dtype}, expected a palette, grey '
            'or binary PNG whose values are object ids')
    return mask.astype(np.uint8)

"""Frames of a video that wait for their masks."""
import math
import tempfile
from collections import defaultdict

import numpy as np


class ImageStore:
    """Images in a temporary file, so that memory does not grow with a video.

    The file takes the bytes of the images that wait, in the folder of
    :mod:`tempfile` (``TMPDIR``). It is deleted with this object.
    """

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile()  # noqa: SIM115
        # places of images that were taken, by number of bytes
        self.free: dict[int, list[int]] = defaultdict(list)

    def write(self, image: np.ndarray) -> tuple[int, tuple[int, ...]]:
        """Store an image, uint8.

        Returns:
            Its place and shape, for :meth:`take`.
        """
        free = self.free[image.nbytes]
        place = self.file.seek(free.pop()) if free else self.file.seek(0, 2)
        self.file.write(np.ascontiguousarray(image).data)
        return place, image.shape

    def take(self, place: int, shape: tuple[int, ...]) -> np.ndarray:
        """Return an image that was stored, and give its place free."""
        size = math.prod(shape)
        self.file.seek(place)
        content = bytearray(self.file.read(size))
        self.free[size].append(place)
        return np.frombuffer(content, np.uint8).reshape(shape)

"""Frames of a video that wait for their masks."""
import math
import tempfile

import numpy as np


class ImageStore:
    """Images in a temporary file, so that memory does not grow with a video.

    The file takes the bytes of the images in the folder of :mod:`tempfile`
    (``TMPDIR``), and is deleted with this object.
    """

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile()  # noqa: SIM115

    def write(self, image: np.ndarray) -> tuple[int, tuple[int, ...]]:
        """Store an image, uint8.

        Returns:
            Its place and shape, for :meth:`read`.
        """
        place = self.file.seek(0, 2)
        self.file.write(np.ascontiguousarray(image).data)
        return place, image.shape

    def read(self, place: int, shape: tuple[int, ...]) -> np.ndarray:
        """Return an image that was stored."""
        self.file.seek(place)
        content = bytearray(self.file.read(math.prod(shape)))
        return np.frombuffer(content, np.uint8).reshape(shape)

"""Frames of a video in a temporary file."""
import tempfile
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


class FrameStore(Sequence):
    """Normalised frames of a video in a temporary file, as bytes.

    Memory does not grow with the video. A frame is normalised again when it
    is read, with equal values. A frame with values that no byte stands for
    is stored as it is, in float32.

    The file takes h * w * 3 bytes per frame in the folder of
    :mod:`tempfile` (``TMPDIR``), and is deleted with this object.

    Args:
        mean, std: (3, 1, 1), those of the data preprocessor.
        shape: (h, w), the size without padding.
    """

    def __init__(self, mean: Tensor, std: Tensor,
                 shape: tuple[int, int]) -> None:
        self.mean = mean
        self.std = std
        self.shape = tuple(shape)
        self.file = tempfile.TemporaryFile()  # noqa: SIM115
        self.places: list[tuple[int, type]] = []  # offset and dtype

    def append(self, frames: Tensor) -> None:
        """Store frames.

        Args:
            frames: (t, 3, H, W), normalised, with or without padding.
        """
        height, width = self.shape
        for frame in frames[..., :height, :width]:
            frame = frame.float()
            pixels = (frame * self.std + self.mean).round().clamp(0, 255)
            if torch.equal(self.normalise(pixels), frame):
                frame = pixels.byte()
            array = frame.cpu().numpy()
            self.places.append(
                (self.file.seek(0, 2), array.dtype.type))
            self.file.write(np.ascontiguousarray(array).data)

    def normalise(self, pixels: Tensor) -> Tensor:
        return (pixels - self.mean) / self.std

    def __getitem__(self, index: int) -> Tensor:
        """Return a frame, (3, h, w) float on the device of ``mean``."""
        offset, dtype = self.places[index]
        self.file.seek(offset)
        size = 3 * self.shape[0] * self.shape[1] * np.dtype(dtype).itemsize
        array = np.frombuffer(bytearray(self.file.read(size)), dtype)
        frame = torch.from_numpy(array).view(3, *self.shape)
        frame = frame.to(self.mean.device).float()
        return self.normalise(frame) if dtype is np.uint8 else frame

    def __len__(self) -> int:
        return len(self.places)

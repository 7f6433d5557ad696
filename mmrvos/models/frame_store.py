"""Frames of a video in a temporary file."""
import tempfile
from collections import defaultdict, deque
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
    :mod:`tempfile` (``TMPDIR``), and is deleted with this object. The place
    of a frame that is not needed any more is used again.

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
        # of the frames from ``first`` on: offset and dtype
        self.places: deque[tuple[int, type]] = deque()
        self.first = 0
        self.free: dict[type, list[int]] = defaultdict(list)

    @property
    def device(self) -> torch.device:
        return self.mean.device

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
            dtype = array.dtype.type
            free = self.free[dtype]
            offset = self.file.seek(*(free.pop(), 0) if free else (0, 2))
            self.places.append((offset, dtype))
            self.file.write(np.ascontiguousarray(array).data)

    def forget(self, stop: int) -> None:
        """Remove the frames before ``stop``; their indices stay taken."""
        while self.places and self.first < stop:
            offset, dtype = self.places.popleft()
            self.free[dtype].append(offset)
            self.first += 1

    def normalise(self, pixels: Tensor) -> Tensor:
        return (pixels - self.mean) / self.std

    def __getitem__(self, index: int) -> Tensor:
        """Return a frame, (3, h, w) float on :attr:`device`.

        Raises:
            IndexError: the frame is not there, or not any more.
        """
        if not self.first <= index < len(self):
            raise IndexError(f'frame {index}: the store has the frames '
                             f'{self.first} to {len(self) - 1}')
        offset, dtype = self.places[index - self.first]
        self.file.seek(offset)
        size = 3 * self.shape[0] * self.shape[1] * np.dtype(dtype).itemsize
        array = np.frombuffer(bytearray(self.file.read(size)), dtype)
        frame = torch.from_numpy(array).view(3, *self.shape)
        frame = frame.to(self.device).float()
        return self.normalise(frame) if dtype is np.uint8 else frame

    def __len__(self) -> int:
        """Return the number of frames so far, with those removed."""
        return self.first + len(self.places)

from collections import deque

import torch
from torch import Tensor


class VideoMemory:
    """What SAM 2 keeps of the latest frames of P pairs.

    No frame is kept for longer than the others, and what no later frame reads
    is dropped. Memory is therefore bounded, with the numbers of the official
    code, which drops nothing.

    Args:
        num_pairs: P.
        num_maps: frames whose maps are kept.
        num_pointers: frames whose object pointers are kept.
    """

    def __init__(self, num_pairs: int, num_maps: int,
                 num_pointers: int) -> None:
        self.maps: deque[Tensor] = deque(maxlen=num_maps)  # oldest first
        self.pointers: deque[Tensor] = deque(
            maxlen=num_pointers)  # newest first
        self.num_pairs = num_pairs
        self.clear()

    def clear(self) -> None:
        """Forget all frames; the next one is the first of a video."""
        self.maps.clear()
        self.pointers.clear()
        self.frame = 0  # index of the next frame
        # frame of the last switch of each pair, on the CPU
        self.last_switch = torch.zeros(self.num_pairs).long()

    def store(self, maps: Tensor, pointers: Tensor) -> None:
        """Store a frame.

        Args:
            maps: (P, M, G, G).
            pointers: (P, C).
        """
        self.maps.append(maps)
        self.pointers.appendleft(pointers)
        self.frame += 1

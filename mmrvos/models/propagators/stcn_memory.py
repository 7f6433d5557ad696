import torch
import torch.nn.functional as F
from torch import Tensor


class MemoryBank:
    """Memory of STCN for the objects with the same key frame.

    Args:
        top_k: memory elements that are read per pixel.
        max_frames: largest number of frames; the oldest one after the key
            frame is removed. None for no limit.
    """

    def __init__(self, top_k: int = 20, max_frames: int | None = None) -> None:
        self.top_k = top_k
        self.max_frames = max_frames
        self.keys = self.values = None  # (N, 64), (N, K * 512)
        self.temporary = None

    def add(self, key: Tensor, value: Tensor, permanent: bool = True) -> None:
        """Add a frame and remove the temporary one.

        Args:
            key: (1, 64, h, w).
            value: (K, 512, h, w).
            permanent: False keeps the frame until the next one is added.
        """
        key = key[0].flatten(1).t()
        value = value.flatten(2).permute(2, 0, 1).flatten(1)
        if not permanent:
            self.temporary = key, value
            return
        self.temporary = None
        if self.keys is None:
            self.keys, self.values = key, value
            return
        size = len(key)  # of a frame
        rows = slice(None)
        if self.max_frames and len(self.keys) >= self.max_frames * size:
            # with max_frames=1 the new frame is removed
            rows = [*range(size), *range(2 * size, len(self.keys) + size)]
        self.keys = torch.cat([self.keys, key])[rows]
        self.values = torch.cat([self.values, value])[rows]

    def read(self, key: Tensor, num_objects: int) -> Tensor:
        """Read the values for the keys of a frame (STCN, section 3.2).

        Args:
            key: (1, 64, h, w).
            num_objects: K.

        Returns:
            (K, 512, h, w).
        """
        keys, values = self.keys, self.values
        if self.temporary is not None:
            keys = torch.cat([keys, self.temporary[0]])
            values = torch.cat([values, self.temporary[1]])
        weights, elements = top_affinity(
            similarity(key[0].flatten(1).t(), keys), self.top_k)
        readout = F.embedding_bag(
            elements, values, per_sample_weights=weights, mode='sum')
        return readout.t().reshape(num_objects, -1, *key.shape[2:])


def similarity(queries: Tensor, keys: Tensor) -> Tensor:
    """Compute the negative squared distance, up to a constant per query.

    Args:
        queries: (P, C).
        keys: (N, C).

    Returns:
        (P, N).
    """
    return torch.addmm(
        keys.square().sum(1), queries, keys.t(), beta=-1,
        alpha=2) / keys.shape[1]**0.5


def top_affinity(similarity: Tensor, top_k: int) -> tuple[Tensor, Tensor]:
    """Apply softmax to the top-k elements.

    Args:
        similarity: (P, N).

    Returns:
        Weights and indices of the min(top_k, N) elements, (P, k) each.
    """
    best = similarity.topk(min(top_k, similarity.shape[1]), dim=1)
    return best.values.softmax(1), best.indices

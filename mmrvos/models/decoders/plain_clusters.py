"""Cluster methods that SOC compares with its own (Table 5).

The paper names them, and there is no code. Details that it does not give are
the simplest choice. Each replaces :class:`VideoObjectCluster`.
"""
import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmrvos.registry import MODELS


@MODELS.register_module()
class AverageCluster(BaseModule):
    """Average each query over the frames."""

    def forward(self, queries: Tensor, sentence: Tensor) -> Tensor:
        """Aggregate queries (D, P, T, N, C) to (D, P, 1, N, C)."""
        return queries.mean(2, keepdim=True)


@MODELS.register_module()
class ConvCluster(BaseModule):
    """Convolve each query over three frames, then average over all frames.

    Args:
        embed_dims: C.
    """

    def __init__(self,
                 *,
                 embed_dims: int = 256,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.conv = nn.Sequential(
            nn.Conv1d(embed_dims, embed_dims, 3, padding=1), nn.ReLU())

    def forward(self, queries: Tensor, sentence: Tensor) -> Tensor:
        """Aggregate queries (D, P, T, N, C) to (D, P, 1, N, C)."""
        sequences = queries.permute(0, 1, 3, 4, 2)  # (D, P, N, C, T)
        video = self.conv(sequences.flatten(0, 2)).mean(-1)
        return video.view(*sequences.shape[:-1]).unsqueeze(2)


@MODELS.register_module()
class KMeansCluster(BaseModule):
    """Lloyd's k-means over the T*N queries of all frames, into N groups.

    Centres are initialised with the mean of each query over the frames, so
    the result is deterministic. A group without members keeps its centre.

    Args:
        iterations: number of assignments and averages. Gradients flow
            through the averages of the last iteration.
    """

    def __init__(self,
                 *,
                 iterations: int = 10,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.iterations = iterations

    def forward(self, queries: Tensor, sentence: Tensor) -> Tensor:
        """Aggregate queries (D, P, T, N, C) to (D, P, 1, N, C)."""
        tokens = queries.flatten(2, 3)  # (D, P, T*N, C)
        centres = queries.mean(2)
        for _ in range(self.iterations):
            centres = centres.detach()
            with torch.no_grad():
                nearest = torch.cdist(tokens, centres).argmin(-1)
            members = nn.functional.one_hot(
                nearest, centres.shape[2]).to(tokens)  # (D, P, T*N, N)
            count = members.sum(2)[..., None]
            means = members.mT @ tokens / count.clamp(min=1)
            centres = torch.where(count > 0, means, centres)
        return centres.unsqueeze(2)

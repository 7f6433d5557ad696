from collections.abc import Sequence

import torch
from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn

from mmrvos.registry import MODELS

from ..checkpointing import Checkpointed


class TemporalMixerLayer(BaseModule):
    """Mix every pixel with its neighbours in time and space.

    Layer norm, a depthwise convolution over time, a depthwise 3x3
    convolution, and a two-layer perceptron. The last weight starts at zero,
    so a new layer is the identity.

    Args:
        embed_dims: C.
        kernel_size: frames seen by the temporal convolution, odd.
        hidden_channels: width of the perceptron.
    """

    def __init__(self, embed_dims: int, kernel_size: int,
                 hidden_channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(embed_dims)
        # (T, h*w) is the image of this convolution
        self.time = nn.Conv2d(
            embed_dims, embed_dims, (kernel_size, 1), groups=embed_dims)
        self.space = nn.Conv2d(
            embed_dims, embed_dims, 3, padding=1, groups=embed_dims)
        self.hidden = nn.Linear(embed_dims, hidden_channels)
        self.activate = nn.GELU()
        self.out = nn.Linear(hidden_channels, embed_dims)

    def init_weights(self) -> None:
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor, num_frames: int,
                padding: Tensor | None) -> Tensor:
        """Return the map plus its mixture.

        Args:
            x: (B*T, C, h, w).
            num_frames: T.
            padding: (B, h, w) bool, True where padded, or None.
        """
        height, width = x.shape[-2:]
        # Channels stay last in memory: depthwise convolutions are several
        # times as fast that way on a CPU.
        y = self.norm(x.permute(0, 2, 3, 1))  # (B*T, h, w, C)
        y = y.unflatten(0, (-1, num_frames)).flatten(2, 3)  # (B, T, h*w, C)
        # Repeat the first and the last frame, so that an object at rest
        # looks at rest at the ends of the clip as well.
        ends = self.time.kernel_size[0] // 2
        y = torch.cat(
            [y[:, :1].expand(-1, ends, -1, -1), y,
             y[:, -1:].expand(-1, ends, -1, -1)], dim=1)
        y = self.time(y.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        y = y.unflatten(2, (height, width)).permute(0, 1, 4, 2, 3)
        if padding is not None:
            # as beyond the border of an image without padding
            y = y.masked_fill(padding[:, None, None], 0)
        y = self.space(y.flatten(0, 1))
        y = self.out(self.activate(self.hidden(y.permute(0, 2, 3, 1))))
        return x + y.permute(0, 3, 1, 2)


@MODELS.register_module()
class TemporalMixer(Checkpointed, BaseModule):
    """Let the projected maps of a clip see neighbouring frames.

    This part is ours and belongs to no paper. It runs after the
    projections and before the fusion with language, so all sentences of a
    video share it. A new mixer is the identity: a checkpoint trained without
    one keeps its outputs.

    The kernel counts frames, not seconds: train and test at the same frame
    step.

    Args:
        embed_dims: C of the maps.
        levels: indices of the levels that are mixed; 0 has stride 8.
        num_layers: layers per level.
        kernel_size: frames seen by a layer, odd.
        hidden_channels: width of the perceptrons; None is 2 C.

    Raises:
        ValueError: an even ``kernel_size``, or no level.
    """

    def __init__(self,
                 *,
                 embed_dims: int = 256,
                 levels: Sequence[int] = (0, 1),
                 num_layers: int = 2,
                 kernel_size: int = 5,
                 hidden_channels: int | None = None,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        if kernel_size % 2 == 0:
            raise ValueError('TemporalMixer needs an odd kernel_size, got '
                             f'{kernel_size}')
        if not levels:
            raise ValueError('TemporalMixer needs at least one level')
        self.levels = tuple(levels)
        self.layers = ModuleList(
            ModuleList(
                TemporalMixerLayer(embed_dims, kernel_size, hidden_channels
                                   or 2 * embed_dims)
                for _ in range(num_layers)) for _ in self.levels)

    def forward(self, levels: Sequence[Tensor], num_frames: int,
                padding: Sequence[Tensor] | None = None
                ) -> tuple[Tensor, ...]:
        """Mix some of the levels and pass the others on.

        Args:
            levels: (B*T, C, h_i, w_i) each.
            num_frames: T.
            padding: (B, h_i, w_i) bool each, True where padded; or None.

        Returns:
            The levels, same shapes.

        Raises:
            ValueError: a level of this mixer does not exist.
        """
        if max(self.levels) >= len(levels):
            raise ValueError(
                f'TemporalMixer mixes levels {self.levels}, but the model '
                f'has {len(levels)}: change temporal.levels')
        mixed = list(levels)
        for index, layers in zip(self.levels, self.layers, strict=True):
            for layer in layers:
                mixed[index] = self.recomputed(
                    layer, mixed[index], num_frames,
                    None if padding is None else padding[index])
        return tuple(mixed)

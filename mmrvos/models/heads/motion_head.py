import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmrvos.registry import MODELS

from ..losses import cell_targets

# what is regressed, in this order, and by how much it is scaled
MOTION = dict(
    velocity_x=8.,
    velocity_y=8.,
    displacement_x=2.,
    displacement_y=2.,
    extent_x=2.,
    extent_y=2.,
    path=2.,
    speed=8.)


@MODELS.register_module()
class MotionHead(BaseModule):
    """Training only: regress how the object under each pixel moves.

    This head is ours and belongs to no paper. It reads a map without
    language, so it needs masks and no sentences. It teaches the layers below
    it (:class:`TemporalMixer`) to carry motion.

    Args:
        in_channels: C of the map.
        stride: of the map.
        hidden_channels: width of the perceptron.
        beta: where smooth L1 changes from quadratic to linear.
        loss_weight: of the loss.
    """

    def __init__(self,
                 *,
                 in_channels: int,
                 stride: int = 8,
                 hidden_channels: int = 64,
                 beta: float = 0.3,
                 loss_weight: float = 1.,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.stride = stride
        self.beta = beta
        self.loss_weight = loss_weight
        self.layers = nn.Sequential(
            nn.LayerNorm(in_channels), nn.Linear(in_channels,
                                                 hidden_channels), nn.GELU(),
            nn.Linear(hidden_channels, len(MOTION)))

    def forward(self, x: Tensor) -> Tensor:
        """Predict the motion at every pixel.

        Args:
            x: (B*T, C, h, w).

        Returns:
            (B*T, h, w, 8), the values of ``MOTION``, scaled.
        """
        return self.layers(x.permute(0, 2, 3, 1)).float()

    def loss(self, x: Tensor, objects: list[Tensor],
             image_sizes: Tensor) -> dict[str, Tensor]:
        """Smooth L1 loss, mean over the objects' pixels.

        Args:
            x: (B*T, C, h, w).
            objects: (n, T, H, W) bool of each of the B clips, its annotated
                objects, at the padded size of the batch.
            image_sizes: (B, 2), (height, width) without padding.

        Raises:
            ValueError: the map has another stride.
        """
        predicted = self(x).unflatten(0, (len(objects), -1))
        total, weight = predicted.sum() * 0, 0.
        heights = image_sizes[:, 0] / self.stride
        for motion, masks, height in zip(
                predicted, objects, heights, strict=True):
            share = cell_targets(masks, self.stride, x)
            goals = motion_targets(share, height)
            # Every pixel is compared with each object and counts by the
            # object's share of it: (n, T, h, w, 8).
            error = F.smooth_l1_loss(
                motion.expand(len(goals), -1, -1, -1, -1),
                goals[:, :, None, None].expand(-1, -1, *share.shape[2:], -1),
                reduction='none',
                beta=self.beta).mean(-1)
            total = total + (error * share).sum()
            weight = weight + share.sum()
        weight = torch.as_tensor(weight, device=x.device).clamp(min=1)
        return dict(loss_motion=self.loss_weight * total / weight)


def motion_targets(share: Tensor, height: Tensor) -> Tensor:
    """Measure how objects move, from the centres of their visible masks.

    Lengths are in heights of the frame without padding, velocities and speeds
    per frame of the clip. Velocity in a frame is the central difference of
    the neighbouring visible frames, one-sided at the ends of a visible
    stretch. Displacement, extent, path length and mean speed are those of the
    whole clip.

    Args:
        share: (n, T, h, w) float, the share of each cell that an object
            covers.
        height: () float, of the frame without padding, in cells.

    Returns:
        (n, T, 8), scaled as in ``MOTION``; values of frames that do not show
        the object mean nothing, they have no pixels.
    """
    ys, xs = ((torch.arange(cells, device=share.device) + 0.5) / height
              for cells in share.shape[-2:])
    area = share.sum((-2, -1))  # (n, T)
    centres = torch.stack(
        [(share.sum(-2) * xs).sum(-1), (share.sum(-1) * ys).sum(-1)],
        dim=-1) / area.clamp(min=1e-6)[..., None]
    rows = [
        motion_of_track(track, seen)
        for track, seen in zip(centres, area > 0, strict=True)
    ]
    scale = share.new_tensor(list(MOTION.values()))
    if not rows:
        return share.new_zeros(0, share.shape[1], len(MOTION))
    return torch.stack(rows) * scale


def motion_of_track(centres: Tensor, seen: Tensor) -> Tensor:
    """:func:`motion_targets` of one object, before scaling.

    Args:
        centres: (T, 2), (x, y).
        seen: (T,) bool.

    Returns:
        (T, 8).
    """
    frames = seen.nonzero()[:, 0]
    values = centres.new_zeros(len(centres), len(MOTION))
    if len(frames) < 2:
        return values
    track = centres[frames]
    steps = track.diff(dim=0) / frames.diff()[:, None]
    before = torch.cat([steps[:1], steps])
    after = torch.cat([steps, steps[-1:]])
    values[frames, :2] = (before + after) / 2
    path = track.diff(dim=0).norm(dim=-1).sum()
    clip = torch.cat([
        track[-1] - track[0],
        track.amax(0) - track.amin(0),
        torch.stack([path, path / (frames[-1] - frames[0])])
    ])
    values[:, 2:] = clip
    return values

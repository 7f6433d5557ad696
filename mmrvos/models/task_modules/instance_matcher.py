from collections.abc import Sequence

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from mmrvos.registry import TASK_UTILS

from ..layers import upsample


@TASK_UTILS.register_module()
class InstanceMatcher:
    """Match the objects of a clip with query sequences.

    The Hungarian algorithm finds one assignment for all frames, of lowest
    total cost; costs are means over frames (MTTR, section 3.5).

    Args:
        referred_weight: weight of the probability of the correct label:
            "referred" for the referred object in frames that show it, "not
            referred" else.
        dice_weight: of dice at full size.
    """

    def __init__(self,
                 *,
                 referred_weight: float = 2.,
                 dice_weight: float = 5.) -> None:
        self.referred_weight = referred_weight
        self.dice_weight = dice_weight

    @torch.no_grad()
    def cost(self, logits: Tensor, masks: Tensor, objects: Tensor,
             valid: Tensor) -> Tensor:
        """Compute the cost of every query sequence for every object of a clip.

        Args:
            logits: (T, N), of being referred.
            masks: (T, N, h, w) logits, resized bilinearly to the objects'.
            objects: (n, T, H, W) bool, the referred one first.
            valid: (T,) bool, frames that show the referred one.

        Returns:
            (N, n).
        """
        referred = logits.float().sigmoid()
        correct = (1 - referred).mean(0)[:, None].repeat(1, len(objects))
        correct[:, 0] = torch.where(valid[:, None], referred,
                                 1 - referred).mean(0)

        gt_masks = objects.float()
        probs = upsample(masks.float(), gt_masks.shape[-2:]).sigmoid()
        overlap = torch.einsum('tnhw,othw->tno', probs, gt_masks)
        total = (probs.sum((-2, -1))[..., None] +
                 gt_masks.sum((-2, -1)).T[:, None])
        dice = (2 * overlap + 1) / (total + 1)
        return -(self.referred_weight * correct +
                 self.dice_weight * dice.mean(0))

    def __call__(self, logits: Tensor, masks: Tensor, objects: Tensor,
                 valid: Tensor) -> tuple[Tensor, Tensor]:
        """Return matched queries and objects, see :func:`assign`; arguments of
        :meth:`cost`."""
        return assign([self.cost(logits, masks, objects, valid)])[0]


def assign(costs: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Solve several assignments of lowest cost, with a single GPU sync.

    Args:
        costs: (N, n) each.

    Returns:
        Rows and columns of each, (min(N, n),) long, on the CPU.
    """
    flat = torch.cat([cost.flatten() for cost in costs]).cpu()
    parts = flat.split([cost.numel() for cost in costs])
    return [
        tuple(
            map(torch.from_numpy,
                linear_sum_assignment(part.view(cost.shape).numpy())))
        for part, cost in zip(parts, costs, strict=True)
    ]

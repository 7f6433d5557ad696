from collections.abc import Sequence

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from mmrvos.registry import TASK_UTILS

from ..layers import upsample


@TASK_UTILS.register_module()
class InstanceMatcher:
    """Give every object of a clip the query sequence that fits it best.

    One assignment for all frames, of least total cost (Hungarian); costs are
    means over frames (MTTR, section 3.5).

    Args:
        referred_weight: of the probability that the query says what it
            should: "referred" for the referred object where it is visible.
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
        """Cost of every query sequence for every object of a clip.

        Args:
            logits: (T, N), of being referred.
            masks: (T, N, h, w) logits, resized bilinearly to the objects'.
            objects: (n, T, H, W) bool, the referred one first.
            valid: (T,) bool, frames that show the referred one.

        Returns:
            (N, n).
        """
        referred = logits.float().sigmoid()
        says = (1 - referred).mean(0)[:, None].repeat(1, len(objects))
        says[:, 0] = torch.where(valid[:, None], referred,
                                 1 - referred).mean(0)

        goals = objects.float()
        probs = upsample(masks.float(), goals.shape[-2:]).sigmoid()
        overlap = torch.einsum('tnhw,othw->tno', probs, goals)
        total = (probs.sum((-2, -1))[..., None] +
                 goals.sum((-2, -1)).T[:, None])
        dice = (2 * overlap + 1) / (total + 1)
        return -(self.referred_weight * says +
                 self.dice_weight * dice.mean(0))

    def __call__(self, logits: Tensor, masks: Tensor, objects: Tensor,
                 valid: Tensor) -> tuple[Tensor, Tensor]:
        """Queries and their objects, as :func:`assign` gives them; arguments
        of :meth:`cost`."""
        return assign([self.cost(logits, masks, objects, valid)])[0]


def assign(costs: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Assignments of least cost, for all of which the GPU is waited for once.

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

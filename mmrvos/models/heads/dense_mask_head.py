from mmengine.model import BaseModule, bias_init_with_prob
from torch import Tensor, nn

from mmrvos.registry import MODELS

from ..features import Targets
from ..losses import mask_targets, sequence_dice, sigmoid_focal


@MODELS.register_module()
class DenseMaskHead(BaseModule):
    """Training only: the referred mask straight from the encoder's map.

    One 1x1 convolution against the mask. A query may wait long for its first
    gradient worth having; this tells encoder and fusion at once which pixels
    the sentence means. It is thrown away at test time.

    Args:
        in_channels: channels of the map.
        stride: of the map.
        mask_weight, dice_weight: of focal (summed over the object's share)
            and dice loss.
    """

    def __init__(self,
                 *,
                 in_channels: int,
                 stride: int = 8,
                 mask_weight: float = 1.,
                 dice_weight: float = 1.,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.stride = stride
        self.mask_weight = mask_weight
        self.dice_weight = dice_weight
        self.conv = nn.Conv2d(in_channels, 1, 1)

    def init_weights(self) -> None:
        # few pixels are the object's: begin with that
        nn.init.constant_(self.conv.bias, bias_init_with_prob(0.01))

    def loss(self, dense: Tensor | None,
             targets: Targets) -> dict[str, Tensor]:
        """Focal and dice loss, mean over the pairs.

        Args:
            dense: (P*T, C, h, w).
            targets: of P pairs.

        Raises:
            ValueError: the method gives no dense map.
        """
        if dense is None:
            raise ValueError('this method has no map for a dense loss: '
                             'remove dense_head from the config')
        # sums over the pixels of a clip overflow half precision
        logits = self.conv(dense)[:, 0].float()  # (P*T, h, w)
        goals = mask_targets(targets.masks, self.stride, average=True)
        logits = logits.view_as(goals).flatten(1)
        goals = goals.flatten(1)
        focal = sigmoid_focal(logits, goals).sum(1) / goals.sum(1).clamp(min=1)
        return dict(
            loss_dense_mask=self.mask_weight * focal.mean(),
            loss_dense_dice=self.dice_weight *
            sequence_dice(logits, goals).mean())

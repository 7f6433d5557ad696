from mmengine.model import BaseModule, bias_init_with_prob
from torch import Tensor, nn

from mmrvos.registry import MODELS
from mmrvos.utils import apply_init_cfg

from ..features import Targets
from ..losses import cell_targets, sequence_dice, sigmoid_focal


@MODELS.register_module()
class DenseMaskHead(BaseModule):
    """Training-only head that predicts the referred mask from the dense map.

    A 1x1 convolution, or a perceptron at each pixel. Queries learn slowly
    from scratch; this loss trains what makes the map directly on the pixels
    that the sentence refers to. The head is not used at test time.

    Args:
        in_channels: channels of the map.
        stride: of the map.
        hidden_channels: width of two hidden layers before the convolution;
            None for no hidden layer.
        mask_weight, dice_weight: of the focal loss (a sum divided by the
            area of the object) and of the dice loss.
    """

    def __init__(self,
                 *,
                 in_channels: int,
                 stride: int = 8,
                 hidden_channels: int | None = None,
                 mask_weight: float = 1.,
                 dice_weight: float = 1.,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.stride = stride
        self.mask_weight = mask_weight
        self.dice_weight = dice_weight
        self.hidden = hidden_channels and nn.Sequential(
            nn.Conv2d(in_channels, hidden_channels, 1), nn.GELU(),
            nn.Conv2d(hidden_channels, hidden_channels, 1), nn.GELU())
        self.conv = nn.Conv2d(hidden_channels or in_channels, 1, 1)

    def init_weights(self) -> None:
        # few pixels belong to the object
        nn.init.constant_(self.conv.bias, bias_init_with_prob(0.01))
        apply_init_cfg(self)

    def loss(self, dense: Tensor | None,
             targets: Targets) -> dict[str, Tensor]:
        """Compute focal and dice loss, means over the pairs.

        Args:
            dense: (P*T, C, h, w).
            targets: of P pairs.

        Raises:
            ValueError: the method has no dense map, or the map has another
                stride.
        """
        if dense is None:
            raise ValueError('this method has no map for a dense loss: '
                             'remove dense_head from the config')
        if self.hidden is not None:
            dense = self.hidden(dense)
        # sums over the pixels of a clip overflow half precision
        logits = self.conv(dense)[:, 0].float()  # (P*T, h, w)
        gt_masks = cell_targets(targets.masks, self.stride, logits)
        logits = logits.view_as(gt_masks).flatten(1)
        gt_masks = gt_masks.flatten(1)
        focal = sigmoid_focal(logits, gt_masks).sum(1)
        focal = focal / gt_masks.sum(1).clamp(min=1)
        return dict(
            loss_dense_mask=self.mask_weight * focal.mean(),
            loss_dense_dice=self.dice_weight *
            sequence_dice(logits, gt_masks).mean())

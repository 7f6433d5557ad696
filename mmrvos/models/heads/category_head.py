import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmrvos.registry import MODELS

from ..features import Targets
from ..losses import cell_targets


@MODELS.register_module()
class CategoryHead(BaseModule):
    """Training-only head that classifies the objects' pixels on the backbone.

    A 1x1 convolution and a cross-entropy on the pixels of the masks. A
    backbone from scratch needs thousands of steps to distinguish shapes. Here
    a step costs only the backbone; the head has the role of a pretraining on
    ImageNet. It is not used at test time.

    Args:
        in_channels: channels of the map; the segmentor sets them.
        num_classes: categories, as in the data set's ``classes``.
        level: index of the backbone's map, 0 for the finest.
        stride: of this map.
        loss_weight: of the cross-entropy.
    """

    def __init__(self,
                 *,
                 in_channels: int,
                 num_classes: int,
                 level: int = 1,
                 stride: int = 8,
                 loss_weight: float = 1.,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.level = level
        self.stride = stride
        self.loss_weight = loss_weight
        self.conv = nn.Conv2d(in_channels, num_classes, 1)

    def loss(self, maps: tuple[Tensor, ...], video_index: Tensor,
             targets: Targets) -> dict[str, Tensor]:
        """Compute the cross-entropy, a mean over the objects' pixels.

        Args:
            maps: (B*T, C_i, h_i, w_i) of the backbone.
            video_index: (P,) long, the video of each pair.
            targets: of P pairs; ``labels`` are categories.

        Raises:
            ValueError: the map has another stride.
        """
        logits = self.conv(maps[self.level]).float()
        frames = targets.masks.shape[1]
        logits = logits.unflatten(0, (-1, frames))[video_index]
        share = cell_targets(targets.masks, self.stride, logits)
        labels = targets.labels[:, None, None, None].expand_as(share)
        entropy = F.cross_entropy(
            logits.flatten(0, 1), labels.flatten(0, 1), reduction='none')
        share = share.flatten(0, 1)
        loss = (entropy * share).sum() / share.sum().clamp(min=1)
        return dict(loss_category=self.loss_weight * loss)

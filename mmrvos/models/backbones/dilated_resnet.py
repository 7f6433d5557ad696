from mmdet.models.backbones import ResNet
from torch import nn

from mmrvos.registry import MODELS


@MODELS.register_module()
class DilatedResNet(ResNet):
    """mmdet's ResNet with stages dilated as in torchvision.

    The first block of a dilated stage still has half the dilation; mmdet
    dilates all blocks alike. The official MTTR uses torchvision's.
    """

    def make_res_layer(self, **kwargs) -> nn.Sequential:
        layer = super().make_res_layer(**kwargs)
        if kwargs['dilation'] > 1:
            half = (kwargs['dilation'] // 2, ) * 2
            for module in layer[0].children():
                if isinstance(module, nn.Conv2d) and module.dilation > (1, 1):
                    module.dilation = module.padding = half
        return layer

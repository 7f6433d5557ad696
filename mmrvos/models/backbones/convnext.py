from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor
from transformers import ConvNextBackbone, ConvNextConfig

from mmrvos.conversion import convert_convnext
from mmrvos.registry import MODELS
from mmrvos.utils import load_weights, read_checkpoint

STAGES = ('stage1', 'stage2', 'stage3', 'stage4')


@MODELS.register_module()
class ConvNeXt(BaseModule):
    """ConvNeXt of transformers, with a layer norm on each of its four maps.

    Args:
        depths: blocks of the stages.
        hidden_sizes: channels of the stages.
        drop_path_rate: of the last block; it increases linearly from 0.
        norm_eps: of the norms of the maps. The published weights of MUTR have
            PyTorch's 1e-5; the norms inside the blocks have 1e-6.
        init_cfg: ``dict(type='Pretrained', checkpoint=...)`` takes the
            classifiers published by Meta. These lack the norms of the maps,
            which keep scale 1 and shift 0.
    """

    def __init__(self,
                 *,
                 depths: Sequence[int] = (3, 3, 9, 3),
                 hidden_sizes: Sequence[int] = (96, 192, 384, 768),
                 drop_path_rate: float = 0.1,
                 norm_eps: float = 1e-5,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.model = ConvNextBackbone(
            ConvNextConfig(
                depths=list(depths),
                hidden_sizes=list(hidden_sizes),
                drop_path_rate=drop_path_rate,
                out_features=list(STAGES)))
        for norm in self.model.hidden_states_norms.values():
            norm.eps = norm_eps

    def init_weights(self) -> None:
        """Keep the initialisation of transformers, or load weights.

        Raises:
            CheckpointMismatch, ValueError, OSError: the checkpoint does not
                fit, is none, or cannot be fetched.
        """
        if self.init_cfg is None:
            return
        source = self.init_cfg['checkpoint']
        official = read_checkpoint(source)['state_dict']
        weights, _ = convert_convnext(official.get('model', official))
        norms = {
            key: value for key, value in self.state_dict().items()
            if key.startswith('model.hidden_states_norms.')
        }
        load_weights(self, norms | weights, source=source)

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        """Encode frames.

        Args:
            frames: (B, 3, H, W).

        Returns:
            (B, C_i, h_i, w_i) of strides 4, 8, 16 and 32; sizes are rounded
            down.
        """
        return self.model(frames).feature_maps

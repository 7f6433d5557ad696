from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from mmrvos.registry import MODELS


@MODELS.register_module()
class RVOSDataPreprocessor(BaseDataPreprocessor):
    """Move clips to the device, normalise and pad them.

    Args:
        mean, std: per RGB channel, of values 0 to 255.
        pad_size_divisor: training batches are padded, right and bottom, to
            their largest height and width rounded up to a multiple of this.
        test_pad_size_divisor: the same at test time; 1 does not pad a single
            video (official on Ref-YouTube-VOS and Ref-DAVIS17; A2D-Sentences
            is tested with 32).
    """

    def __init__(self,
                 *,
                 mean: Sequence[float] = (123.675, 116.28, 103.53),
                 std: Sequence[float] = (58.395, 57.12, 57.375),
                 pad_size_divisor: int = 32,
                 test_pad_size_divisor: int = 1,
                 non_blocking: bool = False) -> None:
        super().__init__(non_blocking)
        self.register_buffer('mean',
                             torch.tensor(mean).view(-1, 1, 1), False)
        self.register_buffer('std', torch.tensor(std).view(-1, 1, 1), False)
        self.pad_size_divisor = pad_size_divisor
        self.test_pad_size_divisor = test_pad_size_divisor

    def forward(self, data: dict, training: bool = False) -> dict:
        """Prepare a batch.

        Args:
            data: ``inputs``, a list of (T, 3, h, w) uint8 RGB, and
                ``data_samples``.

        Returns:
            The same keys; ``inputs`` are (T, 3, H, W) float each, all of the
            same H and W, and each data sample has ``batch_input_shape``.
        """
        data = self.cast_data(data)
        divisor = (
            self.pad_size_divisor if training else self.test_pad_size_divisor)
        height, width = (
            max(clip.shape[axis] for clip in data['inputs'])
            for axis in (-2, -1))
        height += -height % divisor
        width += -width % divisor
        data['inputs'] = [
            self.prepare(clip, height, width) for clip in data['inputs']
        ]
        for sample in data['data_samples']:
            sample.set_metainfo(dict(batch_input_shape=(height, width)))
        return data

    def prepare(self, clip: Tensor, height: int, width: int) -> Tensor:
        """Normalise, then pad with zeros; (T, 3, height, width)."""
        clip = (clip.float() - self.mean) / self.std
        pad = (0, width - clip.shape[-1], 0, height - clip.shape[-2])
        return F.pad(clip, pad) if any(pad) else clip

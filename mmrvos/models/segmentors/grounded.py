from collections.abc import Iterable, Iterator, Sequence

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from mmrvos.registry import MODELS, TASK_UTILS
from mmrvos.structures import RVOSDataSample

from .pretrained import PretrainedSegmentor, empty_prediction
from .window_streaming import split_frames


@MODELS.register_module()
class GroundedSegmentor(PretrainedSegmentor):
    """Detect the object in a few key frames and propagate the best box.

    A text detector searches every key frame for every expression. The key
    frame with the highest score is the prompt of the propagator, which
    segments the object there and in all other frames. An expression whose
    object is found in no key frame has empty masks and the score 0.

    The frames of a video are kept as bytes in a temporary file.

    Args:
        detector: config of a :class:`TextDetector`.
        num_keys: number of key frames, evenly spread over the video.
        test_cfg: see :class:`InferenceCfg`; with a ``propagator`` that takes
            boxes. ``window`` is the number of frames that
            :meth:`stream` yields together.
        data_preprocessor: with ImageNet's mean and standard deviation.

    Raises:
        ValueError: ``num_keys`` is below 1, or there is no propagator.
        TypeError: the propagator takes masks only.
    """

    def __init__(self,
                 *,
                 detector: dict,
                 num_keys: int = 5,
                 test_cfg: dict | None = None,
                 data_preprocessor: dict | None = None) -> None:
        super().__init__(
            test_cfg=test_cfg, data_preprocessor=data_preprocessor)
        if num_keys < 1:
            raise ValueError(f'num_keys must be at least 1, got {num_keys}')
        if self.propagator is None:
            raise ValueError('GroundedSegmentor needs a test_cfg.propagator, '
                             'for example SAM2Propagator')
        if not self.propagator.takes_boxes:
            raise TypeError(
                f'{type(self.propagator).__name__} takes masks, got boxes: '
                'use a propagator that takes boxes, for example '
                'SAM2Propagator')
        self.detector = TASK_UTILS.build(detector)
        self.num_keys = num_keys

    def encode_text(self, expressions: Sequence[Sequence[str]]) -> None:
        """Check the expressions; the detector encodes them per frame.

        Raises:
            ValueError: an expression is empty.
        """
        for texts in expressions:
            self.detector.check(texts)

    def stream(self, pieces: Iterable[Tensor],
               sample: RVOSDataSample) -> Iterator[InstanceData]:
        """See :meth:`WindowStreaming.stream`; the whole video is read before
        the first frame is segmented."""
        self.encode_text([sample.texts])
        frames = self.frame_store(sample)
        for piece in pieces:
            frames.append(piece)
        index = sample.get('valid_index')
        if index is not None:  # the only annotated frame
            frames = [frames[index]]
        pred = self.ground(frames, sample)
        pred = self.propagator(frames, pred, sample)
        del pred.boxes
        yield from split_frames(pred, self.test_cfg.window)

    @torch.no_grad()
    def ground(self, frames: Sequence[Tensor],
               sample: RVOSDataSample) -> InstanceData:
        """Detect all expressions in the key frames.

        Returns:
            A prediction with empty masks and ``boxes`` (E, T, 4), in pixels
            of the original size. A frame without a box has the score 0.
        """
        height, width = sample.ori_shape
        pred = empty_prediction(
            len(sample.texts), len(frames), (height, width))
        pred.boxes = torch.zeros(len(sample.texts), len(frames), 4)
        scale = torch.tensor([width, height, width, height])
        for t in key_frames(len(frames), self.num_keys):
            with self.test_cfg.precision(self.device):
                boxes, scores = self.detector(frames[t], sample.texts)
            pred.boxes[:, t] = boxes.float().cpu() * scale
            pred.frame_scores[:, t] = scores.float().cpu()
        pred.scores = pred.frame_scores.amax(1)
        return pred


def key_frames(num_frames: int, number: int) -> list[int]:
    """Return the middle frames of ``number`` equal parts of a video.

    Returns:
        Distinct indices, sorted; all frames of a video with fewer.
    """
    number = min(number, num_frames)
    return [(2 * i + 1) * num_frames // (2 * number) for i in range(number)]

from collections.abc import Iterable, Iterator, Sequence

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from mmrvos.registry import MODELS, TASK_UTILS
from mmrvos.structures import RVOSDataSample

from ..frame_store import FrameStore
from .pretrained import PretrainedSegmentor, empty_prediction


@MODELS.register_module()
class GroundedSegmentor(PretrainedSegmentor):
    """Detect the object in a few key frames and propagate the best box.

    A text detector searches every key frame for every expression. The key
    frame with the highest score is the prompt of the propagator, which
    segments the object there and in all other frames. An expression whose
    object is found in no key frame has empty masks and the score 0.

    The frames of a video are kept as bytes in a temporary file. With the
    ``key_frame`` 'first_window' of the propagator and a ``window``, every
    window has key frames of its own until an expression is found, and is
    segmented when it is read.

    Args:
        detector: config of a :class:`TextDetector`.
        num_keys: number of key frames, evenly spread over the video (over
            each window with 'first_window').
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
        """See :meth:`WindowStreaming.stream`.

        The whole video is read before the first frame is segmented, except
        with a ``window`` and the ``key_frame`` 'first_window'.
        """
        self.encode_text([sample.texts])
        frames = self.frame_store(sample)
        index = sample.get('valid_index')
        if index is not None:  # the only annotated frame
            for piece in pieces:
                frames.append(piece)
            one = [frames[index]]
            pred = self.ground(one, [0], sample)
            preds = [self.propagator(one, pred, sample)]
        else:
            preds = self.propagate(
                self.ground_windows(pieces, frames, sample), frames, sample)
        for pred in preds:
            if 'boxes' in pred:
                del pred.boxes
            yield pred

    @property
    def propagates_online(self) -> bool:
        """See the base class; otherwise key frames are those of the whole
        video."""
        return (super().propagates_online
                and self.propagator.key_frame == 'first_window')

    def ground_windows(self, pieces: Iterable[Tensor], frames: FrameStore,
                       sample: RVOSDataSample) -> Iterator[InstanceData]:
        """Detect the expressions in each window, or in the whole video.

        An expression that was found is not detected again; later windows have
        its score and no box. So the scores of a window are those of the video
        up to its end, and those of the last window are the video's.

        Args:
            pieces: see :meth:`stream`.
            frames: gets the frames of the video.
            sample: of the video.

        Yields:
            Predictions, see :meth:`ground`.
        """
        best = torch.zeros(len(sample.texts))

        def ground(start: int, stop: int) -> InstanceData:
            pred = self.ground(frames, range(start, stop), sample,
                               wanted=(best == 0).nonzero()[:, 0].tolist())
            torch.maximum(best, pred.scores, out=best)
            pred.scores = best.clone()
            pred.set_metainfo(dict(scores_so_far=True))
            return pred

        window = self.test_cfg.window if self.propagates_online else None
        start = 0
        for piece in pieces:
            frames.append(piece)
            while window is not None and len(frames) - start >= window:
                yield ground(start, start + window)
                start += window
        if len(frames) > start:
            yield ground(start, len(frames))

    @torch.no_grad()
    def ground(self, frames: Sequence[Tensor], times: Sequence[int],
               sample: RVOSDataSample,
               wanted: Sequence[int] | None = None) -> InstanceData:
        """Detect expressions in the key frames of a part of a video.

        Args:
            frames: by index.
            times: indices of the T frames of the part.
            sample: of the video.
            wanted: indices of the expressions that are detected; None for
                all.

        Returns:
            A prediction with empty masks and ``boxes`` (E, T, 4), in pixels
            of the original size. A frame without a box has the score 0.
        """
        height, width = sample.ori_shape
        pred = empty_prediction(
            len(sample.texts), len(times), (height, width))
        pred.boxes = torch.zeros(len(sample.texts), len(times), 4)
        scale = torch.tensor([width, height, width, height])
        rows = list(range(len(sample.texts)) if wanted is None else wanted)
        texts = [sample.texts[e] for e in rows]
        for t in key_frames(len(times), self.num_keys) if rows else ():
            with self.test_cfg.precision(self.device):
                boxes, scores = self.detector(frames[times[t]], texts)
            pred.boxes[rows, t] = boxes.float().cpu() * scale
            pred.frame_scores[rows, t] = scores.float().cpu()
        pred.scores = pred.frame_scores.amax(1)
        return pred


def key_frames(num_frames: int, number: int) -> list[int]:
    """Return the middle frames of ``number`` equal parts of a video.

    Returns:
        Distinct indices, sorted; all frames of a video with fewer.
    """
    number = min(number, num_frames)
    return [(2 * i + 1) * num_frames // (2 * number) for i in range(number)]

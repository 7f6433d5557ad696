"""Segmentation of a video window by window, while it is read."""
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from mmrvos.structures import RVOSDataSample

from ..chunks import chunk_slices
from ..features import ClipFeatures, Predictions, TextFeatures
from ..frame_store import FrameStore
from ..postprocessors.masks import empty_below
from ..propagators.online import OnlinePropagation
from .batch import image_sizes, valid_indices


class WindowStreaming:
    """Prediction of a segmentor; see ``test_cfg``, :class:`InferenceCfg`."""

    def predict(self, inputs: Sequence[Tensor],
                data_samples: Sequence[RVOSDataSample]
                ) -> list[RVOSDataSample]:
        """Fill ``pred`` of every data sample, video by video."""
        for frames, sample in zip(inputs, data_samples, strict=True):
            sample.pred = self.answer(self.stream([frames], sample))
        return list(data_samples)

    def test_step(self, data: dict) -> list[RVOSDataSample]:
        """Preprocess and predict a batch, as :class:`BaseModel` does.

        With a ``test_cfg.window``, frames are moved to the device and
        normalised window by window: as bytes they take a quarter of the
        memory.
        """
        window = self.test_cfg.window
        if window is None:
            return super().test_step(data)
        for frames, sample in zip(
                data['inputs'], data['data_samples'], strict=True):
            pieces = (
                self.data_preprocessor(
                    dict(inputs=[part], data_samples=[sample]))['inputs'][0]
                for part in frames.split(window))
            sample.pred = self.answer(self.stream(pieces, sample))
        return list(data['data_samples'])

    def val_step(self, data: dict) -> list[RVOSDataSample]:
        """As :meth:`test_step`."""
        return self.test_step(data)

    def answer(self, windows: Iterable[InstanceData]) -> InstanceData:
        """Merge windows; empty the masks of scores below ``min_score``."""
        pred = merge_windows(windows)
        if self.test_cfg.min_score:
            empty_below(pred, self.test_cfg.min_score)
        return pred

    def stream(self, pieces: Iterable[Tensor],
               sample: RVOSDataSample) -> Iterator[InstanceData]:
        """Segment all expressions of one video while it is read.

        With a ``test_cfg.window``, at most the frames of one window and of
        one piece are in memory. A propagator reads its frames again from a
        temporary file. Its ``key_frame`` decides whether it starts while the
        video is read, see :class:`MaskPropagator`.

        Args:
            pieces: (t, 3, H, W) each, consecutive frames, normalised and
                padded.
            sample: of the whole video; its texts and sizes are read.

        Yields:
            ``pred`` of consecutive frames.
        """
        if self.propagator is None:
            yield from self.predict_windows(pieces, sample)
            return
        store = self.frame_store(sample)
        windows = self.predict_windows(stored(pieces, store), sample)
        yield from self.propagate(windows, store, sample)

    def propagate(self, windows: Iterable[InstanceData], frames: FrameStore,
                  sample: RVOSDataSample) -> Iterator[InstanceData]:
        """Apply the propagator to the predictions of a video.

        Args:
            windows: predictions of consecutive frames.
            frames: those of the video; filled by ``windows``.
            sample: see :meth:`stream`.

        Yields:
            Predictions of consecutive frames.
        """
        # a sample with one annotated frame has one mask
        if self.propagates_online and sample.get('valid_index') is None:
            online = OnlinePropagation(self.propagator, frames, sample)
            for pred in windows:
                yield from online.add(pred)
            yield from online.finish()
            return
        pred = self.propagator(frames, merge_windows(windows), sample)
        yield from split_frames(pred, self.test_cfg.window)

    @property
    def propagates_online(self) -> bool:
        """Whether the propagator runs while a video is read."""
        return (self.test_cfg.window is not None
                and self.propagator.starts_early)

    def frame_store(self, sample: RVOSDataSample) -> FrameStore:
        """Return an empty store for the frames of a video."""
        preprocessor = self.data_preprocessor
        return FrameStore(preprocessor.mean, preprocessor.std,
                          sample.img_shape[:2])

    def predict_windows(self, pieces: Iterable[Tensor],
                        sample: RVOSDataSample) -> Iterator[InstanceData]:
        """:meth:`stream` without propagator."""
        cfg, window, queries = self.test_cfg, self.test_cfg.window, None
        device, state = next(self.parameters()).device, self.start_video()
        with cfg.precision(device):
            text = self.encode_text([sample.texts])
        if sample.get('valid_index') is not None:
            window = None  # only one frame is decoded, all are its context
        for frames, kept in cut_windows(pieces, window, cfg.overlap):
            with cfg.precision(device):
                pred = self.predict_window(frames, kept, text, sample,
                                           queries, state)
            if cfg.query == 'carried' and queries is None:
                queries = pred.queries
            pred.queries = pred.queries[:, None]
            yield pred

    def start_video(self) -> Any:
        """Return what a method keeps from one window to the next.

        None for a method that decodes each window by itself.
        """
        return None

    def predict_window(self, frames: Tensor, kept: slice,
                       text: TextFeatures, sample: RVOSDataSample,
                       queries: Tensor | None, state: Any) -> InstanceData:
        """Segment all expressions of one window.

        Args:
            frames: (T, 3, H, W).
            kept: the frames whose masks are built.
            text: E expressions.
            sample: of the video.
            queries: (E,) long, the query sequences to use; None for the best.
            state: of :meth:`start_video`.
        """
        return self.postprocessor(
            self.head,
            # no name holds the clip, so that decode_chunks can release parts
            self.decode_chunks(
                self.encode_clip(frames[None], image_sizes([sample]),
                                 valid_indices([sample], frames)), text,
                state),
            tuple(sample.ori_shape),
            frames=kept,
            queries=queries,
            max_frames=self.chunks.frames)

    def decode_chunks(self, clip: ClipFeatures, text: TextFeatures,
                      state: Any) -> Iterator[Predictions]:
        """Decode some expressions of one video at a time.

        Args:
            clip: a window of the video.
            text: all its expressions.
            state: of :meth:`start_video`; a method with a state overrides
                this method.
        """
        for part in chunk_slices(
                len(text.words), self.chunks.pairs, cost=clip.num_frames):
            yield self.decode_for_masks(clip, text.pairs(part))

    def decode_for_masks(self, clip: ClipFeatures,
                         text: TextFeatures) -> Predictions:
        """Decode for testing and for losses, where few of the masks are built
        or have gradients."""
        return self.decode(clip, text)


def stored(pieces: Iterable[Tensor], store: FrameStore) -> Iterator[Tensor]:
    """Yield pieces of a video and store their frames."""
    for piece in pieces:
        store.append(piece)
        yield piece


def split_frames(pred: InstanceData,
                 size: int | None) -> Iterator[InstanceData]:
    """Split predictions into parts that :func:`merge_windows` merges again.

    Args:
        pred: of a whole video.
        size: frames per part; None does not split.
    """
    num_frames = len(pred.masks[0])
    if size is None or num_frames <= size:
        yield pred
        return
    for start in range(0, num_frames, size):
        part = slice(start, start + size)
        yield InstanceData(
            masks=[rles[part] for rles in pred.masks],
            scores=pred.scores,
            frame_scores=pred.frame_scores[:, part],
            # one column per window, all of them in the first part
            queries=pred.queries if start == 0 else pred.queries[:, :0])


def cut_windows(pieces: Iterable[Tensor], window: int | None,
                overlap: int = 0) -> Iterator[tuple[Tensor, slice]]:
    """Cut a video into windows, each as soon as its frames are read.

    Args:
        pieces: (t, ...) each, consecutive frames of the video.
        window: W, frames per window; None for a single window.
        overlap: frames shared by neighbouring windows, less than W.

    Yields:
        (W, ...) frames, fewer in the last window of a video; and the slice of
        them whose predictions are kept. Each frame is kept once.
    """
    head, tail = overlap - overlap // 2, overlap // 2
    held, first, count = [], 0, 0  # count: windows so far

    def join() -> Tensor:
        return held[0] if len(held) == 1 else torch.cat(held)

    def complete() -> bool:
        # The last window keeps its frames up to the end of the video. With an
        # overlap, a window is only yielded when there are frames behind it.
        needed = window + 1 if overlap else window
        return sum(map(len, held)) >= needed

    for piece in pieces:
        held.append(piece)
        while window is not None and complete():
            frames = join()
            yield frames[:window], slice(first, window - tail)
            held, first = [frames[window - overlap:]], head
            count += 1
    frames = join()
    if len(frames) or not count:
        yield frames, slice(first, len(frames))


def merge_windows(windows: Iterable[InstanceData]) -> InstanceData:
    """Merge the predictions of windows into one sequence.

    Masks and frame scores are concatenated, queries get one column per window.
    Scores are means over frames. Where the metainfo says ``scores_so_far``
    (:class:`GroundedSegmentor`), they are those of the last window. A single
    window is returned as it is, with any further fields (``query_masks``,
    ...).
    """
    windows = list(windows)
    if len(windows) == 1:
        return windows[0]
    masks = [
        list(chain.from_iterable(parts))
        for parts in zip(*(w.masks for w in windows), strict=True)
    ]
    if windows[-1].get('scores_so_far'):
        scores = windows[-1].scores
    else:
        frames = torch.tensor([len(w.masks[0]) for w in windows])
        scores = torch.stack([w.scores for w in windows], dim=1)
        scores = (scores * frames).sum(1) / frames.sum()
    return InstanceData(
        masks=masks,
        scores=scores,
        frame_scores=torch.cat([w.frame_scores for w in windows], dim=1),
        queries=torch.cat([w.queries for w in windows], dim=1))

"""How a video of any length is cut up for testing and put together again."""
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import chain

import torch
from mmengine.structures import InstanceData
from torch import Tensor

QUERIES = ('per_window', 'carried')
PRECISIONS = dict(bf16=torch.bfloat16, fp16=torch.float16)


@dataclass
class InferenceCfg:
    """``test_cfg`` of a segmentor; an unknown key is an error.

    Args:
        window: frames decoded together, which bounds the memory; None decodes
            a video in one pass. Clips with a valid_index have one frame to
            decode and are never split.
        overlap: frames that a window shares with the next. They are context:
            the first half is answered by the earlier window, the rest by the
            later one.
        query: 'per_window' lets every window choose its own query sequence;
            'carried' stays with the one that the first window chose.
        expressions_per_pass: expressions decoded together, at most; fewer
            where clips are long.
        amp: mixed precision, 'bf16' or 'fp16' (GPU only); None for none.
        postprocessor: config of what turns predictions into masks.
        propagator: config of what carries the mask of one frame to all
            others, see :class:`MaskPropagator`; None for nothing. It needs
            the whole video in memory.
    """
    window: int | None = None
    overlap: int = 0
    query: str = 'per_window'
    expressions_per_pass: int = 8
    amp: str | None = None
    postprocessor: dict = field(default_factory=lambda: dict(type='BestQuery'))
    propagator: dict | None = None

    def __post_init__(self) -> None:
        for name in ('window', 'expressions_per_pass'):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f'test_cfg.{name} must be at least 1, got '
                                 f'{value}')
        if self.window is None and self.overlap:
            raise ValueError(f'test_cfg.overlap={self.overlap} needs a '
                             'test_cfg.window')
        if self.window is not None and not 0 <= self.overlap < self.window:
            raise ValueError('test_cfg.overlap is 0 to window - 1 = '
                             f'{self.window - 1}, got {self.overlap}')
        if self.query not in QUERIES:
            raise ValueError(f'test_cfg.query is one of {QUERIES}, got '
                             f'{self.query!r}')
        if self.amp is not None and self.amp not in PRECISIONS:
            raise ValueError(f'test_cfg.amp is one of {list(PRECISIONS)} or '
                             f'None, got {self.amp!r}')

    def precision(self, device: torch.device) -> AbstractContextManager:
        """Runs a block as ``amp`` says.

        Raises:
            ValueError: fp16 without GPU, which has no such kernels.
        """
        if self.amp is None:
            return nullcontext()
        if self.amp == 'fp16' and device.type == 'cpu':
            raise ValueError("amp='fp16' needs a GPU; take 'bf16' on a CPU")
        return torch.autocast(device.type, PRECISIONS[self.amp])


def cut_windows(pieces: Iterable[Tensor], window: int | None,
                overlap: int = 0) -> Iterator[tuple[Tensor, slice]]:
    """Windows of a video, as soon as their frames have been read.

    Args:
        pieces: (t, ...) each, the next frames of the video.
        window: W, frames of a window; None for a single one of all frames.
        overlap: frames shared by neighbours, less than W.

    Yields:
        (W, ...) frames, the last time perhaps fewer, and which of them this
        window answers for; together these are all frames, each once.
    """
    head, tail = overlap - overlap // 2, overlap // 2
    held, first = [], 0

    def join() -> Tensor:
        return held[0] if len(held) == 1 else torch.cat(held)

    for piece in pieces:
        held.append(piece)
        # the last window of a video is known by its end: hold on to it
        while window is not None and sum(map(len, held)) > window:
            frames = join()
            yield frames[:window], slice(first, window - tail)
            held, first = [frames[window - overlap:]], head
    frames = join()
    yield frames, slice(first, len(frames))


def join_windows(windows: Iterable[InstanceData]) -> InstanceData:
    """Masks one behind the other; scores are means over frames; queries are
    one index a window.

    Fields of single frames (``query_masks``, ...) come from the only window.
    """
    windows = list(windows)
    if len(windows) == 1:
        return windows[0]
    masks = [
        list(chain.from_iterable(parts))
        for parts in zip(*(w.masks for w in windows), strict=True)
    ]
    frames = torch.tensor([len(w.masks[0]) for w in windows])
    scores = torch.stack([w.scores for w in windows], dim=1)
    return InstanceData(
        masks=masks,
        scores=(scores * frames).sum(1) / frames.sum(),
        frame_scores=torch.cat([w.frame_scores for w in windows], dim=1),
        queries=torch.cat([w.queries for w in windows], dim=1))

"""Checks of the inferencer's arguments, made before the work."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mmrvos.utils import brief

from .frame_sources import ImageFiles, VideoSource
from .live_video import LiveVideo

if TYPE_CHECKING:
    from torch import nn


def check_texts(texts: str | Sequence[str]) -> list[str]:
    """Return the sentences as a list.

    Raises:
        TypeError: they are not strings.
        ValueError: there is none, one is empty, or one is no valid Unicode.
    """
    if isinstance(texts, str):
        texts = [texts]
    if isinstance(texts, bytes) or not isinstance(texts, Iterable):
        raise TypeError(f'the sentences are {brief(texts)}, expected a string '
                        'or a list of strings')
    texts = list(texts)
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(f'a sentence is {brief(text)} '
                            f'({type(text).__name__}), expected a string')
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f'the sentence {brief(text)} has {text[error.start]!r} at '
                f'position {error.start}, which is half a character: expected '
                'valid Unicode') from None
    if not texts or not all(t.strip() for t in texts):
        raise ValueError(f'the sentences are {brief(texts)}: expected at '
                         'least one, none of them empty')
    return texts


def check_min_score(min_score: float) -> None:
    """Check a threshold of scores.

    Raises:
        ValueError: it is not a number from 0 to 1.
    """
    if (isinstance(min_score, bool) or not isinstance(min_score, int | float)
            or not 0 <= min_score <= 1):
        raise ValueError(f'min_score={min_score!r}: expected 0 to 1')


def check_device(device: str) -> None:
    """Check that tensors can be made on a device.

    Raises:
        ValueError: they cannot.
    """
    import torch  # the other checks do not wait for it
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, ImportError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(
            f"device {device!r} cannot be used ({reason}); expected 'cpu', or "
            f"'cuda:<index>' with an index below {torch.cuda.device_count()}, "
            'the number of GPUs here') from None


def check_apart(source: VideoSource, out_dir: Path) -> None:
    """Check that results are not written among the frames of the video.

    Raises:
        ValueError: ``out_dir`` is the folder of the frames; the overlay would
            be one of the frames in the next call.
    """
    if isinstance(source, ImageFiles) and out_dir.resolve() in {
            path.parent.resolve() for path in source.paths}:
        raise ValueError(
            f'out_dir {out_dir} is the folder of the frames: choose another')


def check_end(source: VideoSource, model: nn.Module) -> None:
    """Check that a video without an end has masks while it is read.

    Raises:
        ValueError: the model has no window, or a propagator that starts at
            the end of the video.
    """
    if not isinstance(source, LiveVideo) or not source.endless:
        return
    if getattr(model.test_cfg, 'window', None) is None:
        raise ValueError(
            f'{source.name} has no end, and without a window masks come at '
            'the end: set a window (frames that are segmented together), or '
            'max_frames')
    propagator = getattr(model, 'propagator', None)
    if propagator is not None and not model.propagates_online:
        raise ValueError(
            f'{source.name} has no end, and a propagator with '
            f'key_frame={propagator.key_frame!r} starts at the end: set '
            "model.test_cfg.propagator.key_frame to 'first_window', or set "
            'max_frames')

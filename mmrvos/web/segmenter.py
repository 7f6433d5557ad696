"""Segment the video of a request into a folder of files to download."""
import warnings
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING

from mmrvos.model_index import find_model

from .limits import LimitedVideo, Limits

if TYPE_CHECKING:  # they import torch
    from mmrvos.apis import ExpressionResult, RVOSInferencer

#: For models without a window of their own: it bounds the memory.
WINDOW = 36


@dataclass(frozen=True)
class Answer:
    """Results of a request.

    Attributes:
        overlay: the video with masks, None if it could not be encoded.
        masks: zip with the PNG files and ``result.json``.
        results: one per sentence.
        notes: warnings about the input.
    """
    overlay: Path | None
    masks: Path
    results: 'list[ExpressionResult]'
    notes: list[str]


class Segmenter:
    """Segment videos by the model of a name; the last model stays in memory.

    Not for several threads at once: the page lets one request run at a time.

    Args:
        limits: of a request.
        device, window, style: see :class:`RVOSInferencer`. For models that
            have no window, the default is ``WINDOW``.
    """

    def __init__(self,
                 limits: Limits,
                 device: str | None = None,
                 window: int | None = None,
                 style: str | None = None) -> None:
        self.limits = limits
        self.device = device
        self.window = window
        self.style = style
        self.loaded = None  # name and inferencer

    def __call__(self,
                 name: str,
                 video: Path,
                 sentences: Sequence[str],
                 folder: Path,
                 min_score: float = 0.,
                 progress: Callable[[str, int, int | None],
                                    None] = lambda *_: None) -> Answer:
        """Segment a video.

        Args:
            name: of the model.
            video: file.
            sentences: what to segment.
            folder: where files are written. It exists; when it is deleted,
                the work ends.
            min_score: see :meth:`RVOSInferencer.__call__`.
            progress: called with what is done, the number of frames that
                were read, and that of all frames, None if it is unknown.

        Raises:
            OSError, TypeError, ValueError: the video, a sentence or the model
                cannot be used.
        """

        def on_frame(count: int) -> None:
            if not folder.is_dir():
                raise FileNotFoundError('the page was closed')
            progress('segmenting', count, len(source) or None)

        source = LimitedVideo(video, self.limits, on_frame)
        progress('loading the model', 0, len(source) or None)
        inferencer = self._load(name)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            results = inferencer(
                source, sentences, out_dir=folder, min_score=min_score)
        overlay = folder / 'overlay.mp4'
        return Answer(
            overlay if overlay.is_file() else None, pack_masks(folder),
            results, [str(w.message) for w in caught
                      if w.category is UserWarning])

    def _load(self, name: str) -> 'RVOSInferencer':
        if self.loaded is None or self.loaded[0] != name:
            from mmrvos.apis import RVOSInferencer
            self.loaded = None  # frees its memory first
            window = self.window
            if window is None and not has_window(name):
                window = WINDOW
            self.loaded = name, RVOSInferencer(
                name,
                device=self.device,
                window=window,
                style=self.style,
                show_progress=False)
        return self.loaded[1]


def has_window(name: str) -> bool:
    """Tell whether the config of a model sets a window."""
    from mmrvos.utils import load_config
    model = load_config(find_model(name).config).model
    return bool((model.get('test_cfg') or {}).get('window'))


def pack_masks(folder: Path) -> Path:
    """Move masks and ``result.json`` of a folder into ``masks.zip``."""
    archive = folder / 'masks.zip'
    with zipfile.ZipFile(archive, 'w') as file:  # PNG does not compress
        for path in sorted(folder.glob('masks/*/*.png')):
            file.write(path, path.relative_to(folder))
        file.write(folder / 'result.json', 'result.json')
    rmtree(folder / 'masks')
    return archive

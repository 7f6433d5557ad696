"""Write the results of a video into a folder, complete or not at all."""
import warnings
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import mmengine
import pycocotools.mask as mask_utils

from mmrvos.utils import mask_areas
from mmrvos.utils.unfinished import locked, unfinished_folder
from mmrvos.visualization import RVOSVisualizer, check_fps, write_image

from .frame_sources import VideoFile, VideoSource
from .output_folder import RESULT, earlier_files
from .results import ExpressionResult, SegmentedFrames

DEFAULT_FPS = 10


class ResultWriter:
    """Write results while a video is segmented.

    A context manager. The encoder of the overlay is opened at the start. All
    files are written to a temporary folder, and move into ``folder`` if the
    block ends without an error: first ``result.json``, which lists the
    masks. Files of an earlier run are deleted then. If drawing or encoding
    the overlay fails, a warning says so and everything else is written.

    Args:
        folder: see :func:`check_folder`.
        outputs: what to write, some of ``OUTPUTS``.
        visualizer: draws the overlay.
        source: the video.
        shape: (height, width) of the video.
        texts: E sentences.
        fps: frames per second of the overlay; None keeps the times and the
            sound of the video.

    Raises:
        OSError, ValueError: the overlay cannot be encoded.
    """

    def __init__(self, folder: Path, outputs: Collection[str],
                 visualizer: RVOSVisualizer, source: VideoSource,
                 shape: tuple[int, int], texts: Sequence[str],
                 fps: float | None) -> None:
        self.folder = folder
        self.outputs = outputs
        self.count = 0
        self.times = source.times if fps is None else None
        audio = None
        if fps is None:
            fps = rate_of(source)
            audio = source.path if isinstance(source, VideoFile) else None
        self.files = ExitStack()
        existing = next(
            p for p in (folder, *folder.absolute().parents) if p.exists())
        # in the same file system, so that files can be moved
        self.unfinished = self.files.enter_context(unfinished_folder(existing))
        self.overlay = None
        if 'overlay' in outputs:
            try:
                self.overlay = visualizer.open_overlay(
                    self.unfinished / 'overlay', shape, texts, fps, audio)
            except BaseException as error:
                self.files.close()
                if isinstance(error, OSError):
                    raise OSError(
                        f"{error}; leave 'overlay' out of outputs to write "
                        'masks and JSON only') from None
                raise

    def add(self, part: SegmentedFrames) -> None:
        """Write the next frames: 0 / 255 PNGs named
        ``masks/<index of the sentence>/<frame>.png``, and the overlay."""
        if 'masks' in self.outputs:
            for e, rles in enumerate(part.pred.masks):
                for name, rle in zip(part.names, rles, strict=True):
                    write_image(self.unfinished / f'masks/{e}/{name}.png',
                                mask_utils.decode(rle) * 255)
        if self.overlay is not None:
            try:
                stop = self.count + len(part.names)
                self.overlay.write(part.images, part.pred.masks,
                                   part.pred.scores,
                                   self.times and self.times[self.count:stop])
            except Exception as error:
                self._drop_overlay(error)
        self.count += len(part.names)

    def finish(self, video: str, results: Sequence[ExpressionResult],
               frame_names: Sequence[str]) -> None:
        """Write ``result.json``."""
        if 'json' in self.outputs:
            write_result(self.unfinished / RESULT, video, results, frame_names)

    def _drop_overlay(self, error: Exception) -> None:
        warnings.warn(
            f'the overlay of {self.folder} failed and is left out: '
            f'{type(error).__name__}: {error}',
            stacklevel=3)
        overlay, self.overlay = self.overlay, None
        overlay.__exit__(type(error), error, None)
        for path in self.unfinished.glob('overlay*'):
            path.unlink()

    def __enter__(self) -> 'ResultWriter':
        return self

    def __exit__(self, kind: type[BaseException] | None,
                 error: BaseException | None,
                 trace: TracebackType | None) -> None:
        with self.files:
            if self.overlay is not None:
                try:
                    self.overlay.__exit__(kind, error, trace)
                except Exception as failure:
                    self._drop_overlay(failure)
            if kind is None:
                self.folder.mkdir(parents=True, exist_ok=True)
                # another run that ends at the same time waits
                with locked(self.folder, optional=True):
                    self._move()

    def _move(self) -> None:
        old = earlier_files(self.folder)
        for path in old:
            path.unlink(missing_ok=True)
        for path in sorted({p.parent for p in old}, reverse=True):
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()
        found = [p for p in self.unfinished.rglob('*.*') if p.is_file()]
        for path in sorted(found, key=lambda p: (p.name != RESULT, p)):
            target = self.folder / path.relative_to(self.unfinished)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)


def rate_of(source: VideoSource) -> float:
    """Return the frame rate of a video, or the default if it is unusable."""
    if source.fps is None:
        return DEFAULT_FPS
    try:
        return check_fps(source.fps)
    except ValueError:
        warnings.warn(
            f'{source.name} says {source.fps} frames per second; the overlay '
            f'has {DEFAULT_FPS}, set fps for another rate',
            stacklevel=4)
        return DEFAULT_FPS


def write_result(path: Path, video: str, results: Sequence[ExpressionResult],
               frame_names: Sequence[str]) -> None:
    """Write scores, and the share of the frame that each mask covers."""
    height, width = results[0].rles[0]['size']
    mmengine.dump(
        dict(
            video=video,
            height=int(height),
            width=int(width),
            frames=list(frame_names),
            expressions=[
                dict(
                    index=e,
                    text=result.text,
                    score=round(result.score, 4),
                    found=result.found,
                    area=[
                        round(float(area) / (height * width), 5)
                        for area in mask_areas(result.rles)
                    ]) for e, result in enumerate(results)
            ]),
        path,
        indent=2)

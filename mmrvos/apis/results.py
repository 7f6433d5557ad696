from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Sequence,
)
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import mmengine
import numpy as np
import pycocotools.mask as mask_utils
from mmengine.structures import InstanceData

from mmrvos.utils import mask_areas
from mmrvos.visualization import OverlayWriter, write_image

OUTPUTS = ('overlay', 'masks', 'json')


@dataclass
class ExpressionResult:
    """What one sentence points at in a video."""

    text: str
    score: float  # of the chosen query, 0 to 1
    # COCO RLE, one a frame: small, whatever the length of the video
    rles: list[dict] = field(repr=False)

    @property
    def masks(self) -> np.ndarray:
        """(T, H, W) bool, decoded now."""
        return np.stack(list(self.iter_masks()))

    def iter_masks(self) -> Iterator[np.ndarray]:
        """(H, W) bool, one frame after the other."""
        for rle in self.rles:
            yield mask_utils.decode(rle).astype(bool)


@dataclass
class SegmentedFrames:
    """The next frames of a video, and what E sentences point at in them."""

    names: list[str]  # t
    images: list[np.ndarray] = field(repr=False)  # t, (H, W, 3) uint8 RGB
    pred: InstanceData = field(repr=False)  # as in RVOSDataSample


def results_of(texts: Sequence[str],
               pred: InstanceData) -> list[ExpressionResult]:
    """One result a sentence."""
    return [
        ExpressionResult(text, float(score), list(rles))
        for text, score, rles in zip(
            texts, pred.scores, pred.masks, strict=True)
    ]


class ResultWriter:
    """Writes results while a video is segmented.

    Args:
        folder: where to.
        outputs: what, some of ``OUTPUTS``.
        draw: frames to their overlay images.
        overlay: where these go, if they are wanted.
    """

    def __init__(self, folder: Path, outputs: Collection[str],
                 draw: Callable[[SegmentedFrames], Iterable[np.ndarray]],
                 overlay: OverlayWriter | None) -> None:
        self.folder = folder
        self.outputs = outputs
        self.draw = draw
        self.overlay = overlay

    def add(self, part: SegmentedFrames) -> None:
        """Write the next frames: 0 / 255 PNGs named
        ``masks/<expression index>/<frame>.png``, and the overlay."""
        if 'masks' in self.outputs:
            for e, rles in enumerate(part.pred.masks):
                for name, rle in zip(part.names, rles, strict=True):
                    write_image(self.folder / f'masks/{e}/{name}.png',
                                mask_utils.decode(rle) * 255)
        if self.overlay is not None:
            for image in self.draw(part):
                self.overlay.write(image)

    def finish(self, video: str, results: Sequence[ExpressionResult],
               frame_names: Sequence[str]) -> None:
        """Write what is known at the end."""
        if 'json' in self.outputs:
            write_json(self.folder / 'result.json', video, results,
                       frame_names)


@contextmanager
def write_results(
        out_dir: Path, outputs: Collection[str],
        draw: Callable[[SegmentedFrames], Iterable[np.ndarray]],
        open_overlay: Callable[[Path], OverlayWriter]
) -> Iterator[ResultWriter]:
    """A writer whose files move into ``out_dir`` when the block ends without
    an error: nothing is half-written.

    Args:
        open_overlay: begins ``<path>.mp4``.
    """
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(
            dir=out_dir.parent, prefix='.unfinished_') as name:
        folder = Path(name)
        if 'overlay' in outputs:
            with open_overlay(folder / 'overlay') as overlay:
                yield ResultWriter(folder, outputs, draw, overlay)
        else:
            yield ResultWriter(folder, outputs, draw, None)
        for path in sorted(folder.rglob('*.*')):
            target = out_dir / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)


def write_json(path: Path, video: str, results: Sequence[ExpressionResult],
               frame_names: Sequence[str]) -> None:
    """Scores, and the share of the frame that each mask covers."""
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
                    area=[
                        round(float(area) / (height * width), 5)
                        for area in mask_areas(result.rles)
                    ]) for e, result in enumerate(results)
            ]),
        path,
        indent=2)

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import mmengine
import numpy as np
import pycocotools.mask as mask_utils

from mmrvos.structures import RVOSDataSample
from mmrvos.visualization import write_image


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


def results_of(sample: RVOSDataSample) -> list[ExpressionResult]:
    """The results of a predicted sample, one an expression."""
    return [
        ExpressionResult(text, float(score), list(rles))
        for text, score, rles in zip(
            sample.texts, sample.pred.scores, sample.pred.masks, strict=True)
    ]


def write_masks(folder: Path, results: Sequence[ExpressionResult],
                frame_names: Sequence[str]) -> None:
    """One 0 / 255 PNG a frame: ``folder/<expression index>/<frame>.png``."""
    for e, result in enumerate(results):
        for name, mask in zip(frame_names, result.iter_masks(), strict=True):
            write_image(folder / str(e) / f'{name}.png',
                        mask.astype(np.uint8) * 255)


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
                        for area in mask_utils.area(result.rles)
                    ]) for e, result in enumerate(results)
            ]),
        path,
        indent=2)

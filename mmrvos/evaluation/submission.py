"""Layout and checks of submission files for the servers of benchmarks."""
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from PIL import Image

from mmrvos.utils import MAX_IMAGE_BYTES, check_file
from mmrvos.utils.unfinished import replacing

from .offline.predictions import PredictionError, PredictionFiles

#: folder in which a benchmark expects everything
TOP_FOLDERS = {'ytvos': 'Annotations', 'mevis': ''}
YTVOS_VIDEOS = 202


class ExpectedVideo(NamedTuple):
    """The expressions and frames that a submission must hold of one video."""
    exp_ids: Sequence[str]
    frame_names: Sequence[str]
    size: tuple[int, int] | None  # (height, width), where known


def mask_path(layout: str, video_id: str, exp_id: str, frame: str) -> str:
    """The path of a mask in a submission."""
    path = f'{video_id}/{exp_id}/{frame}.png'
    top = TOP_FOLDERS[layout]
    return f'{top}/{path}' if top else path


def save_mask(path: Path, mask: np.ndarray) -> None:
    """Write an (H, W) mask as the servers expect it: 8-bit grey, 0 and 255."""
    with replacing(path) as partial:
        Image.fromarray((mask > 0).astype(np.uint8) * 255).save(partial)


def frame_size(folder: Path,
               frame_names: Sequence[str]) -> tuple[int, int] | None:
    """Read (height, width) from the header of a video's first frame.

    Returns:
        None if the frame is missing.
    """
    for suffix in ('.jpg', '.png'):
        path = folder / f'{frame_names[0]}{suffix}'
        if path.exists():
            with Image.open(check_file(path, MAX_IMAGE_BYTES)) as image:
                return image.height, image.width
    return None


def check_submission(files: PredictionFiles,
                     layout: str,
                     expected: Mapping[str, ExpectedVideo],
                     num_videos: int | None = None) -> Iterator[str]:
    """Find all faults of a submission.

    Args:
        files: the folder or zip.
        layout: 'ytvos' or 'mevis'.
        expected: {video id: what it must hold}.
        num_videos: of the official list. Another number of expected videos is
            reported, because then the expression files are not the official
            ones.

    Yields:
        One line per fault.
    """
    if num_videos is not None and len(expected) != num_videos:
        yield (f'the expression files list {len(expected)} videos, the '
               f'benchmark has {num_videos}: give the valid and the test file '
               'of the official download')
    top = TOP_FOLDERS[layout]
    wanted: set[str] = set()
    for video_id, video in expected.items():
        folder = f'{top}/{video_id}' if top else video_id
        if not files.has_folder(folder):
            yield f'{folder}: the video is missing'
            continue
        size = video.size
        for exp_id in video.exp_ids:
            if not files.has_folder(f'{folder}/{exp_id}'):
                yield f'{folder}/{exp_id}: the expression is missing'
                continue
            for frame in video.frame_names:
                path = mask_path(layout, video_id, exp_id, frame)
                wanted.add(path)
                if path not in files:
                    yield f'{path}: the frame is missing'
                    continue
                try:
                    image = files.image(path)
                except PredictionError as error:
                    yield str(error)
                    continue
                # Without a known size all masks of a video must have one.
                size = size or image.size[::-1]
                yield from _check_image(path, image, size)
    surplus: dict[PurePosixPath, list[str]] = defaultdict(list)
    for path in (*files.paths, *files.others):
        if path not in wanted:
            surplus[PurePosixPath(path).parent].append(path)
    for paths in surplus.values():
        more = (f', nor are {len(paths) - 1} more beside it'
                if paths[1:] else '')
        yield f'{paths[0]}: not a file of this submission{more}'


def _check_image(path: str, image: Image.Image,
                 size: tuple[int, int]) -> Iterator[str]:
    if image.size[::-1] != tuple(size):
        yield (f'{path}: size {image.size[::-1]} (height, width), expected '
               f'{tuple(size)}')
    if image.mode != 'L':
        yield f"{path}: mode {image.mode}, expected 8-bit grey ('L')"
        return
    values = np.flatnonzero(image.histogram())
    wrong = [int(v) for v in values if v not in (0, 255)]
    if wrong:
        yield f'{path}: values {wrong[:8]}, expected 0 and 255 only'

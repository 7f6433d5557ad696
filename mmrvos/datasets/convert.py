"""Write the results of the dataset converters.

Output appears when it is complete, and the source data are not changed.
"""
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pycocotools.mask as mask_utils

from mmrvos.utils import check_file, is_hidden
from mmrvos.utils.unfinished import locked, replacing, unfinished_folder


@contextmanager
def staged(out: str | Path, names: Sequence[str]) -> Iterator[Path]:
    """Make a folder to fill; its content moves to ``out`` at the end.

    Folders of converters that were killed are removed.

    Args:
        out: folder of the results; created if needed.
        names: relative paths of files and folders that will be made in it.

    Raises:
        FileExistsError: one of them exists already.
    """
    out = Path(out)
    check_absent(out, names)
    out.mkdir(parents=True, exist_ok=True)
    with unfinished_folder(out) as stage:
        yield stage
        with locked(out, optional=True):
            check_absent(out, names)  # another converter was faster
            for name in names:
                (out / name).parent.mkdir(parents=True, exist_ok=True)
                (stage / name).rename(out / name)


def check_absent(out: Path, names: Sequence[str]) -> None:
    for name in names:
        if (out / name).exists():
            raise FileExistsError(
                f'{out / name} is there already: remove it, or name another '
                'folder')


def write_json(path: str | Path, content: Any) -> None:
    """Write a JSON file; an interrupted write leaves no file."""
    with replacing(path) as partial:
        partial.write_text(json.dumps(content), encoding='utf-8')


def place(source: Path, target: Path, link: bool) -> None:
    """Copy a file, or the visible files of a folder, or link to it.

    Raises:
        FileNotFoundError: the source is missing.
        ValueError: one of the files is a pipe, a device or a socket.
    """
    if not source.exists():
        raise FileNotFoundError(f'{source} is missing')
    target.parent.mkdir(parents=True, exist_ok=True)
    if link:
        target.symlink_to(source.resolve(), source.is_dir())
    elif source.is_dir():
        target.mkdir()
        for path in source.iterdir():
            if not is_hidden(path) and not path.is_dir():
                copy_file(path, target / path.name)
    else:
        copy_file(source, target)


def copy_file(source: str | Path, target: str | Path) -> None:
    """Copy an ordinary file; other kinds are refused."""
    shutil.copyfile(check_file(source), target)


def coco_annotation(ann_id: int, image_id: str, mask: np.ndarray,
                    bbox: Sequence[float] | None = None) -> dict:
    """Build the annotation of one object for COCO's evaluation.

    Args:
        ann_id: number of the annotation, from 1.
        image_id: id of its image.
        mask: (H, W) bool.
        bbox: (x, y, width, height); None takes the box of the mask.
    """
    rle = mask_utils.encode(np.asfortranarray(mask, dtype=np.uint8))
    if bbox is None:
        bbox = mask_utils.toBbox(rle)
    return dict(
        id=ann_id,
        image_id=image_id,
        category_id=1,
        segmentation=dict(
            size=list(rle['size']), counts=rle['counts'].decode('ascii')),
        area=float(mask_utils.area(rle)),
        bbox=[float(v) for v in bbox],
        iscrowd=0)


def coco_ground_truth(images: list[dict], annotations: list[dict]) -> dict:
    """Build the content of a ground-truth file with one category."""
    return dict(
        images=images,
        annotations=annotations,
        categories=[dict(id=1, name='dummy_class')])

"""What the dataset converters share: nothing half-written, nothing moved."""
import csv
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pycocotools.mask as mask_utils

from mmrvos.utils import MAX_ANNOTATION_BYTES, check_file


@contextmanager
def staged(out: str | Path, names: Sequence[str]) -> Iterator[Path]:
    """A folder to fill; its files and folders move to ``out`` at the end.

    Args:
        out: folder of the results; made if needed.
        names: what will be made in it.

    Raises:
        FileExistsError: one of them is there already.
    """
    out = Path(out)
    for name in names:
        if (out / name).exists():
            raise FileExistsError(
                f'{out / name} is there already: remove it, or name another '
                'folder')
    stage = out / f'.converting-{os.getpid()}'
    stage.mkdir(parents=True)
    try:
        yield stage
        for name in names:
            (stage / name).rename(out / name)
    finally:
        shutil.rmtree(stage)


def write_json(path: str | Path, content: Any) -> None:
    """Write a file whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f'.{path.name}.{os.getpid()}')
    partial.write_text(json.dumps(content), encoding='utf-8')
    partial.rename(path)


def place(source: Path, target: Path, link: bool) -> None:
    """Copy a file or folder, or link to it. The source stays.

    Raises:
        FileNotFoundError: there is none.
        ValueError: one of the files is a pipe, a device or a socket.
    """
    if not source.exists():
        raise FileNotFoundError(f'{source} is missing')
    target.parent.mkdir(parents=True, exist_ok=True)
    if link:
        target.symlink_to(source.resolve(), source.is_dir())
    elif source.is_dir():
        shutil.copytree(source, target, copy_function=copy_file)
    else:
        copy_file(source, target)


def copy_file(source: str | Path, target: str | Path) -> None:
    """Copy an ordinary file; other kinds are refused."""
    shutil.copyfile(check_file(source), target)


def coco_annotation(ann_id: int, image_id: str, mask: np.ndarray,
                    bbox: Sequence[float] | None = None) -> dict:
    """One object of one image for COCO's evaluation.

    Args:
        ann_id: counts from 1.
        image_id: of its image.
        mask: (H, W) bool.
        bbox: x, y, width, height; None takes the mask's.
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
    """The content of a ground-truth file; there is one category."""
    return dict(
        images=images,
        annotations=annotations,
        categories=[dict(id=1, name='dummy_class')])


def read_table(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """The rows of a CSV file with a header.

    Raises:
        ValueError: a column is not there.
    """
    check_file(path, MAX_ANNOTATION_BYTES)
    with open(path, newline='', encoding='utf-8') as file:
        reader = csv.DictReader(file)
        found = reader.fieldnames or []
        if missing := [c for c in columns if c not in found]:
            raise ValueError(
                f'{path} has the columns {list(found)}, but lacks {missing}: '
                'is it the published file?')
        return list(reader)

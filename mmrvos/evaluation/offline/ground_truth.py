"""Ground truth of the benchmarks as they are downloaded, for scoring files.

Only annotations are needed: no frames, and no expressions where a benchmark is
scored without them.
"""
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pycocotools.mask as mask_utils

from mmrvos.structures import MaskSource, PNGMasks, RLEMasks


@dataclass
class VideoTask:
    """A video and its expressions; lists are as long as ``exp_ids``."""
    video_id: str
    frame_names: list[str]
    mask_source: MaskSource
    exp_ids: list[str]
    targets: list[list[str]]
    type_ids: list[Any]
    lengths: list[Any]


@dataclass
class LabelMapTask:
    """A DAVIS sequence."""
    video_id: str
    frame_names: list[str]
    mask_source: PNGMasks


@dataclass
class FrameTask:
    """An annotated frame with a sentence (A2D-, JHMDB-Sentences)."""
    video_id: str  # the image id of the COCO file
    rle: dict


class GroundTruthError(ValueError):
    """The ground truth is not what it should be; one line."""


def load_json(path: Path) -> Any:
    try:
        with open(path, encoding='utf-8') as file:
            return json.load(file)
    except FileNotFoundError:
        raise GroundTruthError(
            f'{path} is missing: see docs/evaluation.md for what a data set '
            'needs to be scored') from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise GroundTruthError(
            f'{path} is no valid JSON ({error}): fetch it again') from None


def load_videos(path: Path) -> dict[str, dict]:
    """The videos of an expression file, ``{video id: {'frames': [name, ...],
    'expressions': {id: {...}}}}``."""
    content = load_json(path)
    videos = content.get('videos') if isinstance(content, dict) else None
    if not isinstance(videos, dict):
        raise GroundTruthError(
            f"{path} is no expression file: expected {{'videos': {{...}}}}")
    for video_id, info in videos.items():
        if not (isinstance(info, dict) and info.get('frames')
                and isinstance(info.get('expressions'), dict)):
            raise GroundTruthError(
                f'{path}: video {video_id} does not list frames and '
                'expressions: fetch the file again')
    return videos


def official_videos(root: Path, split: str,
                    expressions: Path | None = None) -> dict[str, dict]:
    """The videos of a Ref-YouTube-VOS expression file.

    The official valid list is the file's videos that the test file does not
    hold: 202 of 507.
    """
    folder = root / 'meta_expressions'
    videos = load_videos(
        expressions or folder / split / 'meta_expressions.json')
    test = folder / 'test' / 'meta_expressions.json'
    if split == 'valid' and test.exists():
        excluded = load_videos(test)
        videos = {k: v for k, v in videos.items() if k not in excluded}
    return videos


def load_ytvos(root: Path,
               split: str = 'valid',
               expressions: Path | None = None) -> list[VideoTask]:
    """Ref-YouTube-VOS, Moving Shapes and whatever is stored like them.

    Args:
        root: holds ``<split>/Annotations`` and ``meta_expressions``.
        split: 'valid' or 'train'.
        expressions: another expression file: that of the competition names no
            objects, the one published with the annotations does.
    """
    tasks = []
    for video_id, info in sorted(
            official_videos(root, split, expressions).items()):
        frames = sorted(info['frames'])
        tasks.append(
            _video_task(
                video_id, frames,
                PNGMasks(root / split / 'Annotations' / video_id, frames),
                info['expressions'], 'obj_id'))
    return tasks


def load_mevis(root: Path,
               split: str = 'valid_u',
               expressions: Path | None = None) -> list[VideoTask]:
    """MeViS, and ReVOS, whose files have the same form.

    Args:
        root: holds ``<split>/meta_expressions.json`` and ``mask_dict.json``.
        split: '.' where the files lie in ``root`` itself.
        expressions: another expression file (ReVOS:
            ``meta_expressions_valid_.json``).
    """
    folder = root / split
    videos = load_videos(expressions or folder / 'meta_expressions.json')
    masks = load_json(folder / 'mask_dict.json')
    tasks = []
    for video_id, info in sorted(videos.items()):
        ids = {str(i) for e in info['expressions'].values()
               for i in _as_list(e.get('anno_id', []))}
        for i in sorted(ids):
            if len(masks.get(i, ())) < len(info['frames']):
                raise GroundTruthError(
                    f'{folder}/mask_dict.json: {len(masks.get(i, ()))} masks '
                    f'for annotation {i} of video {video_id}, which has '
                    f"{len(info['frames'])} frames: the files do not belong "
                    'together')
        rles = {i: masks[i] for i in ids}
        tasks.append(
            _video_task(video_id, info['frames'],
                        RLEMasks(rles, _rle_shape(rles, info, video_id)),
                        info['expressions'], 'anno_id'))
    return tasks


def load_davis17(root: Path) -> list[LabelMapTask]:
    """DAVIS-2017 validation sequences, all frames of their annotations.

    Args:
        root: the DAVIS folder (``Annotations_unsupervised/480p`` and
            ``ImageSets/2017/val.txt``), the converted Ref-DAVIS17 folder
            (``valid/Annotations``), or a folder of sequences.
    """
    known = ('Annotations_unsupervised/480p', 'valid/Annotations',
             'Annotations/480p', '.')
    folder = next(root / k for k in known if (root / k).is_dir()) if (
        root.is_dir()) else None
    if folder is None:
        raise GroundTruthError(f'{root} is not a folder of annotations')
    listed = root / 'ImageSets' / '2017' / 'val.txt'
    names = (listed.read_text(encoding='utf-8').split() if listed.exists() else
             sorted(p.name for p in folder.iterdir() if p.is_dir()))
    tasks = []
    for name in names:
        frames = sorted(p.stem for p in (folder / name).glob('*.png'))
        if not frames:
            raise GroundTruthError(
                f'{folder / name} holds no PNG: unpack the annotations '
                '(DAVIS-2017-Unsupervised-trainval-480p) again')
        tasks.append(
            LabelMapTask(name, frames, PNGMasks(folder / name, frames, 255)))
    if not tasks:
        raise GroundTruthError(f'{folder} holds no sequences')
    return tasks


def load_frames(root: Path, file_name: str) -> list[FrameTask]:
    """A2D- or JHMDB-Sentences from the ground truth in COCO's format that the
    official code evaluates against.

    Args:
        root: the file, or the folder that holds ``file_name``.
    """
    path = root if root.is_file() else root / file_name
    coco = load_json(path)
    if not isinstance(coco, dict) or 'annotations' not in coco:
        raise GroundTruthError(
            f'{path} is no COCO file: it has no annotations')
    tasks = {}
    for annotation in coco['annotations']:
        image_id = str(annotation['image_id'])
        if image_id in tasks:
            raise GroundTruthError(
                f'{path}: image {image_id} has more than one annotation; a '
                'sample is one frame, one instance and one sentence')
        rle = annotation['segmentation']
        if not isinstance(rle, dict):
            raise GroundTruthError(
                f'{path}: image {image_id} has polygons, expected COCO RLE')
        if isinstance(rle['counts'], list):
            rle = mask_utils.frPyObjects(rle, *rle['size'])
        tasks[image_id] = FrameTask(image_id, rle)
    return [tasks[k] for k in sorted(tasks)]


def _as_list(ids: Any) -> list:
    return ids if isinstance(ids, list) else [ids]


def _video_task(video_id: str, frames: Sequence[str], source: MaskSource,
                expressions: dict[str, dict], id_key: str) -> VideoTask:
    unmarked = [k for k, e in expressions.items() if id_key not in e]
    if unmarked:
        raise GroundTruthError(
            f'video {video_id}, expression {unmarked[0]}: no {id_key} in the '
            'expression file (that of the competition has none): give the one '
            'published with the annotations by --expressions')
    return VideoTask(
        video_id=video_id,
        frame_names=list(frames),
        mask_source=source,
        exp_ids=list(expressions),
        targets=[[str(i) for i in _as_list(e[id_key])]
                 for e in expressions.values()],
        type_ids=[e.get('type_id', e.get('type'))
                  for e in expressions.values()],
        lengths=[e.get('length') for e in expressions.values()])


def _rle_shape(rles: dict[str, list], info: dict,
               video_id: str) -> tuple[int, int]:
    for frames in rles.values():
        for rle in frames:
            if rle is not None:
                return tuple(rle['size'])
    if 'height' in info and 'width' in info:
        return info['height'], info['width']
    raise GroundTruthError(
        f'video {video_id}: no mask and no height and width say how large its '
        'frames are')

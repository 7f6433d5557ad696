"""Convert your own frames, masks and sentences to the Ref-YouTube-VOS layout.

Reads FRAMES/<video>/*.jpg (or png), MASKS/<video>/*.png with the same names,
and a CSV file of sentences with the header

    video,object,sentence[,type]

Pixel values of masks are object ids. Masks of 0 and 255 show one object, which
gets id 1. The column object holds one id, several ids ("1 3" means all of
them), or nothing (the video has no such object). Frames with an EXIF
orientation are stored upright. configs/_base_/datasets/custom.py reads the
result.
"""
import argparse
import random
from pathlib import Path

import numpy as np
from mmengine.utils import track_iter_progress
from PIL import Image

from mmrvos.datasets.annotation_files import (
    check_pixel_value,
    in_order_of_time,
    read_table,
)
from mmrvos.datasets.convert import place, staged, write_json
from mmrvos.utils import (
    MAX_IMAGE_BYTES,
    check_distinct,
    check_file,
    check_name,
    clear_errors,
    has_orientation,
    image_shape,
    read_image,
    read_pixels,
    visible_files,
)


def read_sentences(path: Path) -> dict[str, list[dict]]:
    """Read the table of sentences.

    Returns:
        {video: expressions}, in the order of the file.
    """
    videos: dict[str, list[dict]] = {}
    for where, row in read_table(path, ('video', 'object', 'sentence')):
        if not row['sentence'].strip():
            raise ValueError(f'{where}: the sentence is empty')
        expression = dict(
            exp=row['sentence'].strip(), obj_id=row['object'].split())
        for obj_id in expression['obj_id']:
            check_pixel_value(obj_id, where)
        if row.get('type'):
            expression['type_id'] = row['type']
        video = check_name(row['video'].strip(), 'video', where)
        videos.setdefault(video, []).append(expression)
    if not videos:
        raise ValueError(f'{path} holds no sentences')
    check_distinct(list(videos), 'video', path)
    return videos


def frames_of(folder: Path) -> list[Path]:
    """List the frames of a video in order of time.

    Raises:
        FileNotFoundError: there are none.
        ValueError: two images have one name, or one is no ordinary file.
    """
    frames = visible_files(folder.glob('*'), ('.jpg', '.jpeg', '.png'))
    if not frames:
        raise FileNotFoundError(
            f'{folder} holds no .jpg or .png, but its video has sentences')
    names = [p.stem for p in frames]
    check_distinct(names, 'frame', folder)
    for path in frames:
        check_file(path, MAX_IMAGE_BYTES)
    return [frames[i] for i in in_order_of_time(names)]


def read_mask(path: Path, frame: Path) -> np.ndarray:
    """Read a label map, (H, W) uint8.

    Raises:
        FileNotFoundError, ValueError: it is missing or does not fit the frame.
    """
    if not path.exists():
        raise FileNotFoundError(f'{path} is missing: {frame} has no mask')
    mask, shape = read_pixels(path), image_shape(frame)
    if mask.ndim != 2 or mask.dtype not in (np.uint8, bool):
        raise ValueError(
            f'{path} is {mask.shape} {mask.dtype}, expected a palette, grey '
            'or binary PNG whose values are object ids')
    upright = read_image(frame).shape[:2] if has_orientation(
        frame) else shape
    if mask.shape not in (shape, upright):
        raise ValueError(
            f'{path} is {mask.shape}, its frame is {upright} (height, width)')
    return mask.astype(np.uint8)


def write_frame(frame: Path, mask: np.ndarray, image: Path,
                link: bool) -> None:
    """Write a frame as an upright JPEG of the size of its mask.

    A JPEG without EXIF orientation is copied, or linked to.
    """
    if frame.suffix.lower() != '.png' and not has_orientation(frame):
        place(frame, image, link)
        return
    image.parent.mkdir(parents=True, exist_ok=True)
    pixels = read_image(frame, lambda: mask.shape)
    Image.fromarray(pixels).save(image, quality=95)


def convert_video(video: str, expressions: list[dict], frames: list[Path],
                  masks: Path, target: Path, link: bool) -> None:
    """Write frames and masks of one video under ``target``."""
    maps = [read_mask(masks / video / f'{f.stem}.png', f) for f in frames]
    ids = set(np.unique(np.concatenate([np.unique(m) for m in maps])).tolist())
    if ids <= {0, 255}:
        maps, ids = [(m > 0).astype(np.uint8) for m in maps], {0, 1}
    for expression in expressions:
        for obj_id in expression['obj_id']:
            if int(obj_id) not in ids:
                raise ValueError(
                    f'video {video}: {expression["exp"]!r} names object '
                    f'{obj_id}, but its masks hold {sorted(ids - {0})}')
    for frame, label_map in zip(frames, maps, strict=True):
        write_frame(frame, label_map,
                    target / 'JPEGImages' / video / f'{frame.stem}.jpg', link)
        mask = target / 'Annotations' / video / f'{frame.stem}.png'
        mask.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(label_map).save(mask)


def assign_splits(videos: list[str], split: str,
                  hold_out: float) -> dict[str, list[str]]:
    """Assign every video to a split.

    The sentences of a video stay together: a video that is partly in both
    splits would be validated on frames that were trained on.

    Args:
        videos: ids of all videos.
        split: of the videos that are not held out.
        hold_out: share of the videos for the split 'valid', at least one; 0
            holds none out. The choice depends on the ids only.

    Raises:
        ValueError: the share is not in [0, 1), or no video would remain.
    """
    if not 0 <= hold_out < 1:
        raise ValueError(f'--hold-out {hold_out}: expected at least 0 and '
                         'less than 1, the share of the videos')
    if not hold_out:
        return {split: videos}
    if split == 'valid':
        raise ValueError('--hold-out writes the split valid, and --split is '
                         'valid, too: name another split, such as train')
    count = max(1, round(hold_out * len(videos)))
    if count == len(videos):
        raise ValueError(
            f'--hold-out {hold_out} of {len(videos)} videos leaves none for '
            f'{split}: give more videos or a smaller share')
    held = set(random.Random(0).sample(sorted(videos), count))
    return {
        split: [v for v in videos if v not in held],
        'valid': [v for v in videos if v in held]
    }


def convert(frames: Path, masks: Path, sentences: Path, out: Path, split: str,
            link: bool, hold_out: float = 0.) -> None:
    """Convert videos to one split, or to two, see the top of this file."""
    listed = read_sentences(sentences)
    images = {v: frames_of(frames / v) for v in listed}
    videos = {
        v: dict(
            expressions={str(i): e for i, e in enumerate(expressions)},
            frames=[p.stem for p in images[v]])
        for v, expressions in listed.items()
    }
    splits = assign_splits(list(listed), split, hold_out)
    ann_files = {
        name: out / f'meta_expressions/{name}/meta_expressions.json'
        for name in splits
    }
    for ann_file in ann_files.values():
        if ann_file.exists():
            raise FileExistsError(
                f'{ann_file} is there already: remove it, or name another '
                'split')
    split_of = {v: name for name, ids in splits.items() for v in ids}
    with staged(out, list(splits)) as stage:
        for video in track_iter_progress(list(listed)):
            convert_video(video, listed[video], images[video], masks,
                          stage / split_of[video], link)
    print()
    for name, ids in splits.items():
        write_json(ann_files[name], dict(videos={v: videos[v] for v in ids}))
        count = sum(len(listed[v]) for v in ids)
        print(f'{name}: {len(ids)} videos, {count} sentences in {out}')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--frames',
        type=Path,
        required=True,
        help='folder with one folder of .jpg or .png files per video')
    parser.add_argument(
        '--masks',
        type=Path,
        required=True,
        help='folder with one folder of .png files per video; a mask has the '
        'name of its frame')
    parser.add_argument(
        '--sentences',
        type=Path,
        required=True,
        help='CSV file with the header video,object,sentence[,type]')
    parser.add_argument(
        '--out',
        type=Path,
        required=True,
        help='folder of the converted data set, data_root of the config; '
        'created if needed')
    parser.add_argument(
        '--split',
        default='train',
        help='name of the split: train, valid or test (default: train)')
    parser.add_argument(
        '--hold-out',
        type=float,
        default=0.,
        metavar='SHARE',
        help='put this share of the videos, at least one, into the split '
        'valid; the choice is the same in every call (default: 0)')
    parser.add_argument(
        '--link',
        action='store_true',
        help='link to JPEG frames instead of copying them')
    return parser.parse_args()


@clear_errors
def main() -> None:
    args = parse_args()
    convert(args.frames, args.masks, args.sentences, args.out, args.split,
            args.link, args.hold_out)


if __name__ == '__main__':
    main()

"""Your own frames, masks and sentences -> the Ref-YouTube-VOS layout.

FRAMES/<video>/*.jpg (or png), MASKS/<video>/*.png with the same names, pixel
value = object id (or 0 and 255 for a single object, which gets id 1), and a
CSV of sentences with the header

    video,object,sentence[,type]

where object may be several ids ("1 3": all of them are meant) or empty (there
is no such thing in the video). The result is read by RefYoutubeVOSDataset.
"""
import argparse
import csv
from pathlib import Path

import numpy as np
from mmengine.utils import track_iter_progress
from PIL import Image

from mmrvos.datasets.convert import place, staged, write_json
from mmrvos.utils import (
    MAX_ANNOTATION_BYTES,
    MAX_IMAGE_BYTES,
    check_distinct,
    check_file,
    check_name,
    clear_errors,
)


def read_sentences(path: Path) -> dict[str, list[dict]]:
    """{video: expressions}, in the order of the file."""
    videos: dict[str, list[dict]] = {}
    check_file(path, MAX_ANNOTATION_BYTES)
    with open(path, newline='', encoding='utf-8') as file:
        reader = csv.DictReader(file)
        missing = {'video', 'object', 'sentence'} - set(
            reader.fieldnames or ())
        if missing:
            raise ValueError(
                f'{path} has the columns {reader.fieldnames}, but lacks '
                f'{sorted(missing)}')
        for number, row in enumerate(reader, 2):
            if not (row['sentence'] or '').strip():
                raise ValueError(f'{path}, line {number}: no sentence')
            expression = dict(
                exp=row['sentence'].strip(),
                obj_id=(row['object'] or '').split())
            if row.get('type'):
                expression['type_id'] = row['type']
            video = check_name(row['video'], 'video', f'{path}, line {number}')
            videos.setdefault(video, []).append(expression)
    if not videos:
        raise ValueError(f'{path} holds no sentences')
    check_distinct(list(videos), 'video', path)
    return videos


def frames_of(folder: Path) -> list[Path]:
    """The images of a video, sorted.

    Raises:
        FileNotFoundError: there are none.
        ValueError: two images have one name, or one is no ordinary file.
    """
    frames = sorted(
        p for p in folder.glob('*')
        if p.suffix.lower() in ('.jpg', '.jpeg', '.png'))
    if not frames:
        raise FileNotFoundError(
            f'{folder} holds no .jpg or .png, but its video has sentences')
    check_distinct([p.stem for p in frames], 'frame', folder)
    for path in frames:
        check_file(path, MAX_IMAGE_BYTES)
    return frames


def read_mask(path: Path, frame: Path) -> np.ndarray:
    """A label map (H, W) uint8.

    Raises:
        FileNotFoundError, ValueError: it is missing or does not fit.
    """
    if not path.exists():
        raise FileNotFoundError(f'{path} is missing: {frame} has no mask')
    check_file(path, MAX_IMAGE_BYTES)
    with Image.open(path) as image, Image.open(frame) as picture:
        mask, size = np.array(image), picture.size
    if mask.ndim != 2 or mask.dtype not in (np.uint8, bool):
        raise ValueError(
            f'{path} is {mask.shape} {mask.dtype}, expected a palette, grey '
            'or binary PNG whose values are object ids')
    if mask.shape != size[::-1]:
        raise ValueError(
            f'{path} is {mask.shape}, its frame {size[::-1]} (height, width)')
    return mask.astype(np.uint8)


def convert_video(video: str, expressions: list[dict], frames: list[Path],
                  masks: Path, target: Path, link: bool) -> None:
    """Write frames and masks of one video under ``target``."""
    maps = [read_mask(masks / video / f'{f.stem}.png', f) for f in frames]
    ids = set(np.unique(np.concatenate([np.unique(m) for m in maps])).tolist())
    if ids <= {0, 255}:
        maps, ids = [(m > 0).astype(np.uint8) for m in maps], {0, 1}
    for expression in expressions:
        for obj_id in expression['obj_id']:
            if not obj_id.isdigit() or int(obj_id) not in ids - {0}:
                raise ValueError(
                    f'video {video}: {expression["exp"]!r} is about object '
                    f'{obj_id}, but its masks hold {sorted(ids - {0})}')
    for frame, label_map in zip(frames, maps, strict=True):
        image = target / 'JPEGImages' / video / f'{frame.stem}.jpg'
        if frame.suffix.lower() == '.png':
            image.parent.mkdir(parents=True, exist_ok=True)
            with Image.open(frame) as picture:
                picture.convert('RGB').save(image, quality=95)
        else:
            place(frame, image, link)
        mask = target / 'Annotations' / video / f'{frame.stem}.png'
        mask.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(label_map).save(mask)


def convert(frames: Path, masks: Path, sentences: Path, out: Path, split: str,
            link: bool) -> None:
    """Make one split; see the top of this file."""
    listed = read_sentences(sentences)
    images = {v: frames_of(frames / v) for v in listed}
    videos = {
        v: dict(
            expressions={str(i): e for i, e in enumerate(expressions)},
            frames=[p.stem for p in images[v]])
        for v, expressions in listed.items()
    }
    # the split's own names, so that others can stand beside it
    ann_file = f'meta_expressions/{split}/meta_expressions.json'
    if (out / ann_file).exists():
        raise FileExistsError(
            f'{out / ann_file} is there already: remove it, or name another '
            'split')
    with staged(out, [split]) as stage:
        for video in track_iter_progress(list(listed)):
            convert_video(video, listed[video], images[video], masks,
                          stage / split, link)
    write_json(out / ann_file, dict(videos=videos))
    count = sum(len(e) for e in listed.values())
    print(f'\n{split}: {len(videos)} videos, {count} sentences in {out}')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--frames', type=Path, required=True)
    parser.add_argument('--masks', type=Path, required=True)
    parser.add_argument('--sentences', type=Path, required=True)
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--split', default='train')
    parser.add_argument(
        '--link',
        action='store_true',
        help='link to JPEG frames instead of copying them')
    return parser.parse_args()


@clear_errors
def main() -> None:
    args = parse_args()
    convert(args.frames, args.masks, args.sentences, args.out, args.split,
            args.link)


if __name__ == '__main__':
    main()

"""Convert your own videos, masks and sentences to the Ref-YouTube-VOS layout.

Without --format, the input is

    FRAMES/<video>/<frame>.jpg (or png), or FRAMES/<video>.mp4
    MASKS/<video>/<frame>.png, with the names of the frames
    a CSV file with the header video,object,sentence[,type][,split]

Pixel values of masks are object ids. Masks of 0 and 255 show one object, which
gets id 1. The column object holds one id, several ids ("1 3" means all of
them), or nothing (the video has no such object). Frames of a video file are
numbered from 00000. Frames with an EXIF orientation are stored upright.

With --format, masks come from the annotation file of another program:

    coco          instances with polygons or RLE (CVAT, Roboflow, ...). A video
                  is a folder of images, an object is a track_id or a category
    youtube-vis   videos with one list of segmentations per object (OVIS, too)
    label-studio  JSON, one task per frame, polygons or brush masks. An object
                  is a label; a text field of a region is a sentence
    mevis         meta_expressions.json, with mask_dict.json beside it

Sentences of these files are used, or those of --sentences, whose column object
holds the id of the track, the category, the annotation or the label, with "_"
in the place of blanks.

configs/_base_/datasets/custom.py reads the result; docs/own_data.md goes on to
training and testing.
"""
import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mmengine.utils import track_iter_progress
from PIL import Image

from mmrvos.datasets.convert import place, staged, write_json
from mmrvos.datasets.own_data import (
    FORMATS,
    ExportedVideo,
    Frames,
    MaskFolder,
    assign_splits,
    frames_of,
    parse_shares,
    read_export,
    read_sentences,
)
from mmrvos.utils import (
    MAX_IMAGE_BYTES,
    check_distinct,
    check_file,
    check_name,
    clear_errors,
    has_orientation,
    image_shape,
    read_image,
    visible_files,
)


def upright_shapes(
        frame: Path | np.ndarray) -> tuple[tuple[int, int], tuple[int, int]]:
    """(height, width) of the stored pixels, and of the upright image."""
    if isinstance(frame, np.ndarray):
        return frame.shape[:2], frame.shape[:2]
    shape = image_shape(frame)
    if has_orientation(frame):
        return shape, read_image(frame).shape[:2]
    return shape, shape


@dataclass
class Video:
    """A video to write.

    Attributes:
        name: its id.
        expressions: as in the expression file.
        frames: its frames.
        masks: its label maps, one per frame.
    """
    name: str
    expressions: list[dict]
    frames: Frames
    masks: MaskFolder | ExportedVideo

    def write(self, target: Path, link: bool) -> int:
        """Write frames and masks under ``target``.

        Returns:
            The number of pixels that several objects cover.
        """
        if isinstance(self.masks, MaskFolder):
            self.masks.check_objects(self.name, self.expressions)
        covered = 0
        for t, frame in enumerate(self.frames.read()):
            labels, overlap = self.masks.label_map(t)
            covered += overlap
            name = self.frames.names[t]
            shapes = upright_shapes(frame)
            if labels.shape not in shapes:
                raise ValueError(
                    f'the mask of frame {name} of video {self.name} is '
                    f'{labels.shape}, its frame is {shapes[1]} (height, '
                    'width)')
            write_frame(frame, labels,
                        target / 'JPEGImages' / self.name / f'{name}.jpg',
                        link)
            mask = target / 'Annotations' / self.name / f'{name}.png'
            mask.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(labels).save(mask)
        return covered


def write_frame(frame: Path | np.ndarray, mask: np.ndarray, image: Path,
                link: bool) -> None:
    """Write a frame as an upright JPEG of the size of its mask.

    A JPEG without EXIF orientation is copied, or linked to.
    """
    if isinstance(frame, Path):
        if frame.suffix.lower() != '.png' and not has_orientation(frame):
            place(frame, image, link)
            return
        frame = read_image(frame, lambda: mask.shape)
    image.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(frame).save(image, quality=95)


def videos_of_folders(frames: Path, masks: Path,
                      sentences: dict[str, list[dict]], every: int,
                      annotated_only: bool) -> list[Video]:
    """List the videos of a folder of frames and a folder of masks."""
    videos = []
    for name, expressions in sentences.items():
        wanted = None
        if annotated_only:
            wanted = [
                p.stem for p in visible_files((masks / name).glob('*.png'))
            ]
            if not wanted:
                raise FileNotFoundError(f'{masks / name} holds no .png')
        found = frames_of(frames, name, wanted).thinned(every)
        videos.append(
            Video(name, expressions, found,
                  MaskFolder(masks / name, found.names)))
    return videos


def videos_of_export(frames: Path, exported: Sequence[ExportedVideo],
                     every: int) -> list[Video]:
    """Find the frames of the videos of an annotation file."""
    videos = []
    for video in exported:
        paths = [frames / file for file in video.files]
        names = [path.stem for path in paths]
        check_distinct(names, 'frame', video.name)
        if all(path.exists() for path in paths):
            for path in paths:
                check_file(path, MAX_IMAGE_BYTES)
            found = Frames(names, paths)
        else:
            # frames in another folder of this name, or a video file
            try:
                found = frames_of(frames, video.name, names)
            except FileNotFoundError:
                missing = next(p for p in paths if not p.exists())
                raise FileNotFoundError(
                    f'{missing} is missing: --frames is the folder that the '
                    'names of images in the annotation file start from, or '
                    f'that contains {video.name}.mp4') from None
        if found.names != names:
            raise ValueError(
                f'video {video.name}: the order of its frames differs '
                'between the annotation file and the numbers of the frames')
        videos.append(
            Video(video.name, video.expressions, found.thinned(every),
                  video.thinned(every)))
    return videos


def convert(frames: Path,
            masks: Path | None,
            sentences: Path | None,
            out: Path,
            split: str,
            link: bool,
            hold_out: float | dict[str, float] = 0.,
            *,
            annotations: Path | None = None,
            format: str | None = None,
            every: int = 1,
            annotated_only: bool = False) -> None:
    """Convert videos to one or several splits, see the top of this file."""
    listed, given = (
        read_sentences(sentences, label_maps=format is None)
        if sentences else (None, {}))
    if format is None:
        videos = videos_of_folders(frames, masks, listed, every,
                                   annotated_only)
    else:
        videos = videos_of_export(
            frames,
            read_export(
                format, annotations, mask_file=masks, sentences=listed),
            every)
    check_distinct([v.name for v in videos], 'video',
                   annotations or sentences)
    splits = assign_splits([v.name for v in videos], check_name(
        split, 'split', '--split'), hold_out, given)
    for name in splits:
        if check_name(name, 'split', sentences or out) == 'meta_expressions':
            raise ValueError(
                f'split {name}: the folder of the sentences has this name, '
                'choose another one')
    ann_files = {
        name: f'meta_expressions/{name}/meta_expressions.json'
        for name in splits
    }
    split_of = {v: name for name, ids in splits.items() for v in ids}
    entries = {
        v.name: dict(
            expressions={str(i): e for i, e in enumerate(v.expressions)},
            frames=v.frames.names)
        for v in videos
    }
    covered = 0
    with staged(out, [*splits, *ann_files.values()]) as stage:
        for name, ids in splits.items():
            write_json(stage / ann_files[name],
                       dict(videos={v: entries[v] for v in ids}))
        for video in track_iter_progress(videos):
            covered += video.write(stage / split_of[video.name], link)
    print()
    for name, ids in splits.items():
        count = sum(len(entries[v]['expressions']) for v in ids)
        print(f'{name}: {len(ids)} videos, {count} sentences in {out}')
    if covered:
        print(f'{covered} pixels are covered by several objects: a label map '
              'keeps one, the smaller object')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_argument_group('input')
    source.add_argument(
        '--frames',
        type=Path,
        required=True,
        metavar='DIR',
        help='folder with, per video, a folder of .jpg or .png files or a '
        'video file. With --format, the folder that the names of images in '
        'the annotation file start from')
    source.add_argument(
        '--masks',
        type=Path,
        metavar='DIR',
        help='folder with one folder of .png files per video; a mask has the '
        'name of its frame. With --format mevis, mask_dict.json (default: '
        'beside the annotation file)')
    source.add_argument(
        '--sentences',
        type=Path,
        metavar='FILE',
        help='CSV file in UTF-8 with the header video,object,sentence and '
        'optionally the columns type (a kind of sentence, scored as a split) '
        'and split (of the video)')
    source.add_argument(
        '--format', choices=FORMATS, help='format of --annotations, see above')
    source.add_argument(
        '--annotations',
        type=Path,
        metavar='FILE',
        help='annotation file in the format --format, in the place of --masks')
    source.add_argument(
        '--annotated-only',
        action='store_true',
        help='leave out frames without a mask file; without this option every '
        'frame needs a mask')
    source.add_argument(
        '--every',
        type=int,
        default=1,
        metavar='N',
        help='keep every N-th frame (default: 1, all frames). '
        'Ref-YouTube-VOS has 6 frames per second')
    result = parser.add_argument_group('output')
    result.add_argument(
        '--out',
        type=Path,
        required=True,
        metavar='DIR',
        help='folder of the converted data set, data_root of the config; '
        'created if needed')
    result.add_argument(
        '--split',
        default='train',
        metavar='NAME',
        help='split of the videos that neither the table nor --hold-out '
        'assigns: train, valid or test (default: train)')
    result.add_argument(
        '--hold-out',
        nargs='+',
        default=[],
        metavar='SHARE',
        help='put this share of the videos that have no split in the table, '
        'at least one, into the split valid; several splits as valid=0.1 '
        'test=0.1. The choice is the same in every call (default: none)')
    result.add_argument(
        '--link',
        action='store_true',
        help='link to JPEG frames instead of copying them')
    args = parser.parse_args()
    check_args(parser, args)
    return args


def check_args(parser: argparse.ArgumentParser,
               args: argparse.Namespace) -> None:
    """End with status 2 and one line if options do not fit together."""
    if args.every < 1:
        parser.error(f'--every is {args.every}, expected 1 or more')
    if args.format is None:
        for option in ('masks', 'sentences'):
            if getattr(args, option) is None:
                parser.error(f'--{option} is missing; it is needed without '
                             '--format')
        if args.annotations is not None:
            parser.error('--annotations needs --format, one of '
                         + ', '.join(FORMATS))
        return
    if args.annotations is None:
        parser.error(f'--format {args.format} needs --annotations FILE')
    if args.masks is not None and args.format != 'mevis':
        parser.error('--masks is for folders of masks and for mevis: the '
                     f'masks of {args.format} are in the annotation file')
    if args.annotated_only:
        parser.error('--annotated-only is for folders of masks; leave it out')


@clear_errors
def main() -> None:
    args = parse_args()
    convert(
        args.frames,
        args.masks,
        args.sentences,
        args.out,
        args.split,
        args.link,
        parse_shares(args.hold_out),
        annotations=args.annotations,
        format=args.format,
        every=args.every,
        annotated_only=args.annotated_only)


if __name__ == '__main__':
    main()

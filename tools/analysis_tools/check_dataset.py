"""Check the data sets of a config.

Prints the counts that were found and the published ones, names missing files
and tells where the data can be obtained. --decode also opens every file. The
exit status is 1 if there is a problem.
"""
import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import singledispatch
from pathlib import Path

import cv2
from mmengine.registry import init_default_scope
from mmengine.utils import ProgressBar

from mmrvos.datasets.annotation_files import load_json
from mmrvos.datasets.base import BaseRVOSDataset
from mmrvos.datasets.expected_counts import SOURCES, expected
from mmrvos.datasets.mask_sources import H5Masks, MatMasks
from mmrvos.registry import DATASETS
from mmrvos.structures import MaskSource, PNGMasks, UnknownObjectError
from mmrvos.utils import (
    KeyValueAction,
    clear_errors,
    map_in_processes,
    read_image,
)

SHOWN = 5  # problems of one kind that are printed


@dataclass
class Report:
    """One data set of the config.

    Args:
        title: loader, class and annotation file, for people.
        kind: the class.
        ann_file: its annotation file.
        counts: what was found.
        problems: {kind: lines}.
    """
    title: str
    kind: str
    ann_file: str = ''
    counts: dict[str, int] = field(default_factory=dict)
    problems: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, line: str) -> None:
        self.problems.setdefault(kind, []).append(line)

    def print(self) -> None:
        """The table of this data set, then its problems."""
        wanted = expected(self.kind, self.ann_file)
        print(f'\n{self.title}')
        if self.counts:
            print(f'  {"":12} {"found":>9} {"expected":>9}')
        for name, found in self.counts.items():
            number = getattr(wanted, name, None)
            shown = '-' if number is None else f'{number:,}'
            print(f'  {name:12} {found:>9,} {shown:>9}')
            if number not in (None, found):
                self.add('counts that differ',
                         f'{name}: {found:,} found, {number:,} published')
        for kind, lines in self.problems.items():
            print(f'  {kind}: {len(lines)}')
            for line in lines[:SHOWN]:
                print(f'    {line}')
            if len(lines) > SHOWN:
                print(f'    ... and {len(lines) - SHOWN} more')
        if self.problems and self.kind in SOURCES:
            print(f'  source: {SOURCES[self.kind]}')


def data_parts(cfg: dict) -> Iterator[tuple[str, dict]]:
    """(loader, config) of every data set, each once."""
    seen = []
    for loader in ('train', 'val', 'test'):
        dataset = cfg.get(f'{loader}_dataloader', {}).get('dataset')
        if dataset is None:
            continue
        for part in dataset.get('datasets', [dataset]):
            if part not in seen:
                seen.append(part)
                yield loader, part


@singledispatch
def mask_files(source: MaskSource, video: dict) -> list[str]:
    """List the files that must exist.

    Empty if masks are in the annotation file, or if a missing file means an
    absent object.
    """
    return []


@mask_files.register
def _(source: PNGMasks, video: dict) -> list[str]:
    return [f'{source.root}/{n}.png' for n in video['frame_names']]


@mask_files.register
def _(source: H5Masks, video: dict) -> list[str]:
    return [f'{source.root}/{video["key_frame"] + 1:05d}.h5']


@mask_files.register
def _(source: MatMasks, video: dict) -> list[str]:
    return [source.path]


def image_files(video: dict) -> list[str]:
    if 'video_path' in video:
        return [video['video_path']]
    return [
        f'{video["img_dir"]}/{name}{video["img_suffix"]}'
        for name in video['frame_names']
    ]


class Folders:
    """Look up files; every folder is listed once."""

    def __init__(self) -> None:
        self.listed: dict[str, set[str]] = {}

    def has(self, path: str) -> bool:
        folder, name = os.path.split(path)
        if folder not in self.listed:
            self.listed[folder] = set(
                os.listdir(folder)) if os.path.isdir(folder) else set()
        return name in self.listed[folder]


def decode_video(video: dict) -> tuple[list[tuple[str, str]], set[tuple]]:
    """Open every file of a video.

    Returns:
        (kind, line) of every problem, and the targets that a mask shows.
    """
    problems, seen, shapes = [], set(), {}
    if 'video_path' in video:
        clip = cv2.VideoCapture(video['video_path'])
        count = 0
        while clip.grab():
            count += 1
        ok, picture = cv2.VideoCapture(video['video_path']).read()
        if count < len(video['frame_names']):
            problems.append(
                ('short videos', f'{video["video_path"]}: {count} frames, '
                 f'{len(video["frame_names"])} listed'))
        if ok:
            shapes = dict.fromkeys(
                range(len(video['frame_names'])), picture.shape[:2])
    else:
        for t, path in enumerate(image_files(video)):
            try:
                shapes[t] = read_image(path).shape[:2]
            except (OSError, ValueError) as error:
                problems.append(('broken frames', str(error)))
    source = video['mask_source']
    if source is None:
        return problems, seen
    frames = ([video['key_frame']]
              if 'key_frame' in video else range(len(video['frame_names'])))
    targets = {tuple(e['obj_ids']) for e in video['expressions']} - {()}
    for t in frames:
        for target in sorted(targets):
            try:
                mask = source.read(target, t)
            except UnknownObjectError:
                targets.remove(target)  # it stays among those never seen
                continue
            except (OSError, ValueError) as error:
                problems.append(('broken masks', str(error)))
                break
            if mask.any():
                seen.add(target)
            if mask.shape != shapes.get(t, mask.shape):
                problems.append(
                    ('masks of another size', f'video {video["video_id"]}, '
                     f'frame {video["frame_names"][t]}: mask {mask.shape}, '
                     f'frame {shapes[t]}'))
                break
    return problems, seen


def check_ids(dataset: BaseRVOSDataset, report: Report) -> None:
    """Compare the objects of the expressions with those of the meta.json next
    to the frames, if there is one."""
    folder = Path(dataset.data_prefix.get('img') or '.').parent
    if not (folder / 'meta.json').exists():
        return
    objects = load_json(folder / 'meta.json')['videos']
    for i in range(len(dataset.videos)):
        video = dataset.videos[i]
        known = objects.get(video['video_id'], {}).get('objects', {})
        for e in video['expressions']:
            unknown = sorted(set(e['obj_ids']) - set(known))
            if unknown:
                report.add(
                    'unknown objects', f'video {video["video_id"]}, '
                    f'expression {e["exp_id"]}: {unknown}, meta.json knows '
                    f'{sorted(known)}')


def check(loader: str, part: dict, decode: bool, workers: int) -> Report:
    """Check one data set of the config."""
    report = Report(f'{loader}: {part["type"]} {part.get("ann_file", "")}',
                    part['type'])
    try:
        dataset = DATASETS.build(dict(part, pipeline=[]))
    except (OSError, ValueError, KeyError) as error:
        report.add('cannot be built', str(error))
        return report
    # published counts are those of all expressions
    if all(part.get(key) in (None, 'all')
           for key in ('annotators', 'expression_subset', 'filter_cfg')):
        report.ann_file = dataset.ann_file
    report.title = f'{loader}: {part["type"]}, {dataset.ann_file}'
    videos, objects, missing, folders = {}, set(), set(), Folders()
    expressions = 0
    for i in range(len(dataset.videos)):
        video = dataset.videos[i]
        videos[video['video_id']] = len(video['frame_names'])
        expressions += len(video['expressions'])
        for e in video['expressions']:
            objects |= {(video['video_id'], o) for o in e['obj_ids']}
        files = dict.fromkeys(image_files(video), 'missing frames')
        if video['mask_source'] is not None:
            files |= dict.fromkeys(
                mask_files(video['mask_source'], video), 'missing masks')
        for path, kind in files.items():
            if not folders.has(path) and path not in missing:
                missing.add(path)
                report.add(kind, path)
    report.counts = dict(
        videos=len(videos),
        expressions=expressions,
        objects=len(objects),
        frames=sum(videos.values()),
        entries=len(dataset))
    check_ids(dataset, report)
    if decode:
        decode_all(dataset, report, workers)
    return report


def decode_all(dataset: BaseRVOSDataset, report: Report,
               workers: int) -> None:
    """Open every file, in parallel."""
    videos = [dataset.videos[i] for i in range(len(dataset.videos))]
    print(f'{report.title}: decoding {len(videos)} videos', file=sys.stderr)
    bar = ProgressBar(len(videos), file=sys.stderr)
    for video, (problems, seen) in zip(
            videos, map_in_processes(decode_video, videos, workers),
            strict=True):
        bar.update()
        for kind, line in problems:
            report.add(kind, line)
        if video['mask_source'] is None:
            continue
        for e in video['expressions']:
            if e['obj_ids'] and tuple(e['obj_ids']) not in seen:
                report.add(
                    'objects that never appear',
                    f'video {video["video_id"]}, expression '
                    f'{e["exp_id"]}: {e["text"]!r} (object '
                    f'{", ".join(e["obj_ids"])})')
    print(file=sys.stderr)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config')
    parser.add_argument(
        '--decode', action='store_true', help='open every file')
    parser.add_argument('--workers', type=int, default=os.cpu_count())
    parser.add_argument(
        '--cfg-options', nargs='+', action=KeyValueAction, metavar='KEY=VALUE')
    return parser.parse_args()


@clear_errors
def main() -> None:
    args = parse_args()
    from mmrvos.utils import load_config  # imports torch
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope('mmrvos')
    reports = [
        check(loader, part, args.decode, args.workers)
        for loader, part in data_parts(cfg)
    ]
    if not reports:
        raise ValueError(f'{args.config} has no dataloader')
    for report in reports:
        report.print()
    problems = sum(len(p) for r in reports for p in r.problems.values())
    print(f'\n{problems} problems' if problems else '\nNothing is missing.')
    sys.exit(1 if problems else 0)


if __name__ == '__main__':
    main()

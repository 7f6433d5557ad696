"""Check a submission before it is sent to the server of a benchmark.

    python tools/analysis_tools/validate_submission.py SUBMISSION.zip \\
        --dataset ytvos --root data/ref-youtube-vos

Prints one line per fault. Exit status: 0 no fault, 1 faults, 2 the check could
not be made.
"""
import argparse
import sys
from pathlib import Path

from mmrvos.datasets import BaseRVOSDataset
from mmrvos.evaluation.offline.benchmarks import build_dataset
from mmrvos.evaluation.offline.predictions import (
    PredictionError,
    PredictionFiles,
)
from mmrvos.evaluation.offline.scoring import GroundTruthError
from mmrvos.evaluation.submission import (
    TOP_FOLDERS,
    YTVOS_VIDEOS,
    ExpectedVideo,
    check_submission,
    frame_size,
)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('submission', type=Path, help='zip, or folder')
    parser.add_argument(
        '--root', type=Path, required=True,
        help='root of the dataset: the expression files, and the frames, '
        'whose sizes the masks must have (without the frames all masks of a '
        'video must have one size)')
    parser.add_argument(
        '--dataset', choices=sorted(TOP_FOLDERS), required=True)
    parser.add_argument('--split', default='valid')
    parser.add_argument(
        '--num-videos', type=int,
        help='number of videos of the official list (default: '
        f'{YTVOS_VIDEOS} for ytvos valid); 0 takes any number')
    return parser.parse_args()


def load_dataset(name: str, root: Path, split: str) -> BaseRVOSDataset:
    """The videos that a submission must hold; masks are not needed."""
    if name == 'mevis':
        config = dict(
            type='MeViSDataset', ann_file=f'{split}/meta_expressions.json')
    else:
        config = dict(
            type='RefYoutubeVOSDataset',
            ann_file=f'meta_expressions/{split}/meta_expressions.json')
        if split == 'valid':
            config['exclude_file'] = (
                'meta_expressions/test/meta_expressions.json')
    return build_dataset(dict(config, data_root=str(root)))


def expected_videos(dataset: BaseRVOSDataset,
                    images: Path) -> dict[str, ExpectedVideo]:
    """What the submission must hold of each video.

    Args:
        dataset: lists videos, expressions and frames.
        images: folder of the frames, which may be missing.
    """
    videos = {}
    for index in range(len(dataset)):
        entry = dataset.get_data_info(index)
        names = entry['frame_names']
        videos[entry['video_id']] = ExpectedVideo(
            [e['exp_id'] for e in entry['expressions']], names,
            frame_size(images / entry['video_id'], names))
    return videos


def main() -> int:
    args = parse_args()
    try:
        dataset = load_dataset(args.dataset, args.root, args.split)
        expected = expected_videos(
            dataset, args.root / args.split / 'JPEGImages')
        files = PredictionFiles(args.submission)
    except (GroundTruthError, PredictionError, OSError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 2
    number = args.num_videos
    if number is None and (args.dataset, args.split) == ('ytvos', 'valid'):
        number = YTVOS_VIDEOS
    count = 0
    for line in check_submission(
            files, args.dataset, expected, number or None):
        print(line)
        count += 1
    print(f'{len(expected)} videos checked: '
          f'{count or "no"} problem{"" if count == 1 else "s"}')
    return 1 if count else 0


if __name__ == '__main__':
    sys.exit(main())

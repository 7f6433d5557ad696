"""Check a submission before it is sent, or what a server would have said.

    python tools/analysis_tools/validate_submission.py SUBMISSION.zip \\
        --dataset ytvos --root data/ref-youtube-vos

One line for everything that is wrong. Exit status: 0 right, 1 wrong, 2 the
check could not be made.
"""
import argparse
import sys
from pathlib import Path

from mmrvos.evaluation.offline.ground_truth import (
    GroundTruthError,
    load_videos,
    official_videos,
)
from mmrvos.evaluation.offline.predictions import (
    PredictionError,
    PredictionFiles,
)
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
        help='root of the data set: expression files, and the frames, whose '
        'sizes the masks must have (without frames the masks of a video must '
        'have one size)')
    parser.add_argument(
        '--dataset', choices=sorted(TOP_FOLDERS), required=True)
    parser.add_argument('--split', default='valid')
    parser.add_argument(
        '--num-videos', type=int,
        help=f'videos on the list (default: {YTVOS_VIDEOS} for ytvos valid); '
        '0 takes any number')
    return parser.parse_args()


def main() -> int:
    args = parse_args()
    try:
        if args.dataset == 'ytvos':
            videos = official_videos(args.root, args.split)
        else:
            videos = load_videos(
                args.root / args.split / 'meta_expressions.json')
        images = args.root / args.split / 'JPEGImages'
        expected = {
            video_id: ExpectedVideo(
                list(info['expressions']), sorted(info['frames']),
                frame_size(images / video_id, info['frames']))
            for video_id, info in sorted(videos.items())
        }
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

"""Segment a camera or a stream by sentences while it runs.

    python demo/webcam_demo.py --text "the red cup"
    python demo/webcam_demo.py rtsp://host/stream --text "a person" \\
        --model referformer_r50_ytvos --window 4 --out live.mp4

Shows the masks in a window, until q or Esc is pressed. With --out, writes a
video instead, until Ctrl-C; no screen is needed then.
"""
import argparse
import time
from collections.abc import Iterable
from contextlib import ExitStack

import cv2
import numpy as np

from mmrvos import apis
from mmrvos.commands.infer import stop_at_interrupt
from mmrvos.utils import clear_errors
from mmrvos.visualization import STYLES, VideoWriter

TITLE = 'mmrvos'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'video',
        nargs='?',
        default='0',
        help='index of a camera, a URL, or a video file (default: 0)')
    parser.add_argument(
        '--text',
        nargs='+',
        required=True,
        metavar='SENTENCE',
        help='what to segment')
    parser.add_argument(
        '--model',
        default='referformer_tiny_shapes',
        help='config file, or a name of `mmrvos list` (default: %(default)s, '
        'which was trained on Moving Shapes only)')
    parser.add_argument('--weights', help='default: those of the name')
    parser.add_argument(
        '--window',
        type=int,
        default=4,
        help='frames that are segmented together: fewer come sooner, more '
        'are better for motion (default: %(default)s)')
    parser.add_argument(
        '--min-score',
        type=float,
        default=0.,
        help='sentences with a lower score get no mask')
    parser.add_argument('--style', choices=list(STYLES))
    parser.add_argument('--device', help="e.g. 'cuda:0'")
    parser.add_argument('--out', help='an mp4 to write; shows no window')
    parser.add_argument(
        '--max-frames', type=int, metavar='N', help='end after N frames')
    return parser.parse_args()


def show(pictures: Iterable[np.ndarray]) -> bool:
    """Show RGB frames in a window.

    Returns:
        Whether the user wants to go on.

    Raises:
        OSError: there is no screen.
    """
    try:
        for picture in pictures:
            cv2.imshow(TITLE, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
            if cv2.waitKey(1) in (ord('q'), 27):
                return False
    except cv2.error as error:
        raise OSError('no window can be opened here: set --out to write a '
                      f'video. {str(error).splitlines()[0]}') from None
    return True


@clear_errors
def main() -> None:
    args = parse_args()
    video = apis.open_video(args.video, args.max_frames)
    inferencer = apis.RVOSInferencer(
        args.model,
        args.weights,
        device=args.device,
        window=args.window,
        style=args.style,
        show_progress=False)
    count, start = 0, time.monotonic()
    with ExitStack() as stack:
        writer = None
        if args.out is not None:
            writer = stack.enter_context(
                VideoWriter(args.out, video.fps or 10))
            stop_at_interrupt(video)
        for part in inferencer.stream(video, args.text, args.min_score):
            pictures = list(inferencer.visualize(part, args.text))
            if writer is None:
                if not show(pictures):
                    break
            else:
                for t, picture in enumerate(pictures, start=count):
                    writer.write(picture, video.times and video.times[t])
            count += len(pictures)
    seconds = time.monotonic() - start
    print(f'{count} frames in {seconds:.1f} s, {count / seconds:.1f} per '
          'second')
    if args.out is not None:
        print(args.out)


if __name__ == '__main__':
    main()

"""Segment a video by sentences: ``mmrvos infer`` with the demo's defaults.

    python demo/video_demo.py dog.mp4 --text "the dog that jumps" "the ball"
    python demo/video_demo.py 'frames/*.jpg' --text "a red car" \\
        --model referformer_r50_ytvos

Writes into --out-dir: overlay.mp4 and overlay.png (the masks over the video,
and some of its frames), masks/<sentence>/<frame>.png (0 or 255), result.json
(scores and areas). Results of an earlier run in this folder are replaced.
"""
import argparse

from mmrvos.commands.infer import add_options, infer
from mmrvos.utils import clear_errors


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'video',
        help='video file, folder of frames, quoted glob, index of a camera, '
        'or a URL (http, rtsp, ...)')
    parser.add_argument(
        '--text',
        nargs='+',
        required=True,
        metavar='SENTENCE',
        help='what to segment; the video is encoded once for all sentences')
    parser.add_argument(
        '--model',
        default='referformer_tiny_shapes',
        help='config file, or a name of model-index.yml (default: '
        '%(default)s, which was trained on Moving Shapes only)')
    add_options(parser, out_dir='demo/output')
    return parser.parse_args()


@clear_errors
def main() -> None:
    infer(parse_args())


if __name__ == '__main__':
    main()

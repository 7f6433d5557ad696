"""Peak memory and time of demo/video_demo.py on a long, made-up mp4.

The demo runs as it is, in a process of its own: it decodes, segments in
windows and writes overlay, PNGs and JSON. Its peak has everything in it:
Python, PyTorch, reading the weights. These are random, and a text model given
by name becomes a random RoBERTa-base.

    python tools/analysis_tools/long_video.py \\
        configs/referformer/r50_ytvos.py --frames 500 2000 --window 8
"""
import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import torch
from mmengine.config import DictAction
from mmengine.registry import init_default_scope

from mmrvos.analysis import SENTENCE
from mmrvos.registry import MODELS
from mmrvos.utils import clear_errors, load_config, without_downloads
from mmrvos.visualization import VideoWriter

DEMO = Path(__file__).parents[2] / 'demo/video_demo.py'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config')
    parser.add_argument(
        '--frames', type=int, nargs='+', default=[500, 2000],
        help='lengths of videos, a run each, shortest first (500 2000)')
    parser.add_argument(
        '--size', type=int, nargs=2, default=[360, 640],
        metavar=('HEIGHT', 'WIDTH'), help='360 640')
    parser.add_argument('--window', type=int, default=8, help='8')
    parser.add_argument('--overlap', type=int, default=2, help='2')
    parser.add_argument(
        '--limit', type=float, help='GiB; more is a failure')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE')
    return parser.parse_args()


def write_clip(path: Path, num_frames: int, size: list[int]) -> None:
    """A bright disc that goes round over a gradient."""
    height, width = size
    back = np.zeros((height, width, 3), np.uint8)
    back[..., 0] = np.linspace(0, 120, width)
    with VideoWriter(path, fps=25) as video:
        for t in range(num_frames):
            place = np.array([width, height]) * (
                0.5 + 0.3 * np.array([np.cos(t / 20), np.sin(t / 20)]))
            frame = back.copy()
            cv2.circle(frame, place.astype(int).tolist(), height // 8,
                       (240, 220, 60), -1)
            video.write(frame)


@clear_errors
def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope('mmrvos')
    without_downloads(cfg.model, sorted(set(SENTENCE.split())))
    with TemporaryDirectory() as name:
        folder = Path(name)
        cfg.dump(folder / 'config.py')
        torch.save(
            MODELS.build(cfg.model).state_dict(), folder / 'random.pth')
        for num_frames in sorted(args.frames):
            write_clip(folder / 'clip.mp4', num_frames, args.size)
            start = time.perf_counter()
            subprocess.run([
                sys.executable, DEMO, folder / 'clip.mp4', '--text', SENTENCE,
                '--model', folder / 'config.py', '--weights',
                folder / 'random.pth', '--window', str(args.window),
                '--overlap', str(args.overlap), '--out-dir', folder / 'out',
                '--device', 'cpu', '--no-progress'
            ], check=True, stdout=subprocess.DEVNULL)
            seconds = time.perf_counter() - start
            written = len(list((folder / 'out/masks/0').iterdir()))
            # Linux counts in KiB; of all runs so far, hence shortest first
            peak = resource.getrusage(
                resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
            print(f'{args.config}: {written} of {num_frames} frames of '
                  f'{args.size[0]} x {args.size[1]}, window {args.window}: '
                  f'{peak:.2f} GiB, {seconds:.0f} s', flush=True)
            if args.limit is not None and peak > args.limit:
                sys.exit(f'{peak:.2f} GiB at the peak, {args.limit} allowed')


if __name__ == '__main__':
    main()

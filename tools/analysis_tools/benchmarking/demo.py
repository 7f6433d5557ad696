"""Peak memory and time of demo/video_demo.py on long synthetic videos.

The demo runs in a process of its own: it decodes an mp4, segments it in
windows and writes overlay, PNGs and JSON. Starting Python and reading the
random weights are included.
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

from mmrvos.utils import load_config, without_downloads
from mmrvos.visualization import VideoWriter

from .meter import check_limit, resident_peak
from .synthetic import SENTENCE, build_model

DEMO = Path(__file__).parents[3] / 'demo/video_demo.py'


def write_video(path: Path, num_frames: int, size: tuple[int, int]) -> None:
    """Write an mp4 of a bright disc that moves in a circle."""
    height, width = size
    background = np.zeros((height, width, 3), np.uint8)
    background[..., 0] = np.linspace(0, 120, width)
    with VideoWriter(path, fps=25) as video:
        for t in range(num_frames):
            centre = np.array([width, height]) * (
                0.5 + 0.3 * np.array([np.cos(t / 20), np.sin(t / 20)]))
            frame = background.copy()
            cv2.circle(frame, centre.astype(int).tolist(), height // 8,
                       (240, 220, 60), -1)
            video.write(frame)


def run(args: argparse.Namespace) -> None:
    cfg = load_config(args.config, args.cfg_options)
    without_downloads(cfg.model, SENTENCE.split())
    with TemporaryDirectory() as name:
        folder = Path(name)
        config, weights = folder / 'config.py', folder / 'random.pth'
        cfg.dump(config)
        torch.save(build_model(config).state_dict(), weights)
        for num_frames in sorted(args.frames):
            out = folder / str(num_frames)
            write_video(folder / 'video.mp4', num_frames, args.size)
            start = time.perf_counter()
            subprocess.run([
                sys.executable, DEMO, folder / 'video.mp4', '--text',
                SENTENCE, '--model', config, '--weights', weights,
                '--window', str(args.window), '--overlap', str(args.overlap),
                '--out-dir', out, '--device', 'cpu',
                '--no-progress'
            ], check=True, stdout=subprocess.DEVNULL)
            seconds = time.perf_counter() - start
            written = len(list((out / 'masks/0').iterdir()))
            # the maximum over all runs so far, hence the shortest first
            peak = resident_peak(resource.RUSAGE_CHILDREN)
            print(f'{args.config}: {written} of {num_frames} frames of '
                  f'{args.size[0]} x {args.size[1]}, window {args.window}: '
                  f'{peak:.2f} GiB, {seconds:.0f} s', flush=True)
            check_limit(peak, args.limit)

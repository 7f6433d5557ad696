"""Peak memory and time of testing a config on one long, made-up clip.

The clip is decoded in one pass (the config's window is taken off), in this one
process, so the peak has everything in it: Python, PyTorch and the weights. The
weights are random, and a text model given by name becomes a random
RoBERTa-base.
"""
import argparse
import sys
import time

import torch
from mmengine.config import DictAction

from mmrvos.analysis import (
    build_model,
    made_up_frames,
    made_up_sample,
    peak_memory,
)
from mmrvos.utils import clear_errors


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument('config')
    parser.add_argument('--frames', type=int, default=100)
    parser.add_argument(
        '--size', type=int, nargs=2, default=[360, 640],
        metavar=('HEIGHT', 'WIDTH'))
    parser.add_argument('--expressions', type=int, default=1)
    parser.add_argument(
        '--limit', type=float, help='GiB; more is a failure')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE')
    return parser.parse_args()


@clear_errors
def main() -> None:
    args = parse_args()
    if args.frames < 1 or args.expressions < 1:
        raise ValueError('--frames and --expressions are at least 1')
    model = build_model(args.config, args.cfg_options)
    model.test_cfg.window = None
    size = tuple(args.size)
    sample = made_up_sample(args.expressions, size, size)
    frames = made_up_frames(args.frames, size)

    start = time.perf_counter()
    with torch.no_grad():
        sample = model.test_step(
            dict(inputs=[frames], data_samples=[sample]))[0]
    seconds = time.perf_counter() - start
    if len(sample.pred.masks[0]) != args.frames:
        raise ValueError(f'{len(sample.pred.masks[0])} masks came back for '
                         f'{args.frames} frames: give the config a '
                         "postprocessor of whole videos, e.g. 'BestQuery'")
    peak = peak_memory(torch.device('cpu'))
    print(f'{args.config}: {args.frames} frames of {size[0]} x {size[1]}, '
          f'{args.expressions} expressions: {peak:.2f} GiB, {seconds:.1f} s')
    if args.limit is not None and peak > args.limit:
        sys.exit(f'{peak:.2f} GiB at the peak, {args.limit} allowed')


if __name__ == '__main__':
    main()

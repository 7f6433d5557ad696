"""Peak memory and time of testing a config on one long, made-up clip.

The clip is decoded in one pass (the config's window is taken off), in this one
process, so the peak has everything in it: Python, PyTorch and the weights. The
weights are random, and a text model given by name becomes a random
RoBERTa-base.
"""
import argparse
import resource
import sys
import time

import torch
from mmengine.config import DictAction
from mmengine.registry import init_default_scope

from mmrvos.registry import MODELS
from mmrvos.structures import RVOSDataSample
from mmrvos.utils import clear_errors, load_config, without_downloads

SENTENCE = 'the small dog that runs to the left'


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
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope('mmrvos')
    without_downloads(cfg.model, SENTENCE.split())
    cfg.model.setdefault('test_cfg', {})['window'] = None
    model = MODELS.build(cfg.model).eval()
    size = tuple(args.size)
    sample = RVOSDataSample(
        metainfo=dict(
            video_id='made up',
            texts=[SENTENCE] * args.expressions,
            img_shape=size,
            ori_shape=size))
    frames = torch.randint(
        0, 256, (args.frames, 3, *size), dtype=torch.uint8)

    start = time.perf_counter()
    with torch.no_grad():
        sample = model.test_step(
            dict(inputs=[frames], data_samples=[sample]))[0]
    seconds = time.perf_counter() - start
    if len(sample.pred.masks[0]) != args.frames:
        raise ValueError(f'{len(sample.pred.masks[0])} masks came back for '
                         f'{args.frames} frames: give the config a '
                         "postprocessor of whole videos, e.g. 'BestQuery'")
    # Linux counts in KiB
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f'{args.config}: {args.frames} frames of {size[0]} x {size[1]}, '
          f'{args.expressions} expressions: {peak:.2f} GiB, {seconds:.1f} s')
    if args.limit is not None and peak > args.limit:
        sys.exit(f'{peak:.2f} GiB at the peak, {args.limit} allowed')


if __name__ == '__main__':
    main()

"""FLOPs and parameters of testing a config, part by part.

One made-up video is segmented on the CPU, and every operator is counted as it
runs: matrix products, convolutions, attention and bilinear sampling, those of
deformable attention included. Not counted is what is linear in the size of a
tensor: activations, norms, softmax, sums, resizing. A multiply-add is two
FLOPs; papers often say GFLOPs and mean multiply-adds, which have a column of
their own.
"""
import argparse

import torch
from mmengine.config import DictAction

from mmrvos.analysis import (
    METHOD_PARTS,
    FlopCounter,
    Meter,
    build_model,
    made_up_frames,
    made_up_sample,
    watch,
)
from mmrvos.utils import clear_errors


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config')
    parser.add_argument('--frames', type=int, default=8, help='8')
    parser.add_argument(
        '--size', type=int, nargs=2, default=[360, 640],
        metavar=('HEIGHT', 'WIDTH'), help='of the frames (360 640)')
    parser.add_argument('--sentences', type=int, default=1, help='1')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE')
    return parser.parse_args()


@clear_errors
def main() -> None:
    args = parse_args()
    if min(args.frames, args.sentences) < 1:
        raise ValueError('--frames and --sentences are at least 1')
    model = build_model(args.config, args.cfg_options)
    parameters = {
        name: sum(p.numel() for p in part.parameters())
        for name, part in model.named_children()
    }
    data = dict(
        inputs=[made_up_frames(args.frames, args.size)],
        data_samples=[made_up_sample(args.sentences, args.size, args.size)])
    with torch.no_grad(), FlopCounter() as counter:
        meter = Meter(counter.total)
        watch(model, meter, METHOD_PARTS)
        model.test_step(data)
    total = counter.total()
    parts = dict(meter.parts)
    parts['the rest'] = total - sum(parts.values())

    print(f'{args.config}: {args.frames} frames of {args.size[0]} x '
          f'{args.size[1]}, {args.sentences} sentence(s)')
    print(f'{"part":24}{"GFLOPs":>12}{"G multiply-adds":>18}')
    for part, flops in (parts | dict(total=total)).items():
        print(f'{part:24}{flops / 1e9:12.3f}{flops / 2e9:18.3f}')
    print(f'\n{"module":24}{"M parameters":>12}')
    parameters['total'] = sum(parameters.values())
    for name, count in parameters.items():
        print(f'{name:24}{count / 1e6:12.3f}')


if __name__ == '__main__':
    main()

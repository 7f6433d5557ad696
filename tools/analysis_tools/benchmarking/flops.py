"""FLOPs and parameters of testing a config, by part.

One synthetic video is segmented on the CPU, and operators are counted as they
run: matrix products, convolutions, attention and bilinear sampling, including
that of deformable attention. Operators that are linear in the size of a tensor
are not counted: activations, norms, softmax, sums, resizing. A multiply-add is
two FLOPs. Papers often report multiply-adds as GFLOPs; they have a column.
"""
import argparse

import torch

from .flop_counter import FlopCounter
from .meter import Meter, model_parts, watch
from .synthetic import build_model, make_frames, make_sample


def run(args: argparse.Namespace) -> None:
    model = build_model(args.config, args.cfg_options)
    data = dict(
        inputs=[make_frames(args.frames, args.size)],
        data_samples=[make_sample(args.sentences, args.size, args.size)])
    with torch.no_grad(), FlopCounter() as counter:
        meter = Meter(counter.total)
        watch(model, meter, model_parts(model))
        model.test_step(data)
    total = counter.total()
    flops = dict(meter.parts)
    flops |= dict(other=total - sum(flops.values()), total=total)

    print(f'{args.config}: {args.frames} frames of {args.size[0]} x '
          f'{args.size[1]}, {args.sentences} sentence(s)')
    print(f'{"part":28}{"GFLOPs":>12}{"G multiply-adds":>18}')
    for part, number in flops.items():
        print(f'{part:28}{number / 1e9:12.3f}{number / 2e9:18.3f}')
    parameters = {
        name: sum(p.numel() for p in module.parameters())
        for name, module in model.named_children()
    }
    parameters['total'] = sum(parameters.values())
    print(f'\n{"module":28}{"M parameters":>12}')
    for name, number in parameters.items():
        print(f'{name:28}{number / 1e6:12.3f}')

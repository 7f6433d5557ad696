"""FLOPs and parameters of testing a config, by part.

One synthetic video is segmented on the CPU, and operators are counted as they
run: matrix products, convolutions, attention and bilinear sampling, including
that of deformable attention. Operators that are linear in the size of a tensor
are not counted: activations, norms, softmax, sums, resizing. A multiply-add is
two FLOPs. Papers often report multiply-adds as GFLOPs; they have a column.
Convolutions count in full, also those that run on a CPU with fewer products
(WinogradConv2d), so the numbers are those of a GPU as well.
Parameters are trained if they are not frozen by the config.
"""
import argparse
from unittest.mock import patch

import torch
from torch import nn

from mmrvos.models.layers import WinogradConv2d

from .flop_counter import FlopCounter
from .meter import Meter, model_parts, watch
from .synthetic import build_model, make_frames, make_sample


def run(args: argparse.Namespace) -> None:
    model = build_model(args.config, args.cfg_options)
    parameters = count_parameters(model)
    model.requires_grad_(False)  # the counter follows gradients
    data = dict(
        inputs=[make_frames(args.frames, args.size)],
        data_samples=[make_sample(args.sentences, args.size, args.size)])
    plain = patch.object(WinogradConv2d, 'applies', lambda *_: False)
    with torch.no_grad(), plain, FlopCounter() as counter:
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

    print(f'\n{"module":28}{"M parameters":>12}{"M trained":>18}')
    for module, (every, trained) in parameters.items():
        print(f'{module:28}{every / 1e6:12.3f}{trained / 1e6:18.3f}')


def count_parameters(model: nn.Module) -> dict[str, tuple[int, int]]:
    """Count the parameters of each child module: all, and the trained ones."""
    counts = {}
    for name, module in (*model.named_children(), ('total', model)):
        parameters = list(module.parameters())
        counts[name] = (sum(p.numel() for p in parameters),
                        sum(p.numel() for p in parameters if p.requires_grad))
    return counts

"""Export a model, or a part of it, by torch.export.

    export.py CONFIG CHECKPOINT --out clip.pt2 --part clip --size 352 640
    export.py CONFIG CHECKPOINT --out window.pt2 --part window --words 12

clip    frames to the features of a clip, without language
window  frames and the token ids of sentences to scores and mask logits

The graph has fixed sizes: --frames, --size (height and width, multiples of
32) and, for window, --words (tokens) and --sentences. Frames are (1, T, 3, H,
W) float, normalised as by the data preprocessor; no frame has padding. The
result is compared with the model before it is written. Load it by
torch.export.load(FILE).module(); docs/inference.md says which methods can be
exported.
"""
from __future__ import annotations

import argparse
from pathlib import Path

from mmrvos.utils import KeyValueAction, check_output_file, clear_errors

#: Largest difference from the model that is accepted.
TOLERANCE = 1e-3


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file')
    parser.add_argument(
        'checkpoint', help='checkpoint file, URL or name of a model')
    parser.add_argument(
        '--out',
        type=Path,
        required=True,
        metavar='FILE.pt2',
        help='file of the exported program')
    parser.add_argument(
        '--part',
        choices=['clip', 'window'],
        default='clip',
        help='what to export, see above (default: %(default)s)')
    parser.add_argument(
        '--frames',
        type=int,
        default=8,
        metavar='T',
        help='frames of a window (default: %(default)s)')
    parser.add_argument(
        '--size',
        type=int,
        nargs=2,
        default=(352, 640),
        metavar=('H', 'W'),
        help='of the frames (default: 352 640)')
    parser.add_argument(
        '--words',
        type=int,
        default=12,
        metavar='L',
        help='tokens of a sentence, start and end included (default: '
        '%(default)s)')
    parser.add_argument(
        '--sentences',
        type=int,
        default=1,
        metavar='E',
        help='sentences of a window (default: %(default)s)')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=KeyValueAction,
        metavar='KEY=VALUE',
        help='change values of the config')
    args = parser.parse_args()
    for name in ('frames', 'words', 'sentences'):
        if getattr(args, name) < 1:
            parser.error(f'--{name} is {getattr(args, name)}, expected 1 or '
                         'more')
    if min(args.size) < 32 or any(side % 32 for side in args.size):
        parser.error(f'--size {args.size[0]} {args.size[1]}: expected '
                     'multiples of 32')
    return args


def export(args: argparse.Namespace) -> None:
    import torch
    from mmengine.registry import init_default_scope

    from mmrvos.models.export import export_clip, export_window, largest_error
    from mmrvos.registry import MODELS
    from mmrvos.utils import (
        load_config,
        load_weights,
        read_checkpoint,
        weights_from_checkpoint,
    )
    from mmrvos.weights import resolve_weights
    source = resolve_weights(args.checkpoint)
    checkpoint = read_checkpoint(source)
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope('mmrvos')
    weights_from_checkpoint(cfg.model)
    model = MODELS.build(cfg.model)
    load_weights(
        model,
        checkpoint['state_dict'],
        source=source,
        meta=checkpoint.get('meta'))
    model.eval()
    size = tuple(args.size)
    if args.part == 'clip':
        program, module, inputs = export_clip(model, args.frames, size)
    else:
        program, module, inputs = export_window(
            model, args.frames, size, args.sentences, args.words)
    error = largest_error(program, module, inputs)
    if not error <= TOLERANCE:
        raise ValueError(
            f'the exported program differs from the model by {error:.2g}, '
            f'expected at most {TOLERANCE:g}: nothing is written')
    args.out.parent.mkdir(parents=True, exist_ok=True)
    torch.export.save(program, args.out)
    print(f'{args.out}: largest difference from the model {error:.2g}')


@clear_errors
def main() -> None:
    args = parse_args()
    if args.out.suffix != '.pt2':
        raise ValueError(f'--out {args.out}: expected a name that ends in '
                         '.pt2')
    check_output_file(args.out)
    export(args)


if __name__ == '__main__':
    main()

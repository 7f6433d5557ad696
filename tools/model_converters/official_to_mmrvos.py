"""Convert a checkpoint of an official repository to this project's keys.

    python tools/model_converters/official_to_mmrvos.py referformer IN OUT
"""
import argparse
from pathlib import Path

import torch
from mmengine.config import DictAction

from mmrvos.conversion import METHODS
from mmrvos.registry import MODELS
from mmrvos.utils import (
    checked_weights,
    clear_errors,
    load_config,
    load_weights,
    read_checkpoint,
)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Convert an official checkpoint. Every key is renamed by '
        'exactly one rule; a key without a rule is an error.')
    parser.add_argument('method', choices=sorted(METHODS))
    parser.add_argument('source', help='the official checkpoint')
    parser.add_argument('target', help='file to write')
    parser.add_argument(
        '--config',
        help='also load the result, strictly, into the model of this config')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='change values of --config, e.g. '
        'model.text_encoder.name=FOLDER')
    parser.add_argument(
        '--quiet', action='store_true', help='print counts, not every key')
    return parser.parse_args()


def read_official(path: str) -> dict[str, torch.Tensor]:
    """Read the weights of an official checkpoint."""
    checkpoint = read_checkpoint(path)['state_dict']
    keys = ('model', 'model_state_dict')  # MTTR and SOC have the latter
    if isinstance(checkpoint, dict):
        found = [checkpoint[k] for k in keys if k in checkpoint]
        checkpoint = found[0] if found else checkpoint
    return checked_weights(checkpoint, path)


@clear_errors
def main() -> None:
    args = parse_args()
    if Path(args.target).exists():
        raise FileExistsError(f'{args.target} exists: remove it, or name '
                              'another file')
    weights, report = METHODS[args.method](read_official(args.source))
    if not args.quiet:
        print(report)
    if args.config:
        model = MODELS.build(load_config(args.config, args.cfg_options).model)
        load_weights(model, weights, source=args.source)
    Path(args.target).parent.mkdir(parents=True, exist_ok=True)
    torch.save(dict(state_dict=weights), args.target)
    print(f'{len(report.renamed)} keys renamed, {len(report.dropped)} '
          f'dropped: {args.target}')


if __name__ == '__main__':
    main()

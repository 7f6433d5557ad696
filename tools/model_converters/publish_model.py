"""Reduce a training checkpoint to its weights, config and results.

    python tools/model_converters/publish_model.py epoch_20.pth model.pth
    python tools/model_converters/publish_model.py epoch_20.pth \\
        released/r50_ytvos.safetensors --hash --results scores.json
"""
import argparse
import os
from pathlib import Path
from typing import Any

from mmrvos.downloads import hash_of
from mmrvos.utils import clear_errors, new_output_file
from mmrvos.version import __version__

# Functions import what imports torch: --help does not wait for it.


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Keep the weights of a checkpoint (the averaged ones, '
        'where EMA was on) and drop optimizer, schedules and history. The '
        'config for inference stays in the file as plain data: '
        'RVOSInferencer(weights=FILE) needs no config file.')
    parser.add_argument('source', help='checkpoint of a training')
    parser.add_argument(
        'target', help='file to write, .pth or .safetensors')
    parser.add_argument(
        '--config',
        help='config file to store; default: the config in the checkpoint')
    parser.add_argument(
        '--results',
        nargs='+',
        default=[],
        metavar='FILE.json',
        help='results to store, written by tools/test.py --out')
    parser.add_argument(
        '--hash',
        action='store_true',
        help='add the first 8 digits of the SHA-256 of the file to its name; '
        'downloads of such a file are checked')
    parser.add_argument(
        '--half',
        action='store_true',
        help='store weights as 16-bit floats, which halves the file; '
        'models convert them back, so test the file again')
    return parser.parse_args()


def known_facts(args: argparse.Namespace, checkpoint: dict) -> dict[str, Any]:
    """Return config and results as plain data."""
    from mmrvos.apis.stored_config import config_text, stored_config
    from mmrvos.utils import load_config, load_json

    facts: dict[str, Any] = dict(mmrvos=__version__)
    meta = checkpoint.get('meta') or {}
    for key in ('name', 'experiment_name'):  # of a message about a mismatch
        if isinstance(meta.get(key), str):
            facts[key] = meta[key]
    if args.config:
        facts['cfg'] = config_text(load_config(args.config))
    elif meta.get('cfg'):
        facts['cfg'] = config_text(stored_config(checkpoint, args.source))
    if args.results:
        facts['results'] = [
            load_json(path) for path in args.results]
    return facts


def add_hash(path: Path) -> Path:
    """Rename a file to ``<stem>-<hash>.<suffix>``, as torch.hub has it."""
    target = path.with_stem(f'{path.stem}-{hash_of(path)[:8]}')
    if target.exists():  # the same bytes
        path.unlink()
    else:
        os.replace(path, target)
    return target


@clear_errors
def main() -> None:
    args = parse_args()
    target = new_output_file(args.target)
    from mmrvos.utils import (
        checked_weights,
        read_checkpoint,
        write_checkpoint,
    )

    checkpoint = read_checkpoint(args.source)
    weights = checked_weights(checkpoint['state_dict'], args.source)
    if args.half:
        weights = {
            name: value.half() if value.is_floating_point() else value
            for name, value in weights.items()
        }
        checked_weights(weights, f'{args.source} in half precision')
    write_checkpoint(target, weights, known_facts(args, checkpoint))
    if args.hash:
        target = add_hash(target)
    print(f'{len(weights)} tensors, {target.stat().st_size / 2**20:.1f} MiB: '
          f'{target}')


if __name__ == '__main__':
    main()

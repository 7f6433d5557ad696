"""Fetch weights by name, and convert official ones.

    mmrvos download referformer_r50_ytvos mttr_video-swin-t_a2d
    mmrvos download soc_video-swin-b_joint --from joint_base.pth.tar

Official files come from the address that `mmrvos list --verbose` shows. They
are read without running code, converted, and checked against the config. The
result is MMRVOS_HOME/checkpoints/NAME.pth (MMRVOS_HOME is ~/.cache/mmrvos by
default), where `load_from` of the configs, the tools and RVOSInferencer(NAME)
find it. A download that was cut continues when the command is repeated.
"""
import argparse
from pathlib import Path

from mmrvos.command_line import clear_errors
from mmrvos.downloads import hash_of
from mmrvos.model_index import find_model
from mmrvos.weights import get_weights, needs_weights


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'names', nargs='+', metavar='NAME', help='see `mmrvos list`')
    parser.add_argument(
        '--from',
        dest='file',
        metavar='FILE',
        help='convert this file in place of a download, for example one that '
        'a browser fetched')
    parser.add_argument(
        '--keep',
        action='store_true',
        help='keep the official file after its conversion')
    args = parser.parse_args()
    if args.file and len(args.names) > 1:
        parser.error('--from is for one NAME')
    return args


@clear_errors
def main() -> None:
    args = parse_args()
    entries = [find_model(name) for name in args.names]  # before any transfer
    for entry in entries:
        if not needs_weights(entry):
            if args.file is not None:
                raise ValueError(f'{entry.name} has no checkpoint to convert: '
                                 'remove --from')
            print(f'{entry.name} has no checkpoint: its networks are fetched '
                  'from the Hugging Face hub when it is used first')
            continue
        file = get_weights(entry, args.file, args.keep)
        print(f'{entry.name}: {file} (SHA-256 {hash_of(Path(file))})')

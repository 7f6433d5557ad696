"""Convert a checkpoint of an official repository to this project's keys.

    python tools/model_converters/official_to_mmrvos.py referformer IN OUT
"""
import argparse

from mmrvos.conversion import METHODS
from mmrvos.utils import KeyValueAction, clear_errors, new_output_file


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Convert an official checkpoint. Every key is renamed by '
        'exactly one rule; a key without a rule is an error.')
    parser.add_argument('method', choices=sorted(METHODS))
    parser.add_argument('source', help='the official checkpoint')
    parser.add_argument(
        'target', help='file to write, .pth or .safetensors')
    parser.add_argument(
        '--config',
        help='check that the result fits the model of this config')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=KeyValueAction,
        metavar='KEY=VALUE',
        help='change values of --config')
    parser.add_argument(
        '--quiet', action='store_true', help='print counts, not every key')
    return parser.parse_args()


@clear_errors
def main() -> None:
    args = parse_args()
    target = new_output_file(args.target)
    from mmrvos.conversion.official import convert_file  # imports torch
    report = convert_file(args.method, args.source, target, args.config,
                          args.cfg_options)
    if not args.quiet:
        print(report)
    print(f'{len(report.renamed)} keys renamed, {len(report.dropped)} '
          f'dropped: {target}')


if __name__ == '__main__':
    main()

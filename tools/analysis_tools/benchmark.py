"""Measure time, memory and FLOPs of models, data pipelines and evaluation.

Models need no download: without a checkpoint the weights are random, and a
pretrained text encoder becomes a random one of RoBERTa-base's size.
"""
import argparse

from benchmarking import data, demo, evaluation, flops, infer, train
from benchmarking.arguments import HelpFormatter

from mmrvos.utils import clear_errors

COMMANDS = dict(
    infer=infer,
    train=train,
    data=data,
    eval=evaluation,
    flops=flops,
    demo=demo)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=HelpFormatter)
    commands = parser.add_subparsers(
        title='what to measure', dest='command', required=True)
    for name, module in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=module.__doc__.split('.\n')[0],
            description=module.__doc__,
            formatter_class=HelpFormatter)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser.parse_args()


@clear_errors
def main() -> None:
    args = parse_args()
    args.run(args)


if __name__ == '__main__':
    main()

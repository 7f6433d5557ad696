"""Measure time, memory and FLOPs of models, data pipelines and evaluation.

Models need no download: without a checkpoint the weights are random, and a
pretrained text encoder becomes a random one of RoBERTa-base's size.
"""
import argparse
import ast
from importlib import import_module
from pathlib import Path

from benchmarking import arguments

from mmrvos.utils import clear_errors

#: module of a command, which is imported only to run it, and its options
COMMANDS = dict(
    infer=('infer', arguments.add_infer_arguments),
    train=('train', arguments.add_train_arguments),
    data=('data', arguments.add_data_arguments),
    eval=('evaluation', arguments.add_eval_arguments),
    flops=('flops', arguments.add_flops_arguments),
    demo=('demo', arguments.add_demo_arguments),
    stcn=('stcn', arguments.add_stcn_arguments))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=arguments.HelpFormatter)
    commands = parser.add_subparsers(
        title='what to measure', dest='command', required=True)
    for name, (module, add_arguments) in COMMANDS.items():
        path = Path(arguments.__file__).with_name(f'{module}.py')
        description = ast.get_docstring(ast.parse(path.read_text()))
        command = commands.add_parser(
            name,
            help=description.split('.\n')[0],
            description=description,
            formatter_class=arguments.HelpFormatter)
        add_arguments(command)
    return parser.parse_args()


@clear_errors
def main() -> None:
    args = parse_args()
    module, _ = COMMANDS[args.command]
    import_module(f'benchmarking.{module}').run(args)


if __name__ == '__main__':
    main()

"""Command-line options of the measurements; imports no torch."""
import argparse
import math
from pathlib import Path

from mmrvos.utils import KeyValueAction


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter,
                    argparse.RawDescriptionHelpFormatter):
    """Keep the line breaks of descriptions, and show defaults where an
    option has one."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or action.default is False:
            return action.help
        if isinstance(action.default, (list, tuple)):
            values = ' '.join(map(str, action.default))
            return f'{action.help} (default: {values})'
        return super()._get_help_string(action)


def positive(text: str) -> int:
    """Parse a count of at least 1."""
    return at_least(1, text)


def not_negative(text: str) -> int:
    """Parse a count of at least 0."""
    return at_least(0, text)


def at_least(lowest: int, text: str) -> int:
    """Parse a count.

    Raises:
        argparse.ArgumentTypeError: the text is not an integer of at least
            ``lowest``; argparse prints the message with the option's name.
    """
    try:
        number = int(text)
    except ValueError:
        number = None
    if number is None or number < lowest:
        raise argparse.ArgumentTypeError(
            f'expected an integer of at least {lowest}, got {text!r}')
    return number


def gibibytes(text: str) -> float:
    """Parse an amount of memory.

    Raises:
        argparse.ArgumentTypeError: the text is not a finite number above 0.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(
            f'expected a number of GiB above 0, got {text!r}')
    return number


def add_size(parser: argparse.ArgumentParser,
             name: str = '--size',
             default: tuple[int, int] = (360, 640),
             help: str = 'size of the frames that the network receives'
             ) -> None:
    parser.add_argument(
        name,
        type=positive,
        nargs=2,
        default=default,
        metavar=('HEIGHT', 'WIDTH'),
        help=help)


def add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--device',
        help='where the model runs (default: cuda if there is a GPU, else '
        'cpu)')


def add_threads(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--threads',
        type=positive,
        help="threads of each process (default: PyTorch's choice)")


def add_limit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--limit',
        type=gibibytes,
        metavar='GIB',
        help='exit with status 1 if the peak memory is higher')


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=KeyValueAction,
        metavar='KEY=VALUE',
        help='change values of the config')


def add_infer_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config')
    parser.add_argument(
        'checkpoint', nargs='?', help='weights (default: random)')
    parser.add_argument(
        '--frames', type=positive, default=36, help='frames of the video')
    parser.add_argument(
        '--sentences', type=positive, default=1, help='sentences per video')
    add_size(parser)
    add_size(parser, '--ori-size', (720, 1280), 'size of files and masks')
    parser.add_argument(
        '--in-memory',
        action='store_true',
        help='take frames of --size from memory')
    parser.add_argument(
        '--reference',
        action='store_true',
        help='compare with the computation of the official code')
    parser.add_argument(
        '--reference-sentences',
        type=positive,
        metavar='K',
        help='run the reference on K of the sentences and scale its time and '
        'FLOPs, since every sentence costs it the same (default: all)')
    parser.add_argument(
        '--amp',
        nargs='?',
        const='bf16',
        choices=['auto', 'bf16', 'fp16'],
        help='mixed precision, bf16 if no value follows')
    parser.add_argument(
        '--compile', action='store_true', help='run torch.compile first')
    parser.add_argument(
        '--repeat', type=positive, default=3, help='measured passes')
    parser.add_argument(
        '--warmup',
        type=not_negative,
        help='passes before the measured ones. The first counts FLOPs, and '
        'with --compile the second compiles (default: 1, with --compile 2)')
    add_threads(parser)
    add_device(parser)
    add_limit(parser)
    parser.add_argument(
        '--json', type=Path, metavar='FILE', help='write all numbers')
    add_cfg_options(parser)


def add_train_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('configs', nargs='+', metavar='config')
    parser.add_argument(
        '--frames', type=positive, default=8, help='frames per clip')
    add_size(parser)
    parser.add_argument(
        '--batch-size', type=positive, default=1, help='clips per iteration')
    parser.add_argument(
        '--sentences', type=positive, default=1, help='sentences per clip')
    parser.add_argument(
        '--iters', type=positive, default=5, help='measured iterations')
    parser.add_argument(
        '--warmup',
        type=not_negative,
        default=2,
        help='iterations before the measured ones')
    parser.add_argument(
        '--checkpointing',
        action='store_true',
        help='also measure each config with model.checkpointing=True')
    parser.add_argument(
        '--naive',
        action='store_true',
        help='also measure each config with the computation of the official '
        'code')
    add_threads(parser)
    add_device(parser)
    add_cfg_options(parser)


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config')
    parser.add_argument(
        '--loader',
        choices=['train', 'val', 'test'],
        default='train',
        help='whose pipeline to run')
    parser.add_argument(
        '--num', type=positive, default=200, help='measured clips')
    parser.add_argument(
        '--seed', type=int, default=0, help='of the clips and augmentations')
    add_cfg_options(parser)


def add_eval_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--frames', type=positive, default=200, help='frames per sequence')
    parser.add_argument(
        '--objects',
        type=positive,
        nargs='+',
        default=[1, 3],
        help='numbers of objects, one sequence each')
    parser.add_argument(
        '--repeat',
        type=positive,
        default=3,
        help='runs of our implementation, and of both whole commands; the '
        'fastest counts')
    parser.add_argument(
        '--workers',
        type=positive,
        nargs='*',
        default=[1, 2],
        help='numbers of processes to score 8 sequences with')


def add_flops_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config')
    parser.add_argument(
        '--frames', type=positive, default=8, help='frames of the video')
    parser.add_argument(
        '--sentences', type=positive, default=1, help='sentences per video')
    add_size(parser)
    add_cfg_options(parser)


def add_demo_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config')
    parser.add_argument(
        '--frames',
        type=positive,
        nargs='+',
        default=[500, 2000],
        help='numbers of frames, one video each, shortest first')
    add_size(parser, help='size of the video')
    parser.add_argument(
        '--window',
        type=positive,
        default=8,
        help='frames that the network processes at once')
    parser.add_argument(
        '--overlap',
        type=not_negative,
        default=2,
        help='frames that consecutive windows share')
    add_limit(parser)
    add_cfg_options(parser)


def add_stcn_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--frames', type=positive, default=40, help='frames of the video')
    parser.add_argument(
        '--objects',
        type=positive,
        nargs='+',
        default=[1, 3],
        help='numbers of objects, one video each')
    add_size(parser, default=(240, 428), help='size of the frames')
    parser.add_argument(
        '--repeat',
        type=positive,
        default=3,
        help='passes of each way, by turns; the median counts')
    add_threads(parser)

"""Command-line options that several measurements share."""
import argparse

import torch
from mmengine.config import DictAction


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
        default='cuda' if torch.cuda.is_available() else 'cpu',
        help='where the model runs')


def add_threads(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--threads',
        type=positive,
        help="threads of each process (default: PyTorch's choice)")


def add_limit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--limit',
        type=float,
        metavar='GIB',
        help='exit with status 1 if the peak memory is higher')


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='change values of the config')

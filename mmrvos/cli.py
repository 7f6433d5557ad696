"""The command ``mmrvos``, also ``python -m mmrvos``."""
import argparse
import sys
from importlib import import_module

from .version import __version__

#: Name of a module of mmrvos.commands, and its help. Only the module of the
#: command that runs is imported: torch alone takes a second.
COMMANDS = {
    'list': 'list the models, their numbers and where their weights are',
    'download': 'fetch weights by name and convert official ones',
    'infer': 'segment a video by sentences',
    'web': 'segment videos in the browser',
    'eval': 'score masks on disk by the rules of a benchmark',
    'reproduce': 'download, test and compare with the number of the paper',
    'table': 'make the tables of README files and docs from the metafiles',
}


def parse_args() -> argparse.Namespace:
    width = max(map(len, COMMANDS)) + 2
    parser = argparse.ArgumentParser(
        prog='mmrvos',
        description='Referring video object segmentation.',
        epilog='commands:\n' + '\n'.join(
            f'  {name:{width}}{text}' for name, text in COMMANDS.items()) +
        '\n\n"mmrvos COMMAND --help" shows the options of a command.',
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--version', action='version', version=__version__)
    parser.add_argument('command', choices=COMMANDS, metavar='COMMAND')
    parser.add_argument(
        'arguments', nargs=argparse.REMAINDER, metavar='...',
        help='arguments of the command')
    return parser.parse_args()


def main() -> int | None:
    args = parse_args()
    # argparse shows the name of the program in its messages
    sys.argv = [f'mmrvos {args.command}', *args.arguments]
    return import_module(f'mmrvos.commands.{args.command}').main()

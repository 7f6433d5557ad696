"""List the models, their numbers and where their weights are.

    mmrvos list
    mmrvos list 'referformer_*ytvos*' --verbose

Numbers are those of the paper, or of our own evaluation if marked so. WEIGHTS
is a file that is here, or 'repository' for a file that the wheel lacks, or
'official' if `mmrvos download NAME` fetches and converts them, or 'hub' if the
model fetches its networks from the Hugging Face hub when it is used first, or
'none' if they have to be trained.
"""
import argparse
from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from mmrvos.command_line import clear_errors
from mmrvos.downloads import is_remote, web_page
from mmrvos.home import find_checkpoint
from mmrvos.model_index import ModelEntry, is_here, read_model_index


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'pattern',
        nargs='?',
        default='*',
        help='part of a name, or a quoted pattern with * and ?')
    parser.add_argument(
        '--verbose',
        action='store_true',
        help='also config, other names, official file and its licence')
    return parser.parse_args()


def matching(pattern: str) -> list[ModelEntry]:
    """Return the models whose name or alias is or contains the pattern.

    Raises:
        ValueError: there is none; the message names the nearest three.
    """
    entries = read_model_index()
    for entry in entries.values():
        if pattern in (entry.name, *entry.aliases):
            return [entry]
    wanted = pattern.lower()
    if not set('*?[') & set(wanted):
        wanted = f'*{wanted}*'
    found = [
        entry for entry in entries.values()
        if any(fnmatchcase(name.lower(), wanted)
               for name in (entry.name, *entry.aliases))
    ]
    if not found:
        nearest = get_close_matches(pattern, entries, n=3, cutoff=0.)
        raise ValueError(f'no name matches {pattern!r}; the nearest are '
                         f'{", ".join(nearest)}')
    return found


def numbers(entry: ModelEntry) -> str:
    """Return the first number per source, e.g. 'J&F 55.6 (paper)'."""
    texts = {}
    for result in entry.results:
        name, value = next(iter(result.metrics.items()))
        texts.setdefault(result.source, f'{name} {value} ({result.source})')
    return ', '.join(texts.values()) or '-'


def weights(entry: ModelEntry) -> str:
    """Say where the weights are."""
    if entry.weights is not None and is_here(entry.weights):
        return 'published' if is_remote(entry.weights) else 'shipped'
    if find_checkpoint(entry.checkpoint).is_file():
        return 'downloaded'
    if entry.weights is not None:
        return 'repository'
    if entry.hub_weights:
        return 'hub'
    return 'official' if entry.converted_from else 'none'


def details(entry: ModelEntry) -> list[str]:
    """Return the lines of ``--verbose``."""
    lines = [f'config: {entry.config}']
    if entry.aliases:
        lines.append(f'also called: {", ".join(entry.aliases)}')
    if entry.weights_from:
        lines.append(f'weights of: {entry.weights_from}')
    lines += [f'networks: {repository} of the Hugging Face hub'
              for repository in entry.hub_weights]
    if entry.weights:
        lines.append(f'weights: {entry.weights}')
    elif official := entry.converted_from:
        lines += [
            f'official file: {web_page(official.weights)}, licence: '
            f'{official.license}',
            f'checkpoint: {find_checkpoint(entry.checkpoint)}'
        ]
    lines += [
        f'{result.dataset}, {result.source}: ' + ', '.join(
            f'{name} {value}' for name, value in result.metrics.items())
        for result in entry.results
    ]
    return lines


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Align the columns of a table."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        '  '.join(cell.ljust(width)
                  for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


@clear_errors
def main() -> None:
    args = parse_args()
    entries = matching(args.pattern)
    head, *rows = table([
        ('NAME', 'TEST DATA', 'NUMBER', 'WEIGHTS'),
        *((e.name, str(e.metadata.get('Test Data', '-')), numbers(e),
           weights(e)) for e in entries)
    ])
    print(head)
    for entry, row in zip(entries, rows, strict=True):
        print(row)
        if args.verbose:
            print(*(f'    {line}' for line in details(entry)), sep='\n')

"""Make the tables of README files and docs from the metafiles.

    mmrvos table
    mmrvos table --check
    mmrvos table --add metrics.json --source converted

The pages mark where a table is; mmrvos/tables.py lists the markers. Metafiles
are brought into their common form, their 'Metadata' is read from the configs,
and a config without an entry gets one. --add first writes results into the
metafiles: the file of `tools/test.py --out`, or the work dir of a training
(its last validation).
"""
import argparse
from pathlib import Path
from typing import Any

import yaml

from mmrvos.command_line import clear_errors
from mmrvos.metafiles import updated_metafile
from mmrvos.model_index import index_folder
from mmrvos.results import add_result, tested, trained
from mmrvos.tables import filled, pages


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--check',
        action='store_true',
        help='write nothing; exit with status 1 if a file would change')
    parser.add_argument(
        '--add',
        nargs='+',
        type=Path,
        default=[],
        metavar='RESULT',
        help='JSON files of tools/test.py --out, or work dirs')
    parser.add_argument(
        '--source',
        choices=['converted', 'ours'],
        default='ours',
        help='of the results to add: official weights that were converted, or '
        'weights trained here (default)')
    parser.add_argument(
        '--seed', type=int, help='of the training, if the config has none')
    parser.add_argument(
        '--machine', help='of the training, e.g. "8 A100", for --add WORK_DIR')
    args = parser.parse_args()
    if args.check and args.add:
        parser.error('--check writes nothing: leave out --add')
    return args


def changed_metafiles(folder: Path) -> dict[Path, str]:
    """Return the metafiles that differ from the configs, with a new text."""
    index = yaml.safe_load((folder / 'model-index.yml').read_text())
    texts = {folder / name: updated_metafile(folder / name)
             for name in index['Import']}
    return {path: text for path, text in texts.items()
            if text != path.read_text()}


def read_result(path: Path, folder: Path,
                seed: int | None) -> tuple[str, dict[str, Any]]:
    """Read a result from a JSON file or a work dir.

    Args:
        path: the file or the folder.
        folder: of model-index.yml.
        seed: of ``--seed``.

    Raises:
        FileNotFoundError: there is neither.
        ValueError: the training had another seed.
    """
    if not path.exists():
        raise FileNotFoundError(
            f'{path} is missing: expected a JSON file of tools/test.py --out, '
            'or a work dir')
    if not path.is_dir():
        return tested(path)
    name, row = trained(path, folder)
    if None not in (seed, row['Seed']) and seed != row['Seed']:
        raise ValueError(f'{path} was trained with the seed {row["Seed"]}: '
                         f'remove --seed {seed}')
    return name, row


@clear_errors
def main() -> None:
    args = parse_args()
    folder = index_folder()
    if not (folder / 'README.md').is_file():
        raise FileNotFoundError(
            f'{folder} has no README.md: tables are made in a checkout of the '
            'repository')
    # all are read before the first is written
    results = [read_result(path, folder, args.seed) for path in args.add]
    for name, row in results:
        if args.seed is not None:
            row['Seed'] = args.seed
        if args.machine is not None:
            row.setdefault('Training', {})['Machine'] = args.machine
        print(f'{add_result(folder, name, row, args.source)}: {name}, '
              f'{row["Dataset"]}, {args.source}')
    changed = changed_metafiles(folder)
    if not args.check:
        for path, text in changed.items():
            path.write_text(text)
    for page in pages(folder):
        text = filled(page, folder)
        if text != page.read_text():
            changed[page] = text
    if not args.check:
        for path, text in changed.items():
            path.write_text(text)
            print(f'{path.relative_to(folder)} written')
    elif changed:
        names = ', '.join(str(p.relative_to(folder)) for p in changed)
        raise ValueError(
            f'not made from the metafiles and configs: {names}; run '
            'python tools/analysis_tools/make_tables.py')


if __name__ == '__main__':
    main()

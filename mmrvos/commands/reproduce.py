"""Test published weights, and compare with the number of the paper.

    mmrvos reproduce referformer_r50_ytvos --data data/ref-youtube-vos
    mmrvos reproduce referformer_r50_ytvos --data data/ref-youtube-vos \\
        --masks official

The weights are downloaded and converted first, see `mmrvos download`. With
--masks, masks on disk are scored in place of a model: those of any program, or
the ones that the authors published. The numbers of the paper, ours and their
difference are printed and written to FILE of --out; --write adds ours to the
metafile of the model, as a row 'converted'.

Where the benchmark keeps its masks, a submission is written for its server:
compare the server's number with the one that is printed.
"""
import argparse
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mmengine
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmrvos import model_index
from mmrvos.commands.eval import score
from mmrvos.commands.list import table
from mmrvos.datasets import BaseRVOSDataset
from mmrvos.evaluation.offline.benchmarks import (
    build_dataset,
    config_benchmark,
)
from mmrvos.model_index import ModelEntry, Result, find_model
from mmrvos.results import add_result, tested
from mmrvos.utils import (
    KeyValueAction,
    check_output_file,
    check_output_folder,
    clear_errors,
)
from mmrvos.weights import get_masks, needed_weights

#: data sets whose server scores the validation split: layout of a submission
SUBMISSIONS = {'RefYoutubeVOSDataset': 'ytvos', 'MeViSDataset': 'mevis'}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('name', metavar='NAME', help='see `mmrvos list`')
    parser.add_argument(
        '--data', required=True, metavar='ROOT',
        help='folder of the data set, see docs/datasets.md')
    parser.add_argument(
        '--weights',
        help='checkpoint of this project; default: those of NAME')
    parser.add_argument(
        '--masks',
        metavar='PRED',
        help='score these masks (folder, zip or JSON, as `mmrvos eval` reads '
        'them), or `official`: those that the authors published')
    parser.add_argument(
        '--work-dir',
        help='folder of log, submission and results (default: '
        'work_dirs/reproduce/NAME)')
    parser.add_argument(
        '--out', metavar='FILE.json',
        help='default: reproduce.json in the work dir')
    parser.add_argument(
        '--write',
        action='store_true',
        help='add the numbers to the metafile of the model; `mmrvos table` '
        'then shows them')
    parser.add_argument(
        '--submission',
        action='store_true',
        help='write a submission for the server of the benchmark even if '
        'there are masks')
    parser.add_argument(
        '--workers', type=int, default=1, help='processes that score --masks')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=KeyValueAction,
        metavar='KEY=VALUE',
        help='change values of the config')
    args = parser.parse_args()
    if args.masks and (args.weights or args.submission):
        parser.error('--masks scores masks: leave out --weights and '
                     '--submission')
    if args.write and (args.masks or args.weights or args.submission):
        parser.error('--write adds the numbers of the weights of NAME: leave '
                     'out --masks, --weights and --submission')
    return args


def number_of_paper(entry: ModelEntry) -> Result | None:
    """Return the paper's result on the test data of a config."""
    return next(
        (result for result in entry.results if result.source == 'paper'
         and result.dataset == entry.metadata['Test Data']), None)


def read_config(args: argparse.Namespace, entry: ModelEntry) -> Config:
    """Read the config of a model with the data folder of the command line.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    if not Path(args.data).is_dir():
        raise FileNotFoundError(
            f'--data {args.data} is missing: expected the folder of '
            f'{entry.metadata["Test Data"]}')
    options = {'data_root': args.data, **(args.cfg_options or {})}
    from mmrvos.utils import load_config  # imports torch
    return load_config(entry.config, options)


def has_masks(dataset: BaseRVOSDataset) -> bool:
    """Tell whether a data set comes with its ground truth."""
    return any(
        dataset.get_data_info(i)['mask_source'] is not None
        for i in range(len(dataset)))


def write_submission(cfg: Config, entry: ModelEntry) -> Path:
    """Let a config write a submission in place of computing numbers.

    Returns:
        The zip that will be written.

    Raises:
        ValueError: the benchmark has no server.
    """
    layout = SUBMISSIONS.get(cfg.test_dataloader.dataset.type)
    if layout is None:
        raise ValueError(
            f'{cfg.data_root} holds no masks of {entry.metadata["Test Data"]},'
            ' and this benchmark has no server to submit to')
    folder = Path(cfg.work_dir, 'submission')
    cfg.test_evaluator = dict(
        type='SubmissionWriter', layout=layout, out_dir=str(folder))
    return folder.with_name(f'{folder.name}.zip')


def compare(paper: Result | None, metrics: Mapping[str, float]) -> str:
    """Return a table of the paper's numbers and ours.

    Args:
        paper: its metrics have no prefix.
        metrics: with the prefix of their class, e.g. 'ytvos/J&F'.
    """
    ours = {name.partition('/')[2]: value for name, value in metrics.items()}
    if paper is None:
        rows = [('METRIC', 'HERE'),
                *((name, f'{ours[name]:.1f}') for name in ours)]
    else:
        rows = [('METRIC', 'PAPER', 'HERE', 'DIFFERENCE')]
        for name, value in paper.metrics.items():
            here = ours.get(name)
            rows.append((name, str(value), *(
                ('-', '-') if here is None else
                (f'{here:.2f}', f'{here - value:+.2f}'))))
    return '\n'.join(table(rows))


def run(args: argparse.Namespace) -> None:
    entry = find_model(args.name)
    if args.write and '.mim' in model_index.index_folder().parts:
        raise ValueError('--write needs a checkout: an installed package has '
                         'no metafiles to change')
    work_dir = args.work_dir or f'work_dirs/reproduce/{entry.name}'
    out = Path(args.out or Path(work_dir, 'reproduce.json'))
    check_output_folder(work_dir)
    check_output_file(out)
    # the data set is read before anything is downloaded
    init_default_scope('mmrvos')
    cfg = read_config(args, entry)
    cfg.work_dir, cfg.launcher = str(work_dir), 'none'
    paper = number_of_paper(entry)
    if args.masks:
        masks = get_masks(entry) if args.masks == 'official' else args.masks
        dataset, metric = config_benchmark(cfg)
        result = score(dataset, metric, Path(masks), args.workers)
        metrics = {
            f'{metric.prefix}/{name}': value
            for name, value in result.summary.items()
        }
        source = str(masks)
    else:
        public = has_masks(build_dataset(cfg.test_dataloader.dataset))
        zip_file = None
        if args.submission or not public:
            zip_file = write_submission(cfg, entry)
        source = args.weights or needed_weights(entry)
        from mmrvos.engine import evaluate  # imports torch
        metrics = evaluate(cfg, source)
        if zip_file is not None:
            expected = paper and ', '.join(
                f'{k} {v}' for k, v in paper.metrics.items())
            print(f'{zip_file}: masks for the server of '
                  f'{entry.metadata["Test Data"]}. Compare its number with '
                  f'that of the paper: {expected or "none is known"}')
            return
    print(f'{entry.name} on {entry.metadata["Test Data"]}, '
          f'{source or "published networks"}:')
    print(compare(paper, metrics))
    write_result(args, entry, cfg, source, metrics, out)


def write_result(args: argparse.Namespace, entry: ModelEntry, cfg: Config,
                 source: str | None, metrics: Mapping[str, Any],
                 out: Path) -> None:
    """Write the numbers as ``tools/test.py --out`` does."""
    out.parent.mkdir(parents=True, exist_ok=True)
    mmengine.dump(
        dict(
            config=str(entry.config),
            checkpoint=source,
            command=f'{sys.argv[0]} {shlex.join(sys.argv[1:])}',
            seed=cfg.get('randomness', {}).get('seed'),
            metrics={k: float(v) for k, v in metrics.items()}),
        out,
        indent=2)
    print(f'metrics written to {out}')
    if args.write:
        _, row = tested(out)
        metafile = add_result(
            model_index.index_folder(), entry.name, row,
            'converted' if entry.weights is None else 'ours')
        print(f'row written to {metafile}')


@clear_errors
def main() -> None:
    run(parse_args())
    from mmrvos.engine import disconnect
    disconnect()

"""Score masks on disk that any program has written.

    mmrvos eval PRED --gt ROOT --dataset ytvos
    mmrvos eval PRED --config CONFIG

tools/analysis_tools/eval_masks.py is the same program.

PRED is a folder or zip of PNGs, or a JSON file of RLEs. The ground truth is
the dataset of the benchmark, or the test dataset of a config file.

Results go to stdout, progress and problems to stderr. Exit status: 0 all
predictions were scored; 1 some predictions were missing or wrong (one line
each) and the others were scored; 2 nothing could be scored.
docs/evaluation.md describes the layouts and the rules.
"""
import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from mmengine.utils import ProgressBar

from mmrvos.datasets import BaseRVOSDataset
from mmrvos.evaluation import ExpressionMetric
from mmrvos.evaluation.missing import MISSING
from mmrvos.evaluation.offline import report
from mmrvos.evaluation.offline.benchmarks import (
    BENCHMARKS,
    benchmark_dataset,
    config_benchmark,
    has_frame_values,
    make_scorer,
)
from mmrvos.evaluation.offline.predictions import PredictionError
from mmrvos.evaluation.offline.scoring import score_all
from mmrvos.utils import check_output_file, check_output_folder


def names_with(option: str) -> list[str]:
    """The benchmarks that take an option."""
    return [
        name for name, benchmark in BENCHMARKS.items()
        if getattr(benchmark, option)
    ]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'pred', type=Path, help='folder or zip of PNGs, or JSON of RLEs')
    truth = parser.add_mutually_exclusive_group(required=True)
    truth.add_argument('--dataset', choices=BENCHMARKS)
    truth.add_argument(
        '--config', type=Path,
        help='score the test_dataloader by the test_evaluator of this file')
    parser.add_argument(
        '--gt', type=Path,
        help='root of the dataset (a2d, jhmdb: or the COCO file itself)')
    defaults = ', '.join(f'{b.split} ({name})'
                         for name, b in BENCHMARKS.items() if b.split)
    parser.add_argument('--split', help=f'default: {defaults}')
    parser.add_argument(
        '--expressions', type=Path, help='another expression file')
    protocols = '; '.join(f'{name}: {", ".join(BENCHMARKS[name].protocols)}'
                          for name in names_with('protocols'))
    parser.add_argument(
        '--protocol', help=f'{protocols} (default: the first)')
    parser.add_argument(
        '--missing', choices=MISSING,
        help='what missing predictions count: 0 (default), or as in the '
        'official code (mevis, revos, long_rvos, ref_sav)')
    parser.add_argument('--workers', type=int, default=1, help='processes')
    parser.add_argument('--csv', type=Path, help='write a row per expression')
    parser.add_argument(
        '--json', type=Path, help='write everything, with values per frame')
    parser.add_argument(
        '--plot', type=Path, help='folder for plots of J&F over the frames '
        'and by split')
    args = parser.parse_args()
    check_args(parser, args)
    return args


def check_args(parser: argparse.ArgumentParser,
               args: argparse.Namespace) -> None:
    """End with status 2 and one line if an option cannot be used."""
    if args.workers < 1:
        parser.error(f'--workers is {args.workers}, expected 1 or more')
    if args.config:
        for option in ('gt', 'split', 'expressions', 'protocol', 'missing'):
            if getattr(args, option) is not None:
                parser.error(f'--{option} is not for --config: edit the '
                             'config')
    else:
        if args.gt is None:
            parser.error('--gt is missing: give the root of the dataset')
        for option, needed in (('split', 'split'),
                               ('expressions', 'expressions'),
                               ('protocol', 'protocols')):
            users = names_with(needed)
            if getattr(args, option) is not None and args.dataset not in users:
                parser.error(f'--{option} is for {", ".join(users)}, not for '
                             f'{args.dataset}')
    try:
        for path in filter(None, (args.csv, args.json)):
            check_output_file(path)
        if args.plot:
            check_output_folder(args.plot)
    except OSError as error:
        parser.error(str(error))


def load_benchmark(
        args: argparse.Namespace) -> tuple[BaseRVOSDataset, ExpressionMetric]:
    if args.config:
        from mmrvos.utils import load_config  # imports torch
        return config_benchmark(load_config(args.config))
    options = {
        name: getattr(args, name)
        for name in ('protocol', 'missing') if getattr(args, name) is not None
    }
    metric = BENCHMARKS[args.dataset].metric(**options)
    return benchmark_dataset(
        args.dataset, args.gt, args.split, args.expressions), metric


@dataclass(frozen=True)
class Score:
    """The numbers of a folder of masks.

    Attributes:
        summary: percent by name.
        records: one per expression that counts.
        problems: one line per prediction that is missing or wrong. They are
            on stderr already.
        left_out: expressions without a record, by the official rule.
        broken, entries: videos or samples with broken ground truth, and all.
    """
    summary: dict[str, float]
    records: list[dict]
    problems: list[str]
    left_out: int
    broken: int
    entries: int


def score(dataset: BaseRVOSDataset, metric: ExpressionMetric, pred: Path,
          workers: int) -> Score:
    """Score masks on disk, with progress and problems on stderr.

    Raises:
        PredictionError, GroundTruthError: nothing can be scored.
    """
    scorer = make_scorer(dataset, metric, pred)
    problems = [*scorer.reader.unknown, *scorer.reader.others()]
    bar = ProgressBar(len(scorer), file=sys.stderr)
    records, left_out, broken = [], 0, 0
    for scored in score_all(scorer, workers, bar.update):
        records += scored.records
        problems += scored.problems
        left_out += scored.left_out
        broken += scored.broken
    print(file=sys.stderr)
    for line in problems:
        print(f'problem: {line}', file=sys.stderr)
    if not records:
        raise PredictionError('nothing could be scored')
    return Score(
        metric.compute_metrics([records]), records, problems, left_out,
        broken, len(scorer))


def main() -> int:
    args = parse_args()
    try:
        dataset, metric = load_benchmark(args)
        if args.plot and not has_frame_values(metric):
            raise ValueError(
                f'--plot needs values per frame, {type(metric).__name__} has '
                'none: leave the option out')
        result = score(dataset, metric, args.pred, args.workers)
    except (ValueError, OSError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 2
    name = args.dataset or args.config.stem
    if args.csv:
        report.write_csv(args.csv, result.records)
    if args.json:
        head = dict(
            dataset=name,
            unit='percent',
            missing=metric.missing,
            left_out_expressions=result.left_out,
            left_out=result.broken)
        if hasattr(metric, 'protocol'):
            head['protocol'] = metric.protocol
        report.write_report(args.json, head, result.summary, result.records,
                            result.problems)
    if args.plot:
        for path in report.plot(args.plot, result.records):
            print(f'plot: {path}', file=sys.stderr)
    print(f'{name}: {len(result.records)} expressions, percent')
    if result.left_out:
        print(f'{result.left_out} expressions are left out, as in the '
              'official code')
    if result.broken:
        print(f'{result.broken} of {result.entries} videos or samples are '
              'left out: their ground truth is broken')
    print(report.table(result.summary))
    if result.problems:
        print(f'{len(result.problems)} problem(s), see above',
              file=sys.stderr)
    return 1 if result.problems else 0


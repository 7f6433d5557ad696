"""Score masks that any method has written: a folder or a zip of PNGs.

    python tools/analysis_tools/eval_masks.py PRED --gt ROOT --dataset ytvos

Results go to stdout, progress and problems to stderr. Exit status: 0 all was
well; 1 scored, but something in the predictions was wrong (a line each; it
counts 0); 2 nothing could be scored. docs/evaluation.md has the layouts.
"""
import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from mmengine.utils import ProgressBar

from mmrvos.evaluation import (
    A2DMetric,
    ExpressionMetric,
    JHMDBMetric,
    MeViSMetric,
    RefDAVISMetric,
    RefYoutubeVOSMetric,
    ReVOSMetric,
)
from mmrvos.evaluation.functional import PROTOCOLS
from mmrvos.evaluation.offline import ground_truth as gt
from mmrvos.evaluation.offline import report
from mmrvos.evaluation.offline.predictions import (
    PredictionError,
    PredictionFiles,
)
from mmrvos.evaluation.offline.scoring import (
    FrameScorer,
    LabelMapScorer,
    Scorer,
    VideoScorer,
    score_all,
)

COCO_FILES = dict(
    a2d='a2d_sentences_test_annotations_in_coco_format.json',
    jhmdb='jhmdb_sentences_gt_annotations_in_coco_format.json')


#: options that not every data set has a use for
USED_BY = dict(
    split=('mevis', 'revos', 'ytvos'),
    expressions=('mevis', 'revos', 'ytvos'),
    protocol=('davis17', ),
    plot=('davis17', 'mevis', 'revos', 'ytvos'))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('pred', type=Path, help='folder or zip of PNGs')
    parser.add_argument(
        '--gt', type=Path, required=True, help='root of the data set (a2d, '
        'jhmdb: or the COCO file itself)')
    parser.add_argument('--dataset', choices=sorted(SETUPS), required=True)
    parser.add_argument(
        '--split', help="default: 'valid' (ytvos), 'valid_u' (mevis), '.' "
        '(revos)')
    parser.add_argument(
        '--expressions', type=Path, help='another expression file')
    parser.add_argument(
        '--protocol', choices=PROTOCOLS,
        help='davis17: how predicted and true objects meet (default: '
        'unsupervised)')
    parser.add_argument('--workers', type=int, default=1, help='processes')
    parser.add_argument('--csv', type=Path, help='write a row per expression')
    parser.add_argument(
        '--json', type=Path, help='write everything, with values per frame')
    parser.add_argument(
        '--plot', type=Path, help='folder for plots of J&F over the frames '
        'and by split')
    args = parser.parse_args()
    if args.workers < 1:
        parser.error(f'--workers is {args.workers}, expected 1 or more')
    for option, users in USED_BY.items():
        if getattr(args, option) is not None and args.dataset not in users:
            parser.error(f'--{option} is for {", ".join(users)}, not for '
                         f'{args.dataset}')
    for path in (args.csv, args.json):
        if path is not None and path.is_dir():
            parser.error(f'{path} is a folder, expected the name of a file')
    return args


def ytvos(args: argparse.Namespace) -> tuple[Scorer, ExpressionMetric]:
    tasks = gt.load_ytvos(args.gt, args.split or 'valid', args.expressions)
    return (VideoScorer(PredictionFiles(args.pred), tasks),
            RefYoutubeVOSMetric())


def mevis(args: argparse.Namespace) -> tuple[Scorer, ExpressionMetric]:
    tasks = gt.load_mevis(args.gt, args.split or 'valid_u', args.expressions)
    return VideoScorer(PredictionFiles(args.pred), tasks), MeViSMetric()


def revos(args: argparse.Namespace) -> tuple[Scorer, ExpressionMetric]:
    expressions = args.expressions or (
        args.gt / 'meta_expressions_valid_.json')
    tasks = gt.load_mevis(args.gt, args.split or '.', expressions)
    return VideoScorer(PredictionFiles(args.pred), tasks), ReVOSMetric()


def davis17(args: argparse.Namespace) -> tuple[Scorer, ExpressionMetric]:
    protocol = args.protocol or PROTOCOLS[0]
    scorer = LabelMapScorer(
        PredictionFiles(args.pred), gt.load_davis17(args.gt), protocol)
    return scorer, RefDAVISMetric(protocol=protocol)


def a2d(args: argparse.Namespace) -> tuple[Scorer, ExpressionMetric]:
    tasks = gt.load_frames(args.gt, COCO_FILES[args.dataset])
    metric = A2DMetric() if args.dataset == 'a2d' else JHMDBMetric()
    return FrameScorer(PredictionFiles(args.pred), tasks), metric


SETUPS: dict[str, Callable] = dict(
    ytvos=ytvos, mevis=mevis, revos=revos, davis17=davis17, a2d=a2d,
    jhmdb=a2d)


def main() -> int:
    args = parse_args()
    try:
        scorer, metric = SETUPS[args.dataset](args)
        for path in (args.csv, args.json):
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
    except (PredictionError, gt.GroundTruthError, OSError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 2
    problems = [f'{name}: unknown to the data set, not scored'
                for name in scorer.unknown]
    others = [path for path in scorer.files.others
              if not path.endswith('scores.json')]
    if others:
        more = f', nor are {len(others) - 1} more' if others[1:] else ''
        problems.append(f'{others[0]}: not a PNG, ignored{more}')
    bar = ProgressBar(len(scorer.tasks), file=sys.stderr)
    records, left_out = [], 0
    for scored in score_all(scorer, args.workers, bar.update):
        records += scored.records
        problems += scored.problems
        left_out += scored.left_out
    print(file=sys.stderr)
    for line in problems:
        print(f'problem: {line}', file=sys.stderr)
    if not records:
        print('error: nothing could be scored', file=sys.stderr)
        return 2
    summary = metric.compute_metrics([records])
    if args.csv:
        report.write_csv(args.csv, records)
    if args.json:
        head = dict(dataset=args.dataset, unit='percent', left_out=left_out)
        if args.dataset == 'davis17':
            head['protocol'] = metric.protocol
        report.write_json(args.json, head, summary, records, problems)
    if args.plot:
        for path in report.plot(args.plot, records):
            print(f'plot: {path}', file=sys.stderr)
    print(f'{args.dataset}: {len(records)} expressions, percent' + (
        f'; {left_out} of {len(scorer.tasks)} videos or samples are left out: '
        'their ground truth is broken' if left_out else ''))
    print(report.table(summary))
    if problems:
        print(f'{len(problems)} problem(s), see above', file=sys.stderr)
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())

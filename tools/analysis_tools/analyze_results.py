"""Find out where a model succeeds and where it fails, as one HTML page.

    analyze_results.py CONFIG CHECKPOINT --out results.html
    analyze_results.py CONFIG --masks PRED --out results.html

The model segments the test data set of the config; or PRED holds masks of any
program, in a layout that eval_masks.py reads. The page shows, in total and for
each type and length of sentences,

- J&F, J, F, and the number of hits (mean J of at least 0.5), misses (below
  0.1), sentences for which nothing was marked although there is a target, and
  those without a target for which something was marked,
- the distribution of J&F over sentences,
- the best and the worst sentences, with frames, predicted and true masks.

Every sentence is scored against its own objects, also where the benchmark
matches objects (Ref-DAVIS17) or ranks candidates (A2D-Sentences).
"""
from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mmrvos.utils import (
    KeyValueAction,
    check_file,
    check_output_file,
    clear_errors,
    find_checkpoint,
    read_image,
)
from mmrvos.visualization import contact_sheet, draw_masks, html
from mmrvos.visualization.drawing import draw_tag, spread_indices

if TYPE_CHECKING:
    from mmengine.config import Config

#: mean J from which a sentence is a hit, and below which it is a miss
HIT, MISS = 0.5, 0.1
#: width of a frame in the pictures, in pixels
WIDTH = 240
COLUMNS = ('sentences', 'J&F', 'J', 'F', 'hits', 'misses', 'nothing marked',
           'marked without target')


@dataclass(frozen=True)
class Sentence:
    """The result of one sentence.

    Attributes:
        record: of :class:`VideoMetric`, values per frame.
        text: the sentence.
        score: of the model; None for masks of other programs.
        sample: the data sample as a dict, shared by the sentences of a video.
        index: of the sentence in the sample.
    """
    record: dict
    text: str
    score: float | None
    sample: dict
    index: int

    @property
    def value(self) -> float:
        """J&F, a mean over frames, in [0, 1]."""
        return float(np.mean(self.record['J'] + self.record['F']) / 2)

    @property
    def overlap(self) -> float:
        """Mean J over frames."""
        return float(np.mean(self.record['J']))

    @property
    def has_target(self) -> bool:
        return bool(self.record['gt_present'].any())

    @property
    def is_marked(self) -> bool:
        return bool(self.record['pred_present'].any())


# ------------------------------------------------------------------ sentences


def annotated_frame(sample: dict) -> dict:
    """Reduce a sample of which one frame is annotated to this frame."""
    from mmrvos.datasets.mask_sources import ClipMasks
    t = sample.get('valid_index')
    if t is None:
        return sample
    reduced = dict(
        sample, mask_source=ClipMasks(sample['mask_source'], [int(t)]))
    for key in ('frame_names', 'img_paths'):
        reduced[key] = [sample[key][int(t)]]
    reduced.pop('valid_span', None)
    return reduced


def score_sample(sample: dict) -> list[Sentence]:
    """Score the sentences of a data sample with predictions."""
    from mmrvos.evaluation.metrics.video_metrics import VideoMetric
    sample = annotated_frame(sample)
    metric = VideoMetric()
    scores = sample['pred'].get('scores')
    return [
        Sentence(
            dict(metric.identity(sample, e), **record), sample['texts'][e],
            None if scores is None else float(scores[e]), sample, e)
        for e, record in enumerate(metric.score(sample)) if record is not None
    ]


def test_model(cfg: Config, checkpoint: str | None) -> list[Sentence]:
    """Segment the test data set of a config by a model."""
    from mmengine.hooks import Hook

    from mmrvos.engine import test_runner

    found: list[Sentence] = []

    class Collect(Hook):

        def after_test_iter(self, runner: Any, batch_idx: int,
                            data_batch: dict, outputs: Sequence) -> None:
            for sample in outputs:
                found.extend(score_sample(sample.to_dict()))

    runner = test_runner(cfg, checkpoint)
    runner.register_hook(Collect())
    runner.test()
    return found


def read_masks(cfg: Config, pred: Path) -> list[Sentence]:
    """Read masks on disk of the test data set of a config."""
    from mmrvos.evaluation.metrics.video_metrics import VideoMetric
    from mmrvos.evaluation.offline.benchmarks import (
        config_benchmark,
        make_scorer,
    )
    dataset, metric = config_benchmark(cfg)
    if not isinstance(metric, VideoMetric):
        raise ValueError(
            f'--masks needs masks per sentence and frame; {cfg.filename} is '
            f'scored by {type(metric).__name__}: give a checkpoint')
    reader = make_scorer(dataset, metric, pred).reader
    problems = [*reader.unknown, *reader.others()]
    found: list[Sentence] = []
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        for sample in reader.samples(info, problems):
            sample['img_paths'] = info.get('img_paths')
            found += score_sample(sample)
    for problem in problems:
        print(f'problem: {problem}', file=sys.stderr)
    return found


# ----------------------------------------------------------------------- page


def row_of(sentences: Sequence[Sentence]) -> list[object]:
    """The numbers of ``COLUMNS`` for some sentences."""
    j = float(np.mean([s.overlap for s in sentences]))
    f = float(np.mean([np.mean(s.record['F']) for s in sentences]))
    return [
        len(sentences), 50 * (j + f), 100 * j, 100 * f,
        sum(s.overlap >= HIT for s in sentences),
        sum(s.overlap < MISS for s in sentences),
        sum(s.has_target and not s.is_marked for s in sentences),
        sum(s.is_marked and not s.has_target for s in sentences)
    ]


def splits_of(
        sentences: Sequence[Sentence]) -> Iterator[tuple[str, list[Sentence]]]:
    """Split sentences by their types and lengths."""
    from mmrvos.evaluation.functional import split_records
    by_record = {id(s.record): s for s in sentences}
    for name, records in split_records([s.record for s in sentences]):
        yield name, [by_record[id(r)] for r in records]


def histogram(sentences: Sequence[Sentence]) -> str:
    """Table of the distribution of J&F."""
    values = [min(9, int(10 * s.value)) for s in sentences]
    counts = np.bincount(values, minlength=10)
    return html.table(('J&F', 'sentences', ''), [
        (f'{10 * k} to {10 * k + 10}', int(count),
         html.Bar(count / counts.max())) for k, count in enumerate(counts)
    ])


def draw(sentence: Sentence, num_frames: int) -> np.ndarray | None:
    """Draw frames of a sentence: predicted masks above true masks.

    Returns:
        (H, W, 3) uint8 RGB; None without frames.
    """
    import cv2

    from mmrvos.evaluation.missing import Fault
    from mmrvos.evaluation.video_scores import as_mask
    sample, e = sentence.sample, sentence.index
    paths = sample.get('img_paths')
    if not paths or not Path(paths[0]).is_file():
        return None
    rows: tuple[list, list] = ([], [])
    for t in spread_indices(len(paths), num_frames):
        true = sample['mask_source'].read(sample['obj_ids'][e], t)
        predicted = as_mask(sample['pred']['masks'][e][t])
        if isinstance(predicted, Fault):
            predicted = np.zeros(true.shape)
        frame = read_frame(paths[t], sample['frame_names'][t])
        size = WIDTH, max(1, round(WIDTH * frame.shape[0] / frame.shape[1]))
        frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        for row, mask, name in ((rows[0], predicted, 'predicted'),
                                (rows[1], true, 'true')):
            mask = cv2.resize((mask != 0).astype(np.uint8), size,
                              interpolation=cv2.INTER_NEAREST)
            image = draw_masks(frame, mask[None] > 0, 'outline')
            value = f', J {100 * sentence.record["J"][t]:.0f}' if (
                name == 'predicted') else ''
            draw_tag(image, f'{name}, frame {t}{value}')
            row.append(image)
    return contact_sheet([*rows[0], *rows[1]], columns=len(rows[0]))


def read_frame(path: str, name: str) -> np.ndarray:
    """Read a frame, also of a video file (A2D-Sentences: named from 1)."""
    from mmrvos.datasets.own_data.frames import VIDEO_SUFFIXES
    if Path(path).suffix.lower() not in VIDEO_SUFFIXES:
        return read_image(path)
    from mmrvos.datasets.transforms.loading import read_video_frames
    return read_video_frames(path, [int(name) - 1])[0]


def figure_of(sentence: Sentence, num_frames: int) -> str:
    """The picture and the caption of a sentence."""
    record = sentence.record
    facts = [
        f'J&F {100 * sentence.value:.1f}', f'J {100 * sentence.overlap:.1f}',
        f'video {record["video_id"]}', f'expression {record["exp_id"]}'
    ]
    facts += [str(record[key]) for key in ('type_id', 'length')
              if record[key] is not None]
    if sentence.score is not None:
        facts.append(f'score {sentence.score:.2f}')
    if not sentence.has_target:
        facts.append('no target')
    if not sentence.is_marked:
        facts.append('nothing marked')
    picture = draw(sentence, num_frames)
    if picture is None:
        return html.note(f'{sentence.text}: {", ".join(facts)} (no frames)')
    return html.figure(picture, sentence.text, ', '.join(facts))


def build_page(title: str, sentences: Sequence[Sentence], num: int,
               num_frames: int) -> str:
    """Build the page, see the top of this file.

    Args:
        title: of the page.
        sentences: all results.
        num: sentences in a list of best or worst ones.
        num_frames: frames per picture.
    """
    groups = [('all', list(sentences)), *splits_of(sentences)]
    parts = [
        html.note(
            f'Percent, except for counts. A hit has a mean J of at least '
            f'{100 * HIT:.0f}, a miss of less than {100 * MISS:.0f}.'),
        html.table(('split', *COLUMNS),
                   [(name, *row_of(group)) for name, group in groups]),
        html.heading('Distribution'),
        histogram(sentences)
    ]
    for name, group in groups:
        ranked = sorted(group, key=lambda s: s.value)
        count = min(num if name == 'all' else max(1, num // 2), len(ranked))
        for label, chosen in (('worst', ranked[:count]),
                              ('best', ranked[::-1][:count])):
            parts.append(html.heading(f'{name}: {label} {count}'))
            parts += [figure_of(s, num_frames) for s in chosen]
    return html.page(title, *parts)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file')
    parser.add_argument(
        'checkpoint',
        nargs='?',
        help='checkpoint file, URL or name of a model (mmrvos list); not with '
        '--masks, and not for models '
        'that load published weights')
    parser.add_argument(
        '--masks',
        type=Path,
        metavar='PRED',
        help='score these masks in place of a model: a folder or zip of PNGs, '
        'or a JSON file of RLEs')
    parser.add_argument(
        '--out',
        type=Path,
        required=True,
        metavar='FILE.html',
        help='the page; pictures are stored in it')
    parser.add_argument(
        '--num',
        type=int,
        default=8,
        help='sentences in the lists of the best and of the worst; half of it '
        'per split (default: %(default)s)')
    parser.add_argument(
        '--frames',
        type=int,
        default=4,
        help='frames per picture, evenly spread (default: %(default)s)')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=KeyValueAction,
        metavar='KEY=VALUE',
        help='change values of the config, e.g. data_root=DIR')
    args = parser.parse_args()
    if args.num < 1 or args.frames < 1:
        parser.error('--num and --frames are at least 1')
    if args.checkpoint and args.masks:
        parser.error('CHECKPOINT and --masks are given: choose one')
    return args


@clear_errors
def main() -> None:
    args = parse_args()
    if args.out.suffix != '.html':
        raise ValueError(
            f'--out {args.out}: expected a name that ends in .html')
    check_output_file(args.out)
    from mmrvos.downloads import is_remote
    from mmrvos.weights import resolve_weights
    if args.checkpoint:
        args.checkpoint = resolve_weights(args.checkpoint)
    if args.checkpoint and not is_remote(args.checkpoint):
        check_file(find_checkpoint(args.checkpoint))
    from mmrvos.utils import default_work_dir, load_config, needs_checkpoint
    cfg = load_config(args.config, args.cfg_options)
    if args.masks is not None:
        sentences = read_masks(cfg, args.masks)
        source = args.masks
    else:
        if not args.checkpoint and needs_checkpoint(cfg.model):
            raise ValueError(f'{args.config} needs a checkpoint behind the '
                             'config, or --masks')
        cfg.work_dir = cfg.get('work_dir') or default_work_dir(args.config)
        sentences = test_model(cfg, args.checkpoint)
        source = args.checkpoint or args.config
    if not sentences:
        raise ValueError(f'{args.config}: no sentence could be scored')
    html.write_page(
        args.out,
        build_page(f'Results of {source}', sentences, args.num, args.frames))
    print(f'\n{len(sentences)} sentences: see {args.out}')


if __name__ == '__main__':
    main()

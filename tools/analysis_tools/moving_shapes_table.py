"""Print a table of trainings on Moving Shapes from their logs.

    python tools/analysis_tools/moving_shapes_table.py \\
        work_dirs/{referformer,soc}/tiny_shapes \\
        --data-root data/moving_shapes_small

Each work dir gives one row: the metrics of its last validation, the seed of
its config, the number of training clips (one per video and epoch) and the time
of the training steps (with loading, without validation). With --data-root,
rows with the ceilings follow.
"""
import argparse
import json
from pathlib import Path

from benchmarking.synthetic import build_model
from mmengine.config import Config

from mmrvos.evaluation.moving_shapes_ceilings import ceilings
from mmrvos.utils import clear_errors

SPLITS = ('static3', 'appearance', 'position', 'relation', 'motion-extent',
          'motion-order', 'mixed', 'total', 'short', 'long')
CEILINGS = dict(
    stride4_mean='stride-4 masks',
    static='one frame',
    set='frames without order')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('work_dirs', nargs='+', type=Path)
    parser.add_argument(
        '--data-root', help='folder of the data set, for the ceilings')
    return parser.parse_args()


def cells(values: dict[str, dict[str, float]]) -> list[str]:
    """Format J&F / hit rate per split.

    Args:
        values: {split: {'J&F': percent, 'hit': percent}}.
    """
    return [
        f'{values[s]["J&F"]:.1f} / {values[s]["hit"]:.0f}' for s in SPLITS
    ]


def row(work_dir: Path) -> list[str]:
    """Make the row of a work dir from its config and scalars.

    Raises:
        FileNotFoundError: the config or the scalars are missing.
        ValueError: the scalars hold no validation on Moving Shapes.
    """
    configs = sorted(work_dir.glob('*.py'))
    logs = sorted(work_dir.glob('*/vis_data/scalars.json'))
    if not (configs and logs):
        raise FileNotFoundError(
            f'{work_dir} is no work dir of a training: expected its config '
            'and <time>/vis_data/scalars.json')
    lines = ''.join(log.read_text() for log in logs).splitlines()
    entries = [json.loads(line) for line in lines]
    scores = next((e for e in reversed(entries) if 'shapes/J&F' in e), None)
    if scores is None:
        raise ValueError(f'{work_dir} holds no validation on Moving Shapes: '
                         'train to the end first')
    # a resumed training repeats steps: keep the last entry of a step
    steps = {e['iter']: e['time'] for e in entries if 'loss' in e}
    seconds = sum(
        (step - before) * steps[step] for before, step in zip(
            [0, *sorted(steps)], sorted(steps), strict=False))
    cfg = Config.fromfile(configs[0])
    data = cfg.train_dataloader.dataset
    videos = json.loads(Path(data.data_root, data.ann_file).read_text())
    clips = scores['step'] * len(videos['videos'])
    model = build_model(str(configs[0]))
    parameters = sum(p.numel() for p in model.parameters()) / 1e6
    values = {}
    for split in SPLITS:
        end = '' if split == 'total' else f'/{split}'
        values[split] = {m: scores[f'shapes/{m}{end}'] for m in ('J&F', 'hit')}
    return [
        f'`{work_dir.parent.name}/{work_dir.name}`',
        str(cfg.randomness.seed), f'{clips:,}', f'{seconds / 60:.0f}',
        f'{parameters:.1f} M', *cells(values)
    ]


@clear_errors
def main() -> None:
    args = parse_args()
    head = ('config', 'seed', 'clips seen', 'minutes', 'parameters', *SPLITS)
    rows = [head, ['---'] * len(head), *map(row, args.work_dirs)]
    if args.data_root:
        known = ceilings(args.data_root)
        rows += [[f'ceiling: {name}', '', '', '', '', *cells(known[key])]
                 for key, name in CEILINGS.items()]
    for line in rows:
        print('| ' + ' | '.join(line) + ' |')


if __name__ == '__main__':
    main()

"""Print the J&F and hit rates of oracles on Moving Shapes."""
import argparse
from pathlib import Path

import yaml

from mmrvos.evaluation.moving_shapes_ceilings import ORACLES, ceilings, table
from mmrvos.utils import check_output_file, clear_errors

#: oracles of the table in docs/moving_shapes.md
SHOWN = {
    'stride4_mean': 'stride-4 masks',
    'static': 'one frame',
    'set': 'frames without order'
}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='oracles and what they know:\n' + '\n'.join(
            f'  {name:14} {what}' for name, what in ORACLES.items()))
    parser.add_argument('root', help='folder of the data set')
    parser.add_argument('--subset', choices=['train', 'valid'],
                        default='valid')
    parser.add_argument(
        '--out',
        type=Path,
        metavar='FILE.yml',
        help='write the ceilings that mmrvos table puts below results')
    return parser.parse_args()


def for_tables(scores: dict) -> dict:
    """Return the ceilings in the form of a metafile's 'Metrics'."""
    return {
        name: {
            measure + ('' if split == 'total' else f'/{split}'):
            round(values[measure], 1)
            for split, values in scores[oracle].items()
            for measure in ('J&F', 'hit')
        } for oracle, name in SHOWN.items()
    }


@clear_errors
def main() -> None:
    args = parse_args()
    if args.out is not None:
        check_output_file(args.out)
    scores = ceilings(args.root, args.subset)
    print(table(scores))
    if args.out is not None:
        size = Path(args.root).name.removeprefix('moving_shapes_')
        args.out.write_text(yaml.safe_dump(
            {f'Moving Shapes ({size})': for_tables(scores)}, sort_keys=False))


if __name__ == '__main__':
    main()

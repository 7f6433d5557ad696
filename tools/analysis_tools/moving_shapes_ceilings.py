"""Print the J&F and hit rates of oracles on Moving Shapes."""
import argparse

from mmrvos.evaluation.moving_shapes_ceilings import ORACLES, ceilings, table


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='oracles and what they know:\n' + '\n'.join(
            f'  {name:14} {what}' for name, what in ORACLES.items()))
    parser.add_argument('root', help='folder of the data set')
    parser.add_argument('--subset', choices=['train', 'valid'],
                        default='valid')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    try:
        print(table(ceilings(args.root, args.subset)))
    except FileNotFoundError as error:
        raise SystemExit(f'error: {error}') from None


if __name__ == '__main__':
    main()

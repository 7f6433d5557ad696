"""Make Moving Shapes, the benchmark that needs no download."""
import argparse

from mmrvos.moving_shapes import generate
from mmrvos.moving_shapes.videos import SIZES
from mmrvos.utils import check_output_folder, clear_errors


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='sizes (train / valid videos, frames, pixels):\n' + '\n'.join(
            f'  {name:6} {s.train} / {s.valid}, {s.num_frames} frames, '
            f'{s.shape[0]} x {s.shape[1]}' for name, s in SIZES.items()))
    parser.add_argument('--size', choices=list(SIZES), required=True)
    parser.add_argument(
        '--out', required=True,
        help='folder to make, in the layout of Ref-YouTube-VOS')
    parser.add_argument(
        '--workers', type=int, default=2,
        help='processes (default: 2); the result does not depend on it')
    parser.add_argument(
        '--seed', type=int, default=0,
        help='the benchmark is seed 0 (default); others give fresh videos')
    return parser.parse_args()


@clear_errors
def main() -> None:
    args = parse_args()
    check_output_folder(args.out)
    generate(args.size, args.out, workers=args.workers, seed=args.seed)
    print(f'Moving Shapes ({args.size}) is in {args.out}')


if __name__ == '__main__':
    main()

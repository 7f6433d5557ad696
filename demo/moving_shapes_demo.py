"""Segment a validation video of Moving Shapes by one sentence per type.

The first use generates Moving Shapes. Run it from the repository's folder.
"""
import argparse

from mmrvos.apis import OUTPUTS, check_folder
from mmrvos.registry import DATASETS
from mmrvos.utils import clear_errors

MODEL = 'referformer_tiny_shapes_motion'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--index', type=int, default=0, help='index of the video (default: 0)')
    parser.add_argument(
        '--out-dir', default='demo/output', help='default: %(default)s')
    return parser.parse_args()


def one_of_each_kind(expressions: list[dict]) -> list[str]:
    """Return the first short expression of every ``type_id``."""
    chosen: dict[str, str] = {}
    for expression in expressions:
        if expression['length'] == 'short':
            chosen.setdefault(expression['type_id'], expression['text'])
    return list(chosen.values())


@clear_errors
def main() -> None:
    args = parse_args()
    check_folder(args.out_dir, OUTPUTS)
    from mmrvos.apis import RVOSInferencer  # imports torch
    inferencer = RVOSInferencer(MODEL)
    dataset = DATASETS.build(inferencer.cfg.test_dataloader.dataset)
    if not 0 <= args.index < len(dataset):
        raise ValueError(f'--index {args.index}: expected 0 to '
                         f'{len(dataset) - 1}, the index of a video')
    video = dataset.get_data_info(args.index)
    results = inferencer(
        video['img_paths'],
        one_of_each_kind(video['expressions']),
        out_dir=args.out_dir)
    print(f'\nvideo {video["video_id"]}')
    for result in results:
        print(f'  score {result.score:.2f}  {result.text}')
    print(f'overlay: {args.out_dir}/overlay.mp4 and overlay.png, masks in '
          f'{args.out_dir}/masks')


if __name__ == '__main__':
    main()

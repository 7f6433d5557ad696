"""Reduce a training checkpoint to its weights.

    python tools/model_converters/publish_model.py epoch_20.pth model.pth
"""
import argparse
from pathlib import Path

import torch

from mmrvos.utils import checked_weights, clear_errors, read_checkpoint


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Keep the weights of a checkpoint (the averaged ones, '
        'where EMA was on) and drop optimizer, schedules and history.')
    parser.add_argument('source', help='checkpoint of a training')
    parser.add_argument('target', help='where to write the weights')
    return parser.parse_args()


@clear_errors
def main() -> None:
    args = parse_args()
    target = Path(args.target)
    if target.exists():
        raise FileExistsError(f'{target} exists: remove it, or name another '
                              'file')
    weights = checked_weights(
        read_checkpoint(args.source)['state_dict'], args.source)
    target.parent.mkdir(parents=True, exist_ok=True)
    torch.save(dict(state_dict=weights), target)
    print(f'{len(weights)} tensors, {target.stat().st_size / 2**20:.1f} MiB: '
          f'{target}')


if __name__ == '__main__':
    main()

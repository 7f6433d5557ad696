"""Draw the inputs of the network: augmented frames, masks, boxes, sentences.

Each sample gives one picture with all frames of the clip side by side. The
page index.html in the same folder shows all of them with their sentences and
objects.
"""
from __future__ import annotations

import argparse
import random
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from mmengine.registry import init_default_scope
from mmengine.utils import track_iter_progress

from mmrvos.registry import DATASETS
from mmrvos.utils import KeyValueAction, check_output_folder, clear_errors
from mmrvos.visualization import (
    contact_sheet,
    draw_legend,
    draw_masks,
    html,
    write_image,
)
from mmrvos.visualization.drawing import colour_of

if TYPE_CHECKING:
    import torch

    from mmrvos.structures import RVOSDataSample


def draw_boxes(image: np.ndarray, boxes: torch.Tensor,
               valid: torch.Tensor) -> np.ndarray:
    """Draw the boxes of the valid expressions.

    Args:
        image: (H, W, 3) uint8.
        boxes: (E, 4), normalised (cx, cy, w, h).
        valid: (E,) bool.
    """
    height, width = image.shape[:2]
    image = np.ascontiguousarray(image)
    for e in valid.nonzero().flatten().tolist():
        cx, cy, w, h = (boxes[e] * boxes.new_tensor(
            [width, height, width, height])).tolist()
        cv2.rectangle(
            image, (round(cx - w / 2), round(cy - h / 2)),
            (round(cx + w / 2), round(cy + h / 2)), colour_of(e), 1)
    return image


def draw_sample(inputs: torch.Tensor, sample: RVOSDataSample) -> np.ndarray:
    """Draw all frames of a packed sample and its sentences.

    Args:
        inputs: (T, 3, h, w) uint8.
    """
    frames = inputs.permute(0, 2, 3, 1).numpy()
    images = list(frames)
    if 'gt' in sample:
        gt = sample.gt
        images = [
            draw_boxes(
                draw_masks(frame, gt.masks[:, t].numpy()), gt.boxes[:, t],
                gt.valid[:, t]) for t, frame in enumerate(frames)
        ]
    sheet = contact_sheet(images, columns=len(images))
    return np.concatenate([sheet, draw_legend(sample.texts, sheet.shape[1])])


def describe(sample: RVOSDataSample) -> str:
    """List the sentences of a sample with their objects and types."""
    parts = []
    for text, obj_ids, type_id in zip(
            sample.texts, sample.obj_ids, sample.type_ids, strict=True):
        marks = [f'object {", ".join(obj_ids)}' if obj_ids else 'no object']
        marks += [str(type_id)] if type_id is not None else []
        parts.append(f'"{text}" ({"; ".join(marks)})')
    frames = sample.frame_names
    return ' | '.join(parts) + f' | {len(frames)} frames from {frames[0]}'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--out',
        type=Path,
        required=True,
        metavar='DIR',
        help='folder of the pictures and of index.html')
    parser.add_argument(
        '--loader',
        choices=['train', 'val', 'test'],
        default='train',
        help='whose samples to draw (default: %(default)s)')
    parser.add_argument(
        '--num',
        type=int,
        default=20,
        help='number of samples (default: %(default)s)')
    parser.add_argument(
        '--seed',
        type=int,
        default=0,
        help='of the choice of samples and of augmentations (default: '
        '%(default)s)')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=KeyValueAction,
        metavar='KEY=VALUE',
        help='change values of the config')
    return parser.parse_args()


@clear_errors
def main() -> None:
    args = parse_args()
    check_output_folder(args.out)
    from mmrvos.utils import load_config  # imports torch
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope('mmrvos')
    if f'{args.loader}_dataloader' not in cfg:
        raise ValueError(f'{args.config} has no {args.loader}_dataloader')
    dataset = DATASETS.build(cfg[f'{args.loader}_dataloader'].dataset)
    random.seed(args.seed)
    np.random.seed(args.seed)  # noqa: NPY002  the transforms use it
    chosen = random.sample(range(len(dataset)), min(args.num, len(dataset)))
    args.out.mkdir(parents=True, exist_ok=True)
    figures = []
    for i in track_iter_progress(chosen):
        item = dataset[i]
        sample = item['data_samples']
        name = f'{i:06d}_{Path(sample.video_id).name}.png'
        write_image(args.out / name, draw_sample(item['inputs'], sample))
        figures.append(html.figure(name, sample.video_id, describe(sample)))
    html.write_page(
        args.out / 'index.html',
        html.page(
            f'{args.loader}_dataloader of {args.config}',
            html.note(f'{len(chosen)} of {len(dataset)} entries, after '
                      f'augmentation (seed {args.seed}).'), *figures))
    print(f'\n{len(chosen)} pictures are in {args.out}, see index.html')


if __name__ == '__main__':
    main()

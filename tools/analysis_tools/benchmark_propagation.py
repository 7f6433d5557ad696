"""Speed of a method with and without its mask propagation, part by part.

Tests a config with a propagator (``test_cfg.propagator``) on a made-up video
that lies in memory, with random weights, so reading and decoding are not in
it. The middle frame is the key frame, so that masks go both ways. As Table 4
of MLRL's paper, which has frames of 432 x 240:

    python tools/analysis_tools/benchmark_propagation.py \
        configs/mlrl/r50_davis17_stcn.py
"""
import argparse

import torch
from mmengine.config import DictAction

from mmrvos.analysis import (
    Meter,
    build_model,
    clock,
    device_name,
    made_up_frames,
    made_up_sample,
    watch,
)
from mmrvos.models import BaseRVOSSegmentor
from mmrvos.utils import clear_errors

# {part: (owner below the model, what is called)}; what it lacks is left out
METHOD_PARTS = {
    'backbone': ('backbone', 'forward'),
    'visual features': ('', 'encode_clip'),
    'text': ('', 'encode_text'),
    'language to pixels': ('', 'decode'),
    'masks': ('head', 'masks'),
    'to original size, RLE': ('', 'postprocessor'),
}
PROPAGATOR_PARTS = {
    'propagation: frames': ('propagator.network', 'encode_key'),
    'propagation: masks to memory': ('propagator.network', 'encode_value'),
    'propagation: masks': ('propagator.network', 'decode'),
    'propagation: vision encoder': ('propagator.network.vision_encoder',
                                    'forward'),
    'propagation: memory read, the rest': ('', 'propagator'),
}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='one with test_cfg.propagator')
    parser.add_argument(
        '--frames', type=int, default=36, help='of the video (36)')
    parser.add_argument(
        '--size', type=int, nargs=2, default=[240, 432],
        metavar=('HEIGHT', 'WIDTH'), help='of the frames (240 432)')
    parser.add_argument(
        '--ori-size', type=int, nargs=2, default=[480, 854],
        metavar=('HEIGHT', 'WIDTH'), help='of the masks (480 854)')
    parser.add_argument(
        '--sentences', type=int, default=1, help='asked at once (1)')
    parser.add_argument('--repeat', type=int, default=3, help='videos (3)')
    parser.add_argument(
        '--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE')
    return parser.parse_args()


def model_with_propagator(args: argparse.Namespace) -> BaseRVOSSegmentor:
    model = build_model(args.config, args.cfg_options, device=args.device)
    if model.propagator is None:
        raise ValueError(f'{args.config} has no test_cfg.propagator, '
                         'expected one such as configs/mlrl/r50_ytvos_stcn.py')
    # random weights may find nothing anywhere; it is carried all the same
    model.propagator.choose = lambda pred: dict.fromkeys(
        range(args.sentences), args.frames // 2)
    return model


def made_up(args: argparse.Namespace) -> dict:
    return dict(
        inputs=[made_up_frames(args.frames, args.size)],
        data_samples=[
            made_up_sample(args.sentences, args.size, args.ori_size)
        ])


@clear_errors
def main() -> None:
    args = parse_args()
    if min(args.frames, args.sentences, args.repeat) < 1:
        raise ValueError('--frames, --sentences and --repeat are at least 1')
    device = torch.device(args.device)
    model = model_with_propagator(args)
    now = clock(device)
    meter = Meter(now)
    with torch.no_grad():
        model.test_step(made_up(args))  # warm-up
        watch(model, meter, METHOD_PARTS | PROPAGATOR_PARTS)
        start = now()
        for _ in range(args.repeat):
            model.test_step(made_up(args))
        total = now() - start
    frames = args.frames * args.repeat
    carrying = sum(
        meter.parts[part] for part in PROPAGATOR_PARTS if part in meter.parts)
    print(f'{args.config} on {device_name(device)}: {args.repeat} x '
          f'{args.frames} frames of {args.size[1]} x {args.size[0]}, '
          f'{args.sentences} sentence(s)')
    print(f'{frames / (total - carrying):8.2f} FPS without propagation')
    print(f'{frames / total:8.2f} FPS with it')
    print(f'{"part":36} ms per frame')
    for part, seconds in meter.parts.items():
        print(f'{part:36} {1e3 * seconds / frames:12.2f}')
    rest = total - sum(meter.parts.values())
    print(f'{"to the device, the rest":36} {1e3 * rest / frames:12.2f}')


if __name__ == '__main__':
    main()

"""Speed of a method with and without its mask propagation, part by part.

Tests a config with a propagator (``test_cfg.propagator``) on a made-up video
that lies in memory, with random weights, so reading and decoding are not in
it. The middle frame is the key frame, so that masks go both ways. As Table 4
of MLRL's paper, which has frames of 432 x 240:

    python tools/analysis_tools/benchmark_propagation.py \
        configs/mlrl/r50_davis17_stcn.py
"""
import argparse
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from mmengine.config import DictAction
from mmengine.registry import init_default_scope

from mmrvos.registry import MODELS
from mmrvos.structures import RVOSDataSample
from mmrvos.utils import clear_errors, load_config, without_downloads

SENTENCE = 'the small dog that runs to the left'
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


class Stopwatch:
    """Seconds of every part, each without the parts that it calls."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.seconds: dict[str, float] = defaultdict(float)
        self.inner = [0.]  # seconds of the parts below each running one

    def now(self) -> float:
        if self.device.type == 'cuda':
            torch.cuda.synchronize(self.device)
        return time.perf_counter()

    def timed(self, part: str, function: Callable) -> Callable:
        """The function, watched."""

        def watched(*args, **kwargs) -> Any:
            start = self.now()
            self.inner.append(0.)
            result = function(*args, **kwargs)
            seconds = self.now() - start
            self.seconds[part] += seconds - self.inner.pop()
            self.inner[-1] += seconds
            return result

        return watched


def find(model: torch.nn.Module, path: str) -> Any:
    """What a dotted path names, or None."""
    owner = model
    for name in filter(None, path.split('.')):
        owner = getattr(owner, name, None)
    return owner


def watch(model: torch.nn.Module, stopwatch: Stopwatch) -> None:
    """Put the stopwatch around all parts that the model has."""
    for part, (owner, name) in (METHOD_PARTS | PROPAGATOR_PARTS).items():
        owner = find(model, owner)
        if hasattr(owner, name):
            setattr(owner, name, stopwatch.timed(part, getattr(owner, name)))


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


def build_model(args: argparse.Namespace) -> torch.nn.Module:
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope('mmrvos')
    without_downloads(cfg.model, SENTENCE.split())
    if not cfg.model.get('test_cfg', {}).get('propagator'):
        raise ValueError(f'{args.config} has no test_cfg.propagator, '
                         'expected one such as configs/mlrl/r50_ytvos_stcn.py')
    model = MODELS.build(cfg.model).to(args.device).eval()
    # random weights may find nothing anywhere; it is carried all the same
    model.propagator.choose = lambda pred: dict.fromkeys(
        range(args.sentences), args.frames // 2)
    return model


def made_up(args: argparse.Namespace) -> dict:
    sample = RVOSDataSample(
        metainfo=dict(
            video_id='made up',
            texts=[SENTENCE] * args.sentences,
            img_shape=tuple(args.size),
            ori_shape=tuple(args.ori_size)))
    frames = torch.randint(
        0, 256, (args.frames, 3, *args.size), dtype=torch.uint8)
    return dict(inputs=[frames], data_samples=[sample])


@clear_errors
def main() -> None:
    args = parse_args()
    if min(args.frames, args.sentences, args.repeat) < 1:
        raise ValueError('--frames, --sentences and --repeat are at least 1')
    device = torch.device(args.device)
    model = build_model(args)
    stopwatch = Stopwatch(device)
    with torch.no_grad():
        model.test_step(made_up(args))  # warm-up
        watch(model, stopwatch)
        start = stopwatch.now()
        for _ in range(args.repeat):
            model.test_step(made_up(args))
        total = stopwatch.now() - start
    frames = args.frames * args.repeat
    carrying = sum(
        stopwatch.seconds[part] for part in PROPAGATOR_PARTS
        if part in stopwatch.seconds)
    card = (
        torch.cuda.get_device_name(device) if device.type == 'cuda' else
        f'CPU, {torch.get_num_threads()} threads')
    print(f'{args.config} on {card}: {args.repeat} x {args.frames} frames of '
          f'{args.size[1]} x {args.size[0]}, {args.sentences} sentence(s)')
    print(f'{frames / (total - carrying):8.2f} FPS without propagation')
    print(f'{frames / total:8.2f} FPS with it')
    print(f'{"part":36} ms per frame')
    for part, seconds in stopwatch.seconds.items():
        print(f'{part:36} {1e3 * seconds / frames:12.2f}')
    rest = total - sum(stopwatch.seconds.values())
    print(f'{"to the device, the rest":36} {1e3 * rest / frames:12.2f}')


if __name__ == '__main__':
    main()

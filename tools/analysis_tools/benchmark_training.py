"""Time per training iteration and peak memory of several configs.

Every config trains on the same made-up clips in a process of its own, and the
processes take turns, one iteration each, so that whatever else goes on on the
machine meets all of them alike. An iteration is forward, backward and
optimiser step; loading is not in it. Weights are random, and a text model
given by name becomes a random RoBERTa-base: same cost, nothing downloaded.
"""
import argparse
import statistics
from multiprocessing.connection import Connection

import torch
from mmengine.config import Config, DictAction
from mmengine.logging import MMLogger
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from mmrvos.analysis import clock, peak_memory, serve, take_turns
from mmrvos.registry import MODELS
from mmrvos.structures import RVOSDataSample
from mmrvos.utils import clear_errors, load_config, without_downloads

SENTENCE = 'a small brown dog that runs to the left behind another one'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument(
        'configs', nargs='+', help='the first is what others are compared to')
    parser.add_argument('--frames', type=int, default=8, help='of a clip')
    parser.add_argument(
        '--size', type=int, nargs=2, default=[360, 640],
        metavar=('HEIGHT', 'WIDTH'))
    parser.add_argument('--batch-size', type=int, default=1, help='clips')
    parser.add_argument(
        '--expressions', type=int, default=1, help='of every clip')
    parser.add_argument('--iters', type=int, default=5, help='measured')
    parser.add_argument('--warmup', type=int, default=2, help='not measured')
    parser.add_argument(
        '--threads', type=int, help="of a process (default: PyTorch's choice)")
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE')
    return parser.parse_args()


def make_clip(num_frames: int, size: tuple[int, int],
              num_expressions: int) -> tuple[torch.Tensor, RVOSDataSample]:
    """Noise, a rectangle of a sixteenth of the frame as the target, and
    another as one more object, for methods that learn from all of them."""
    height, width = size
    masks = torch.zeros(num_expressions, num_frames, height, width).bool()
    masks[..., :height // 4, :width // 4] = True
    sample = RVOSDataSample(
        metainfo=dict(
            video_id='made up',
            texts=[SENTENCE] * num_expressions,
            obj_ids=[['1']] * num_expressions,
            img_shape=size,
            ori_shape=size))
    box = torch.tensor([0.125, 0.125, 0.25, 0.25])
    sample.gt = InstanceData(
        masks=masks,
        boxes=box.repeat(num_expressions, num_frames, 1),
        valid=torch.ones(num_expressions, num_frames).bool(),
        labels=torch.zeros(num_expressions).long())
    sample.objects = InstanceData(
        masks=torch.stack((masks[0], masks[0].flip(-1))), obj_ids=['1', '2'])
    frames = torch.randint(0, 256, (num_frames, 3, height, width))
    return frames.byte(), sample


def train(cfg: Config, args: argparse.Namespace, line: Connection) -> None:
    """A process: one iteration whenever it is its turn."""
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    MMLogger.get_instance('benchmark', log_level='ERROR')
    init_default_scope('mmrvos')
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    model = MODELS.build(cfg.model).to(device).train()
    model.init_weights()
    optim_wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    clips = [
        make_clip(args.frames, tuple(args.size), args.expressions)
        for _ in range(args.batch_size)
    ]
    inputs, samples = (list(x) for x in zip(*clips, strict=True))
    now = clock(device)

    def iteration() -> float:
        start = now()
        model.train_step(
            dict(inputs=inputs, data_samples=samples), optim_wrapper)
        return now() - start

    serve(line, sum(p.numel() for p in model.parameters()), iteration,
          lambda: peak_memory(device))


@clear_errors
def main() -> None:
    args = parse_args()
    if min(args.iters, args.frames, args.batch_size, args.expressions) < 1:
        raise ValueError('--iters, --frames, --batch-size and --expressions '
                         'are at least 1')
    cfgs = [load_config(path, args.cfg_options) for path in args.configs]
    for cfg in cfgs:
        without_downloads(cfg.model, SENTENCE.split())
    measured = take_turns(
        {
            path: (train, (cfg, args))
            for path, cfg in zip(args.configs, cfgs, strict=True)
        }, args.warmup + args.iters)
    seconds = {path: m.turns[args.warmup:] for path, m in measured.items()}

    print(f'{args.batch_size} clips of {args.frames} frames of '
          f'{args.size[0]} x {args.size[1]}, {args.expressions} expressions '
          f'each; median of {args.iters} iterations')
    print(f'{"config":44} {"params":>8} {"s/iter":>8} {"min":>8} {"max":>8} '
          f'{"ratio":>6} {"GiB":>7} {"ratio":>6}')
    first = args.configs[0]
    for path, times in seconds.items():
        ratio = statistics.median(times) / statistics.median(seconds[first])
        peak = measured[path].end
        print(f'{path:44} {measured[path].ready / 1e6:7.1f}M '
              f'{statistics.median(times):8.3f} {min(times):8.3f} '
              f'{max(times):8.3f} {ratio:6.2f} {peak:7.2f} '
              f'{peak / measured[first].end:6.2f}')


if __name__ == '__main__':
    main()

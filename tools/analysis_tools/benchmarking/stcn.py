"""CPU seconds of propagating masks with STCN, ours and the official way.

Both propagate from the first frame with the same random weights, and take
turns in one process. The official way has plain convolutions, and reads the
memory by a product with all its values, most of them weighted by zero. Reading
and resizing files are not included.
"""
import argparse
import statistics
import time
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmrvos.models.layers import WinogradConv2d
from mmrvos.models.propagators.stcn import pad_to_stride
from mmrvos.models.propagators.stcn_memory import MemoryBank, similarity
from mmrvos.models.propagators.stcn_network import STCN
from mmrvos.models.propagators.stcn_tracker import STCNTracker


def read_all(self: MemoryBank, key: Tensor, num_objects: int) -> Tensor:
    """Read the memory as the official code does.

    Args and result: see :meth:`MemoryBank.read`.
    """
    affinity = similarity(key[0].flatten(1).t(), self.keys)
    best = affinity.topk(min(self.top_k, affinity.shape[1]), dim=1)
    weights = torch.zeros_like(affinity).scatter_(
        1, best.indices, best.values.softmax(1))
    readout = weights @ self.values
    return readout.t().reshape(num_objects, -1, *key.shape[2:])


def random_network() -> STCN:
    """Return a network whose features neither vanish nor explode."""
    network = STCN()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
            module.weight.mul_(0.7)  # residual blocks have no norm
    return network


def make_objects(number: int, size: tuple[int, int]) -> Tensor:
    """Return disjoint masks (K, H, W), 0 or 1, side by side."""
    height, width = size
    masks = torch.zeros(number, height, width)
    for index in range(number):
        left = width * index // number
        masks[index, height // 4:3 * height // 4,
              left:left + max(width // (2 * number), 1)] = 1
    return masks


@torch.no_grad()
def propagate(network: STCN, frames: Tensor, objects: Tensor) -> Tensor:
    """Return the probabilities (T, K + 1, H, W) of padded frames."""
    tracker = STCNTracker(network)
    images, pads = pad_to_stride(frames)
    given = F.pad(objects, pads)
    last = len(images) - 1
    return torch.stack([
        tracker.step(
            network.encode_key(image[None]), None if t else given, t == last)
        for t, image in enumerate(images)
    ])


def run(args: argparse.Namespace) -> None:
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    network = random_network()
    frames = torch.randn(args.frames, 3, *args.size)
    for number in args.objects:
        objects = make_objects(number, args.size)
        propagate(network, frames[:2], objects)  # transforms the kernels
        seconds = dict(ours=[], official=[])
        for _ in range(args.repeat):
            start = time.process_time()
            ours = propagate(network, frames, objects)
            seconds['ours'].append(time.process_time() - start)
            with patch.object(WinogradConv2d, 'applies', lambda *_: False), \
                    patch.object(MemoryBank, 'read', read_all):
                start = time.process_time()
                official = propagate(network, frames, objects)
                seconds['official'].append(time.process_time() - start)
        own, other = map(statistics.median, seconds.values())
        changed = (ours.argmax(1) != official.argmax(1)).float().mean()
        print(
            f'{number} object(s), {args.frames} frames of {args.size[0]} x '
            f'{args.size[1]}: ours {own:.2f} CPU s, official way {other:.2f}, '
            f'ratio {other / own:.2f}; probabilities differ by at most '
            f'{(ours - official).abs().max():.1e}, labels in '
            f'{100 * changed:.4f} % of the pixels')

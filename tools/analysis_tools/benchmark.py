"""Speed, memory and FLOPs of testing a config, part by part.

Protocol: one made-up video lies on disk as JPEG frames. A pass reads it,
brings the frames to --size, segments it by all sentences and ends with masks
of the original size as RLE; text is encoded in every pass. Batch of one video,
float32 unless --amp. Weights are random without CHECKPOINT, and a text model
given by name becomes one of RoBERTa-base's size: same cost, nothing
downloaded.

--naive adds a model that works as the official code does: the whole video
again for every sentence, masks of all layers and queries, attention matrices
materialised (mmrvos/analysis/official_way.py says what else). Both live in
processes of their own, which take turns, a pass each, so that whatever else
goes on on the machine meets them alike; --amp and --compile are for ours only.
"""
import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.config import DictAction
from mmengine.logging import MMLogger

from mmrvos.analysis import (
    METHOD_PARTS,
    FlopCounter,
    Measured,
    Meter,
    build_model,
    clock,
    device_name,
    made_up_sample,
    official_way,
    peak_memory,
    serve,
    take_turns,
    watch,
)
from mmrvos.datasets.transforms.formatting import channels_first
from mmrvos.datasets.transforms.geometric import resize_frames
from mmrvos.datasets.transforms.loading import read_image
from mmrvos.utils import clear_errors, load_config

FRAMES_AT_ONCE = 16  # read, then reduced


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config')
    parser.add_argument('checkpoint', nargs='?', help='default: random')
    parser.add_argument('--frames', type=int, default=36, help='36')
    parser.add_argument('--sentences', type=int, default=1, help='1')
    parser.add_argument(
        '--size', type=int, nargs=2, default=[360, 640],
        metavar=('HEIGHT', 'WIDTH'), help='what the network sees (360 640)')
    parser.add_argument(
        '--ori-size', type=int, nargs=2, default=[720, 1280],
        metavar=('HEIGHT', 'WIDTH'), help='of files and masks (720 1280)')
    parser.add_argument(
        '--naive', action='store_true', help='compare with the official way')
    parser.add_argument(
        '--naive-sentences', type=int, metavar='K',
        help='run the official way on so many of the sentences and multiply: '
        'every one costs it the same (default: all)')
    parser.add_argument(
        '--amp', nargs='?', const='bf16', choices=['bf16', 'fp16'],
        help='mixed precision (bf16)')
    parser.add_argument(
        '--compile', action='store_true', help='torch.compile the parts')
    parser.add_argument('--repeat', type=int, default=3, help='passes (3)')
    parser.add_argument(
        '--warmup', type=int,
        help='passes before, whose time does not count; the first counts '
        'FLOPs, which 0 leaves out; with --compile the second compiles (1, '
        'with --compile 2)')
    parser.add_argument(
        '--threads', type=int, help="of a process (default: PyTorch's choice)")
    parser.add_argument(
        '--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--json', metavar='FILE', help='write all numbers')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE')
    args = parser.parse_args()
    args.warmup = (1 + args.compile) if args.warmup is None else args.warmup
    args.naive_sentences = args.naive_sentences or args.sentences
    if min(args.frames, args.sentences, args.repeat) < 1:
        parser.error('--frames, --sentences and --repeat are at least 1')
    if not 1 <= args.naive_sentences <= args.sentences:
        parser.error('--naive-sentences is at least 1, and at most '
                     '--sentences')
    if args.compile and args.warmup < 2:
        parser.error('--compile takes a --warmup of at least 2: FLOPs are '
                     'counted in the first pass, the second compiles')
    return args


def write_video(folder: Path, num_frames: int, size: list[int]) -> None:
    """JPEG frames of smooth noise, about as large as those of real videos."""
    height, width = size
    rng = np.random.default_rng(0)
    for index in range(num_frames):
        coarse = rng.integers(
            0, 256, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
        image = cv2.resize(
            coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f'{index:05d}.jpg'), image)


def read_video(folder: Path, size: list[int]) -> torch.Tensor:
    """(T, 3, H, W) uint8 of all frames."""
    paths = sorted(folder.iterdir())
    chunks = (
        paths[start:start + FRAMES_AT_ONCE]
        for start in range(0, len(paths), FRAMES_AT_ONCE))
    return torch.cat([
        torch.from_numpy(
            channels_first(
                resize_frames(
                    np.stack([read_image(str(path)) for path in chunk]),
                    tuple(size)))) for chunk in chunks
    ])


class Candidate:
    """A model that is measured.

    Args:
        args: of the command line.
        folder: the video.
        naive: whether it works in the official way.
    """

    def __init__(self, args: argparse.Namespace, folder: Path,
                 naive: bool) -> None:
        self.args = args
        self.folder = folder
        self.naive = naive
        # sentences that a pass stands for, over those that it is run on
        self.scale = args.sentences / args.naive_sentences if naive else 1.
        self.device = torch.device(args.device)
        self.model = build_model(args.config, args.cfg_options,
                                 args.checkpoint, args.device)
        if not naive:
            self.model.test_cfg.amp = args.amp
            if args.compile:
                self.model.compile_parts()
        self.meter = Meter(clock(self.device))
        watch(self.model, self.meter, METHOD_PARTS)
        self.read_video = self.meter.metered('decoding, resizing', read_video)
        self.flops: dict[str, float] | None = None

    def turn(self) -> dict[str, float]:
        """A pass in seconds, 'cpu' those of the processor; or the one that
        counts FLOPs."""
        if self.args.warmup and self.flops is None:
            stance = torch.compiler.set_stance('force_eager')
            with stance, FlopCounter() as counter:
                self.flops = self.measure(counter.total)
            return self.flops
        start = time.process_time()
        seconds = self.measure(clock(self.device))
        return seconds | dict(cpu=self.scale * (time.process_time() - start))

    def measure(self, read: Callable[[], float]) -> dict[str, float]:
        """Run once; {part: amount} for the whole video, and their total."""
        self.meter.parts.clear()
        self.meter.read = read
        start = read()
        self.run()
        total = read() - start
        rest = total - sum(self.meter.parts.values())
        amounts = dict(self.meter.parts, rest=rest, total=total)
        return {part: self.scale * value for part, value in amounts.items()}

    def run(self) -> None:
        if self.naive:
            with official_way(self.model):
                for _ in range(self.args.naive_sentences):
                    self.segment(1)
        else:
            with torch.no_grad():
                self.segment(self.args.sentences)

    def segment(self, num_sentences: int) -> None:
        """One video, from files to masks."""
        frames = self.read_video(self.folder, self.args.size)
        sample = made_up_sample(num_sentences, self.args.size,
                                self.args.ori_size)
        self.model.test_step(dict(inputs=[frames], data_samples=[sample]))


def work(args: argparse.Namespace, folder: Path, naive: bool,
         line: Connection) -> None:
    """A process: one pass whenever it is its turn."""
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    MMLogger.get_instance('benchmark', log_level='ERROR')
    candidate = Candidate(args, folder, naive)
    ready = dict(
        loaded=peak_memory(candidate.device),
        parameters=sum(p.numel() for p in candidate.model.parameters()),
        device=device_name(candidate.device))
    serve(
        line, ready, candidate.turn, lambda: dict(
            flops=candidate.flops, memory=peak_memory(candidate.device)))


def summary(measured: Measured, args: argparse.Namespace) -> dict[str, Any]:
    """The numbers of a candidate, of a whole video."""
    passes = measured.turns[args.warmup:]
    seconds = {
        part: statistics.median(p.get(part, 0.) for p in passes)
        for part in passes[0]
    }
    cpu_seconds = seconds.pop('cpu')
    speed = args.frames / seconds['total']
    return dict(
        frames_per_second=speed,
        frames_and_sentences_per_second=speed * args.sentences,
        passes=[p['total'] for p in passes],
        cpu_seconds=cpu_seconds,
        seconds=seconds,
        flops=measured.end['flops'],
        peak_memory_gib=measured.end['memory'],
        loaded_memory_gib=measured.ready['loaded'],
        parameters=measured.ready['parameters'])


def protocol(args: argparse.Namespace, device: str) -> list[str]:
    size, ori_size = (f'{h} x {w}' for h, w in (args.size, args.ori_size))
    ours = args.amp or 'float32'
    if args.compile:
        ours += ', compiled'
    lines = [
        f'{args.config}, {args.checkpoint or "random weights"}',
        f'{args.frames} frames of {size}, {args.sentences} sentence(s), '
        f'{device}, {ours}',
        f'JPEG of {ori_size} in, RLE of {ori_size} out; batch 1; median of '
        f'{args.repeat} pass(es) behind {args.warmup} to warm up',
    ]
    if args.naive:
        lines.append('naive: as the official code, float32; a pass each in '
                     'turns, the ratio is the median over the turns')
        if args.naive_sentences < args.sentences:
            lines.append(
                f'naive was run on {args.naive_sentences} of the '
                f'{args.sentences} sentences, its time and FLOPs are '
                f'multiplied by {args.sentences / args.naive_sentences:g}')
    return lines


def table(results: dict[str, dict]) -> list[str]:
    """Lines, a column a candidate, and how much more the naive one takes,
    which is left out for speeds."""
    lines = [f'{"":28}' + ''.join(f'{name:>12}' for name in results)]

    def add(name: str, form: str, values: list[float],
            ratio: float | None = None) -> None:
        cells = ''.join(f'{value:>12{form}}' for value in values)
        if ratio is None and len(values) > 1 and values[0]:
            ratio = values[1] / values[0]
        lines.append(f'{name:28}{cells}' + (f'{ratio:9.2f}' if ratio else ''))

    def add_parts(unit: str, form: str, scale: float, key: str) -> None:
        parts = dict.fromkeys(
            part for r in results.values() for part in r[key])
        lines.append('')
        for part in sorted(parts, key=('rest', 'total').count):
            add(f'{unit}, {part}', form,
                [scale * r[key].get(part, 0.) for r in results.values()])

    ours, *others = results.values()
    speed = None
    if others:
        lines[0] += f'{"ratio":>9}'
        speed = statistics.median(
            theirs / own for own, theirs in zip(
                ours['passes'], others[0]['passes'], strict=True))
    add('seconds', '.3f', [r['seconds']['total'] for r in results.values()],
        speed)
    for name, key in (
        ('frames / s', 'frames_per_second'),
        ('frames x sentences / s', 'frames_and_sentences_per_second')):
        add(name, '.2f', [r[key] for r in results.values()], 0)
    for name, key in (
        ('CPU seconds, all threads', 'cpu_seconds'),
        ('peak memory, GiB', 'peak_memory_gib'),
        ('  before the first pass', 'loaded_memory_gib')):
        add(name, '.2f', [r[key] for r in results.values()])
    add('parameters, M', '.1f',
        [r['parameters'] / 1e6 for r in results.values()])
    add_parts('ms', '.1f', 1e3, 'seconds')
    if ours['flops']:
        add_parts('GFLOPs', '.2f', 1e-9, 'flops')
    return lines


@clear_errors
def main() -> None:
    args = parse_args()
    load_config(args.config, args.cfg_options)  # errors before any process
    names = ['ours', 'naive'] if args.naive else ['ours']
    with tempfile.TemporaryDirectory() as folder:
        write_video(Path(folder), args.frames, args.ori_size)
        measured = take_turns(
            {
                name: (work, (args, Path(folder), name == 'naive'))
                for name in names
            }, args.warmup + args.repeat)
    results = {name: summary(m, args) for name, m in measured.items()}
    lines = protocol(args, measured['ours'].ready['device'])
    print('\n'.join([*lines, '', *table(results)]))
    if args.json:
        Path(args.json).write_text(
            json.dumps(dict(protocol=lines, **results), indent=2) + '\n')


if __name__ == '__main__':
    main()

"""Time, memory and FLOPs of testing a config, by part.

A pass segments one synthetic video by all sentences, in a process of its own:
it decodes JPEG frames of --ori-size, resizes them to --size, runs the network
and encodes masks of --ori-size as RLE. With --in-memory the frames are noise
of --size in memory, so that nothing is decoded and resized. Text is encoded in
every pass. The precision is float32 unless --amp is given.

With --reference, a second process computes as the official implementations
do: the whole video again for every sentence, masks of all layers and queries,
materialised attention matrices (see reference_inference.py). The processes
take turns, one pass each, so that both are slowed down alike by other load.
--amp and --compile apply to our computation only.

The FLOP/s of a part are its FLOPs per second: of processor time on a CPU, so
that other load hardly counts, of wall time on a GPU. "Times the limit" divides
the FLOP/s of a large matrix product, measured after each pass, by them.

A config with a test_cfg.propagator propagates the masks of the middle frame,
and the frames per second without the propagation are printed as well.
"""
import argparse
import json
import statistics
import tempfile
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import MMLogger

from mmrvos.datasets.transforms.formatting import channels_first
from mmrvos.datasets.transforms.geometric import resize_frames
from mmrvos.utils import load_config, read_image

from .flop_counter import FlopCounter
from .meter import (
    Meter,
    check_limit,
    clocks,
    device_name,
    device_of,
    model_parts,
    peak_memory,
    product_rate,
    watch,
)
from .reference_inference import reference_inference
from .synthetic import build_model, make_frames, make_sample, write_frames
from .turns import Measured, serve, take_turns

CHUNK_FRAMES = 16  # decoded before they are resized
MIN_SHARE = 1e-3  # of all FLOPs: parts below have no FLOP/s


def check_arguments(args: argparse.Namespace) -> None:
    """Fill in defaults that depend on other options.

    Raises:
        ValueError: options contradict each other, or FILE cannot be written.
    """
    if args.warmup is None:
        args.warmup = 2 if args.compile else 1
    args.reference_sentences = args.reference_sentences or args.sentences
    if args.reference_sentences > args.sentences:
        raise ValueError(
            f'--reference-sentences {args.reference_sentences} is above '
            f'--sentences {args.sentences}')
    if args.compile and args.warmup < 2:
        raise ValueError(
            f'--compile needs --warmup 2 or more, got {args.warmup}: the '
            'first pass counts FLOPs, the second compiles')
    if args.json and not args.json.parent.is_dir():
        raise ValueError(f'--json {args.json}: {args.json.parent} is no '
                         'folder')
    if args.json and args.json.is_dir():
        raise ValueError(f'--json {args.json} is a folder: expected a file')


def read_frames(folder: Path, size: tuple[int, int]) -> torch.Tensor:
    """Decode and resize all frames to (T, 3, H, W) uint8."""
    paths = sorted(folder.iterdir())
    chunks = (
        paths[start:start + CHUNK_FRAMES]
        for start in range(0, len(paths), CHUNK_FRAMES))
    return torch.cat([
        torch.from_numpy(
            channels_first(
                resize_frames(
                    np.stack([read_image(str(path)) for path in chunk]),
                    size))) for chunk in chunks
    ])


class Candidate:
    """A model under measurement.

    Args:
        args: the command line.
        folder: the frames of the video.
        reference: compute as the official implementations do.
    """

    def __init__(self, args: argparse.Namespace, folder: Path,
                 reference: bool) -> None:
        self.args = args
        self.folder = folder
        self.reference = reference
        # from the sentences that a pass runs to those that it stands for
        self.scale = (
            args.sentences / args.reference_sentences if reference else 1.)
        self.device = device_of(args.device)
        self.model = build_model(args.config, args.cfg_options,
                                 args.checkpoint, self.device)
        self.model.requires_grad_(False)
        if self.model.propagator is not None:
            # with random weights a choice among empty masks would be void
            self.model.propagator.choose = lambda pred: dict.fromkeys(
                range(len(pred.masks)), args.frames // 2)
        if not reference:
            self.model.test_cfg.amp = args.amp
            if args.compile:
                self.model.compile_parts()
        self.meter = Meter(clocks(self.device))
        watch(self.model, self.meter, model_parts(self.model))
        self.read_frames = self.meter.metered('decoding, resizing',
                                              read_frames)
        self.flops: dict[str, float] | None = None

    def turn(self) -> dict[str, Any]:
        """Run the pass that counts FLOPs, or a timed one.

        Returns:
            FLOPs per part; or ``seconds`` and ``cpu_seconds`` per part, and
            the ``product_rate`` behind the pass.
        """
        if self.args.warmup and self.flops is None:
            eager = torch.compiler.set_stance('force_eager')
            with eager, FlopCounter() as counter:
                self.flops = self.measure(counter.total)
            return self.flops
        amounts = self.measure(clocks(self.device))
        with torch.no_grad(), self.model.test_cfg.precision(self.device):
            rate = product_rate(self.device)
        seconds, cpu_seconds = (
            {part: float(amount[i]) for part, amount in amounts.items()}
            for i in range(2))
        return dict(
            seconds=seconds, cpu_seconds=cpu_seconds, product_rate=rate)

    def measure(self, read: Callable[[], Any]) -> dict[str, Any]:
        """Run one pass; return the amount per part, 'other' and 'total'."""
        self.meter.parts.clear()
        self.meter.read = read
        start = read()
        if self.reference:
            with reference_inference(self.model):
                for _ in range(self.args.reference_sentences):
                    self.segment(1)
        else:
            with torch.no_grad():
                self.segment(self.args.sentences)
        total = read() - start
        other = total - sum(self.meter.parts.values())
        amounts = dict(self.meter.parts, other=other, total=total)
        return {part: self.scale * value for part, value in amounts.items()}

    def segment(self, num_sentences: int) -> None:
        """Segment the video by some sentences.

        Raises:
            ValueError: the postprocessor gives masks of some frames only.
        """
        size = tuple(self.args.size)
        if self.args.in_memory:
            frames = make_frames(self.args.frames, size)
        else:
            frames = self.read_frames(self.folder, size)
        sample, = self.model.test_step(
            dict(
                inputs=[frames],
                data_samples=[
                    make_sample(num_sentences, size, self.args.ori_size)
                ]))
        num_masks = len(sample.pred.masks[0])
        if num_masks != self.args.frames:
            raise ValueError(
                f'{self.args.config} gives {num_masks} masks for '
                f'{self.args.frames} frames: choose a postprocessor of whole '
                "videos, e.g. --cfg-options "
                "model.test_cfg.postprocessor.type=BestQuery")


def work(args: argparse.Namespace, folder: Path, reference: bool,
         connection: Connection) -> None:
    """Run passes in a process of its own."""
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    MMLogger.get_instance('benchmark', log_level='ERROR')
    candidate = Candidate(args, folder, reference)
    ready = dict(
        loaded=peak_memory(candidate.device),
        parameters=sum(p.numel() for p in candidate.model.parameters()),
        device=device_name(candidate.device),
        on_cpu=candidate.device.type == 'cpu')
    serve(
        connection, ready, candidate.turn, lambda: dict(
            flops=candidate.flops, memory=peak_memory(candidate.device)))


def summarise(measured: Measured, args: argparse.Namespace) -> dict[str, Any]:
    """Compute the numbers of one candidate for a whole video."""
    passes = measured.turns[args.warmup:]
    seconds, cpu_seconds = (
        {
            part: statistics.median(p[key].get(part, 0.) for p in passes)
            for part in passes[0][key]
        } for key in ('seconds', 'cpu_seconds'))
    rate = statistics.median(p['product_rate'] for p in passes)
    flops = measured.end['flops'] or {}
    busy = cpu_seconds if measured.ready['on_cpu'] else seconds
    rates = {
        part: number / busy[part] for part, number in flops.items()
        if number > MIN_SHARE * flops['total']
    }
    fps = args.frames / seconds['total']
    propagation = [s for part, s in seconds.items()
                   if part.startswith('propagation')]
    without = seconds['total'] - sum(propagation)
    return dict(
        frames_per_second=fps,
        frames_and_sentences_per_second=fps * args.sentences,
        frames_per_second_without_propagation=(
            args.frames / without if propagation else None),
        passes=[p['seconds']['total'] for p in passes],
        cpu_seconds=cpu_seconds['total'],
        cpu_seconds_by_part=cpu_seconds,
        seconds=seconds,
        flops=measured.end['flops'],
        flops_per_second=rates,
        product_flops_per_second=rate,
        times_the_limit={part: rate / own for part, own in rates.items()},
        peak_memory_gib=measured.end['memory'],
        loaded_memory_gib=measured.ready['loaded'],
        parameters=measured.ready['parameters'])


def protocol(args: argparse.Namespace, device: str) -> list[str]:
    """Describe the measurement."""
    size, ori_size = (f'{h} x {w}' for h, w in (args.size, args.ori_size))
    precision = args.amp or 'float32'
    if args.compile:
        precision += ', compiled'
    source = 'frames from memory' if args.in_memory else f'JPEG of {ori_size}'
    lines = [
        f'{args.config}, {args.checkpoint or "random weights"}',
        f'{args.frames} frames of {size}, {args.sentences} sentence(s), '
        f'{device}, {precision}',
        f'input: {source}; output: RLE of {ori_size}; batch size 1; median '
        f'of {args.repeat} pass(es) after {args.warmup} warm-up pass(es)',
    ]
    if args.reference:
        lines.append('reference: computation of the official code, float32; '
                     'the processes take turns, and the ratio is the median '
                     'over the turns')
        if args.reference_sentences < args.sentences:
            lines.append(
                f'the reference ran on {args.reference_sentences} of the '
                f'{args.sentences} sentences; its time and FLOPs are '
                f'multiplied by {args.sentences / args.reference_sentences:g}')
    return lines


def table(results: dict[str, dict]) -> list[str]:
    """Format the numbers: one column per candidate, then how much more the
    reference needs."""
    ours, *others = results.values()
    lines = [
        f'{"":32}' + ''.join(f'{name:>12}' for name in results) +
        (f'{"ratio":>9}' if others else '')
    ]

    def add(name: str, decimals: int, values: Iterable[float | None],
            ratio: bool | float = True) -> None:
        values = list(values)
        if ratio is True:
            ratio = others and values[0] and values[1] / values[0]
        lines.append(f'{name:32}' +
                     ''.join(
                         f'{"-":>12}' if v is None else f'{v:12.{decimals}f}'
                         for v in values) +
                     (f'{ratio:9.2f}' if ratio else ''))

    def add_parts(unit: str, decimals: int, scale: float, key: str,
                  ratio: bool = True) -> None:
        parts = dict.fromkeys(
            part for result in results.values() for part in result[key])
        lines.append('')
        # in the order in which they ran, 'other' and 'total' at the end
        for part in sorted(parts, key=('other', 'total').count):
            add(f'{unit}, {part}', decimals,
                (scale * r[key].get(part, 0.)
                 if ratio or part in r[key] else None
                 for r in results.values()), ratio)

    seconds = [r['seconds']['total'] for r in results.values()]
    add(
        'seconds', 3, seconds, others and statistics.median(
            theirs / own for own, theirs in zip(
                ours['passes'], others[0]['passes'], strict=True)))
    for name, key in (
        ('frames / s', 'frames_per_second'),
        ('frames / s, no propagation',
         'frames_per_second_without_propagation'),
        ('frames x sentences / s', 'frames_and_sentences_per_second')):
        if ours[key] is not None:
            add(name, 2, (r[key] for r in results.values()), ratio=False)
    for name, key in (
        ('CPU seconds, all threads', 'cpu_seconds'),
        ('peak memory, GiB', 'peak_memory_gib'),
        ('  before the first pass', 'loaded_memory_gib')):
        add(name, 2, (r[key] for r in results.values()))
    add('parameters, M', 1,
        (r['parameters'] / 1e6 for r in results.values()))
    add_parts('ms', 1, 1e3, 'seconds')
    add_parts('CPU ms', 1, 1e3, 'cpu_seconds_by_part')
    if ours['flops']:
        add_parts('GFLOPs', 2, 1e-9, 'flops')
        add_parts('GFLOP/s', 1, 1e-9, 'flops_per_second', ratio=False)
        add('GFLOP/s, large product', 1,
            (1e-9 * r['product_flops_per_second'] for r in results.values()),
            ratio=False)
        add_parts('times the limit', 2, 1, 'times_the_limit', ratio=False)
    return lines


def run(args: argparse.Namespace) -> None:
    check_arguments(args)
    load_config(args.config, args.cfg_options)  # fails before any process
    names = ['ours', 'reference'] if args.reference else ['ours']
    with tempfile.TemporaryDirectory() as folder:
        if not args.in_memory:
            write_frames(Path(folder), args.frames, args.ori_size)
        measured = take_turns(
            {
                name: (work, (args, Path(folder), name == 'reference'))
                for name in names
            }, args.warmup + args.repeat)
    results = {name: summarise(m, args) for name, m in measured.items()}
    lines = protocol(args, measured['ours'].ready['device'])
    print('\n'.join([*lines, '', *table(results)]))
    if args.json:
        args.json.write_text(
            json.dumps(dict(protocol=lines, **results), indent=2) + '\n')
    check_limit(results['ours']['peak_memory_gib'], args.limit)

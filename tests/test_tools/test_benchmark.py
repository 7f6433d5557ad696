"""benchmark.py: every subcommand on models that take milliseconds."""
import json
import re
import runpy
import subprocess
import sys
from time import process_time

import numpy as np
import pytest
import torch
from benchmarking import evaluation, train
from benchmarking.turns import serve, take_turns

from ..test_datasets import miniature
from .running import ROOT
from .threads import Threads

SMALL = ('--size', '64', '96', '--frames', '3', '--sentences', '2')
TINY = 'configs/{}/tiny_shapes.py'


@pytest.fixture
def benchmark(tool, monkeypatch, capsys):
    """Run a subcommand with threads as its processes; return its output."""
    monkeypatch.setattr('multiprocessing.get_context', lambda method: Threads)

    def run(*args: str) -> str:
        tool('analysis_tools/benchmark.py', *args)
        return capsys.readouterr().out

    return run


@pytest.fixture
def infer(benchmark, tmp_path):

    def run(config: str, *options: str) -> tuple[dict, str]:
        out = tmp_path / 'out.json'
        if not config.endswith('.py'):
            config = TINY.format(config)
        said = benchmark('infer', config, *SMALL, '--ori-size',
                         '80', '120', '--device', 'cpu', '--json', str(out),
                         *options)
        return json.loads(out.read_text()), said

    return run


@pytest.mark.parametrize('args,said', [
    (('--help', ), r'infer[\s\S]+train[\s\S]+data[\s\S]+eval'),
    (('infer', '--help'), r'--size HEIGHT WIDTH[\s\S]+default:\s+360 640'),
    (('eval', '--help'), r'--objects[\s\S]+default:\s+1\s+3'),
])
def test_help_names_subcommands_and_defaults(benchmark, capsys, args, said):
    with pytest.raises(SystemExit, match='^0$'):
        benchmark(*args)
    assert re.search(said, capsys.readouterr().out)


@pytest.mark.parametrize('args,said', [
    ((), 'required: command'),
    (('infer', 'x.py', '--frames', '0'),
     "--frames: expected an integer of at least 1, got '0'"),
    (('train', 'x.py', '--warmup', '-1'), "at least 0, got '-1'"),
    (('data', 'x.py', '--num', 'many'), "got 'many'"),
    (('infer', 'x.py', '--limit', 'nan'), "GiB above 0, got 'nan'"),
    (('demo', 'x.py', '--limit', '-1'), "GiB above 0, got '-1'"),
])
def test_wrong_options_are_named(benchmark, capsys, args, said):
    with pytest.raises(SystemExit, match='^2$'):
        benchmark(*args)
    assert said in capsys.readouterr().err


@pytest.mark.parametrize('command', ['infer', 'train', 'data', 'flops',
                                     'demo'])
def test_a_missing_config_is_one_line(benchmark, command):
    with pytest.raises(SystemExit, match='no_such_file.py is missing'):
        benchmark(command, 'configs/referformer/no_such_file.py')


@pytest.mark.parametrize('options,said', [
    (('--reference-sentences', '3'), '3 is above --sentences 2'),
    (('--compile', '--warmup', '1'), '--compile needs --warmup 2 or more'),
    (('--json', 'no/such/folder/x.json'), 'no/such/folder is no folder'),
    (('--json', 'tests'), 'tests is a folder: expected a file'),
    (('--device', 'nope'), "device 'nope' cannot be used"),
])
def test_contradictions_are_refused_before_any_work(infer, options, said):
    with pytest.raises(SystemExit, match=said):
        infer('referformer', *options)


def test_ours_beside_the_reference(infer):
    found, said = infer('referformer', '--reference', '--repeat', '2',
                        '--reference-sentences', '1')
    ours, reference = found['ours'], found['reference']
    for result in (ours, reference):
        assert len(result['passes']) == 2
        assert result['frames_per_second'] == pytest.approx(
            3 / result['seconds']['total'])
        assert result['frames_and_sentences_per_second'] == pytest.approx(
            6 / result['seconds']['total'])
        assert result['frames_per_second_without_propagation'] is None
        assert result['peak_memory_gib'] >= result['loaded_memory_gib'] > 0
        assert result['cpu_seconds'] > 0
        assert set(result['seconds']) == set(result['flops'])
        assert sum(result['cpu_seconds_by_part'].values()) == pytest.approx(
            2 * result['cpu_seconds'])
        limit = result['product_flops_per_second']
        assert limit > 0
        assert {'backbone', 'encoder', 'total'} <= set(
            result['flops_per_second'])
        for part, rate in result['flops_per_second'].items():
            assert rate == pytest.approx(
                result['flops'][part] / result['cpu_seconds_by_part'][part])
            assert result['times_the_limit'][part] * rate == pytest.approx(
                limit)
        *parts, other, total = result['flops'].values()
        assert sum(parts) + other == total > 0
        assert set(result['flops']) == {
            'decoding, resizing', 'backbone', 'projections',
            'text_encoder', 'fusion', 'encoder', 'decoder', 'pixel_decoder',
            'head', 'other encode_clip', 'other encode_text', 'other decode',
            'masks', 'upsampling, RLE', 'other', 'total'
        }
    assert ours['parameters'] == reference['parameters']
    # the backbone runs once per sentence; other parts do so anyway
    for part, times in (('backbone', 2), ('fusion', 1), ('encoder', 1)):
        assert reference['flops'][part] == times * ours['flops'][part]
    # ours builds the masks of one query per sentence, with the last
    # convolution of the pixel decoder composed into them
    ours_masks, all_masks = (
        sum(result['flops'][part] for part in ('pixel_decoder', 'masks'))
        for result in (ours, reference))
    assert all_masks > ours_masks
    assert '1 of the 2 sentences' in said
    shown = re.search(r'^times the limit, total +([\d.]+) +[\d.]+$', said,
                      re.MULTILINE)[1]
    assert float(shown) == pytest.approx(
        ours['times_the_limit']['total'], abs=0.01)
    ratio = float(re.search(r'^seconds .* ([\d.]+)$', said, re.MULTILINE)[1])
    assert ratio > 0


def test_compiled_in_mixed_precision(infer, monkeypatch):
    compiled = []
    monkeypatch.setattr(torch, 'compile',
                        lambda part, **_: compiled.append(part) or part)
    found, said = infer('soc', '--compile', '--amp', '--repeat', '1')
    # backbone, encoder, decoder, cluster and pixel decoder
    assert len(compiled) == 5
    assert 'bf16, compiled' in said
    assert set(found) == {'protocol', 'ours'}
    for part in ('backbone', 'encoder', 'cluster'):
        assert found['ours']['seconds'][part] > 0


def test_without_warmup_flops_are_not_counted(infer):
    found, said = infer('mttr', '--warmup', '0', '--repeat', '1')
    assert found['ours']['flops'] is None
    assert 'GFLOP' not in said and 'limit' not in said
    assert found['ours']['times_the_limit'] == {}
    assert found['ours']['seconds']['transformer'] > 0


def test_one_long_clip_in_memory(infer):
    """The measurement of long clips: one pass, no files, a limit."""
    options = ('--frames', '9', '--in-memory', '--warmup', '0', '--repeat',
               '1', '--cfg-options', 'model.test_cfg.window=None')
    found, said = infer('mttr', '--limit', '1000', *options)
    assert '9 frames of 64 x 96' in said and 'frames from memory' in said
    assert 'decoding, resizing' not in found['ours']['seconds']
    with pytest.raises(SystemExit, match='above --limit 0.001'):
        infer('mttr', '--limit', '0.001', *options)


def test_propagation_is_a_part(infer, tmp_path):
    config = tmp_path / 'tiny_stcn.py'
    config.write_text(
        f"_base_ = '{ROOT / TINY.format('mlrl')}'\n"
        "model = dict(test_cfg=dict(propagator=dict("
        "type='STCNPropagator')))\n")
    found, said = infer(str(config), '--in-memory', '--repeat', '1')
    ours = found['ours']
    propagation = {
        part: value
        for part, value in ours['seconds'].items() if 'propagation' in part
    }
    assert set(propagation) == {
        'propagation: keys', 'propagation: values',
        'propagation: mask decoder', 'propagation: memory, other'
    }
    assert all(value > 0 for value in propagation.values())
    assert 3 / ours['frames_per_second_without_propagation'] == pytest.approx(
        ours['seconds']['total'] - sum(propagation.values()))
    assert 'frames / s, no propagation' in said


@pytest.fixture
def flops(benchmark):
    """Count FLOPs; return (GFLOPs, multiply-adds) of the parts, and all and
    trained parameters of the modules."""

    def count(method: str, *options: str) -> list[dict[str, tuple]]:
        said = benchmark('flops', TINY.format(method), '--size', '64', '96',
                         *options)
        return [{
            name: (float(first), float(second))
            for name, first, second in re.findall(
                r'^(.+?) +([\d.]+) +([\d.]+)$', table, re.MULTILINE)
        } for table in said.split('\nmodule')]

    return count


def test_flops(flops):
    (two, _), (four, _) = (flops('mlrl', '--frames', n) for n in '24')
    total = sum(gflops for gflops, _ in two.values())
    assert total == pytest.approx(2 * two['total'][0], abs=0.01)
    assert four['backbone'][0] == pytest.approx(
        2 * two['backbone'][0], abs=2e-3)
    assert four['text_encoder'] == two['text_encoder'] > (0, 0)


def test_fast_convolutions_count_in_full(flops, monkeypatch):
    few, _ = flops('referformer', '--frames', '2')
    monkeypatch.setattr('mmrvos.models.layers.winograd.MIN_CHANNELS', 1)
    monkeypatch.setattr('mmrvos.models.layers.winograd.MIN_PIXELS', 1)
    assert flops('referformer', '--frames', '2')[0] == few


def test_what_the_sentences_of_samwise_share(flops):
    """The stages of the image encoder before the first adapter."""
    options = ('--frames', '1', '--cfg-options', 'model.sam2.image_size=128',
               'model.sam2.arch.window_size_per_stage=[8,4,8,4]')
    (one, modules), (two, _) = (
        flops('samwise', '--sentences', n, *options) for n in '12')
    assert two['sam2'] == one['sam2'] > (0, 0)
    for part in ('adapted_stage', 'adapters', 'sam2.combine', 'sam2.decode',
                 'sam2.encode_memory'):
        assert two[part][0] == pytest.approx(2 * one[part][0], abs=2e-3), part
    assert one['other decode'] == (0, 0)
    every, trained = modules['sam2']
    assert 0 < trained < every  # mask tokens for other prompts are not
    assert modules['adapters'][0] == modules['adapters'][1]


def test_temporal_modules_of_mutr_are_parts(flops):
    parts, _ = flops('mutr', '--frames', '2')
    assert parts['fusion.aggregation'][0] > 0
    assert parts['cluster'][0] > 0


def test_training_of_several_configs(benchmark):
    configs = sorted(
        str(path.relative_to(ROOT))
        for path in ROOT.glob('configs/*/tiny_shapes.py'))
    assert len(configs) > 5
    said = benchmark('train', *configs, '--size', '40', '64', '--frames', '2',
                     '--warmup', '0', '--iters', '1')
    rows = [
        line.split() for line in said.splitlines()
        if line.startswith('configs')
    ]
    assert [row[0] for row in rows] == configs
    assert rows[0][6] == rows[0][8] == '1.00'
    assert all(float(row[2]) > 0 and float(row[7]) > 0 for row in rows)


def test_training_beside_the_naive_way(benchmark, monkeypatch):
    calls = []
    context = train.reference_layers
    monkeypatch.setattr(train, 'reference_layers',
                        lambda model: calls.append(model) or context(model))
    said = benchmark('train', TINY.format('referformer'), '--size', '40',
                     '64', '--frames', '2', '--warmup', '0', '--iters', '1',
                     '--naive', '--checkpointing')
    assert len(calls) == 1
    assert re.search(r'shapes\.py +[\d.]+M.*\n.*py, checkpointing +[\d.]+M'
                     r'.*\n.*py, naive +[\d.]+M', said)


def test_data(benchmark, tmp_path):
    root = tmp_path / 'ref-youtube-vos'
    miniature.ref_youtube_vos(root)
    config = 'configs/_base_/datasets/ref_youtube_vos.py'
    said = benchmark('data', config, '--num', '2', '--cfg-options',
                     f'train_dataloader.dataset.data_root={root}')
    assert 'clips per second of one core (5.0 frames each)' in said
    for transform in ('LoadFrames', 'ClipPhotometricDistort',
                      'PackRVOSInputs'):
        milliseconds = re.search(rf'^\d+ {transform} +([\d.]+)$', said,
                                 re.MULTILINE)
        assert float(milliseconds[1]) > 0


@pytest.fixture
def demo(benchmark, monkeypatch):
    """The demo subcommand, with the demo itself in this process."""

    def run_demo(command: list, **kwargs) -> None:
        monkeypatch.setattr(sys, 'argv', [str(arg) for arg in command[1:]])
        runpy.run_path(str(command[1]), run_name='__main__')

    monkeypatch.setattr(subprocess, 'run', run_demo)
    return lambda *options: benchmark('demo', TINY.format('referformer'),
                                      '--size', '32', '48', *options)


def test_demo_on_videos_of_several_lengths(demo):
    said = demo('--frames', '7', '5', '--window', '3', '--overlap', '1',
                '--limit', '1000')
    short, long = (line for line in said.splitlines() if 'GiB' in line)
    assert '5 of 5 frames of 32 x 48, window 3' in short
    assert '7 of 7 frames of 32 x 48, window 3' in long


def test_demo_above_the_limit(demo):
    with pytest.raises(SystemExit, match='above --limit 0.001'):
        demo('--frames', '1', '--limit', '0.001')


# ---- evaluation


@pytest.mark.parametrize('task', evaluation.TASKS)
def test_evaluation_equals_the_reference_and_is_faster(tmp_path, task):
    evaluation.make_sequence(tmp_path, 'sequence', 2, num_frames=4)
    results, seconds = [], []
    for make in evaluation.TASKS[task]:
        function = make(tmp_path)
        function()  # fills caches
        start = process_time()
        results.append(function())
        seconds.append(process_time() - start)
    np.testing.assert_allclose(*results, rtol=0, atol=1e-12)
    assert 0 < results[0][0] < 1 and 0 < results[0][1] < 1
    assert seconds[1] > 2 * seconds[0], seconds


def test_evaluation_prints_a_table(benchmark):
    said = benchmark('eval', '--frames', '2', '--objects', '1', '--repeat',
                     '1', '--workers', '1')
    assert 'from PNG, 1 object(s)' in said
    assert 'whole command, 1 object(s)' in said
    assert 'J and F functions, 1 object' in said
    assert '8 sequences, 1 process(es)' in said


def test_a_command_that_fails_is_an_error():
    with pytest.raises(ChildProcessError, match='exit status 3'):
        evaluation.run_command(['-c', 'raise SystemExit(3)'])


def test_scores_that_differ_from_the_reference_are_an_error():
    evaluation.check_scores('same', (0.5, 0.5), (0.5, 0.5))
    with pytest.raises(SystemExit, match='differ'):
        evaluation.check_scores('other', (0.5, 0.5), (0.5, 0.6))


# ---- processes


def one_turn(connection) -> None:
    serve(connection, 'ready', lambda: 'turn', lambda: 'end')


def test_a_new_process_runs_a_worker():
    measured = take_turns({'a': (one_turn, ())}, 1)['a']
    assert (measured.ready, measured.turns, measured.end) == ('ready',
                                                              ['turn'], 'end')


def test_stcn_beside_the_official_way(benchmark):
    said = benchmark('stcn', '--frames', '3', '--size', '60', '96',
                     '--objects', '2', '--repeat', '1')
    assert '2 object(s), 3 frames of 60 x 96' in said
    differ, labels = re.search(
        r'differ by at most ([\de.-]+), labels in ([\d.]+) %', said).groups()
    assert 0 < float(differ) < 1e-5  # not the same computation
    assert float(labels) == 0

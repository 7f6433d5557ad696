"""The benchmark and the FLOPs of it, on models that take milliseconds."""
import json
import re

import pytest
import torch

from .test_benchmark_training import Threads
from .test_train_and_test import tool  # noqa: F401

SHAPE = ('--size', '64', '96', '--frames', '3', '--sentences', '2')


@pytest.fixture
def benchmark(tool, tmp_path, monkeypatch, capsys):  # noqa: F811
    monkeypatch.setattr('multiprocessing.get_context', lambda method: Threads)

    def run(method: str, *options: str) -> tuple[dict, str]:
        out = tmp_path / 'out.json'
        tool('analysis_tools/benchmark.py', f'configs/{method}/tiny_shapes.py',
             *SHAPE, '--ori-size', '80', '120', '--device', 'cpu',
             '--json', str(out), *options)
        return json.loads(out.read_text()), capsys.readouterr().out

    return run


def test_ours_beside_the_official_way(benchmark):
    found, said = benchmark('referformer', '--naive', '--repeat', '2',
                            '--naive-sentences', '1')
    ours, naive = found['ours'], found['naive']
    for result in (ours, naive):
        assert len(result['passes']) == 2
        assert result['frames_per_second'] == pytest.approx(
            3 / result['seconds']['total'])
        assert result['frames_and_sentences_per_second'] == pytest.approx(
            6 / result['seconds']['total'])
        assert result['peak_memory_gib'] >= result['loaded_memory_gib'] > 0
        assert result['cpu_seconds'] > 0
        for amounts in (result['flops'], result['seconds']):
            assert set(amounts) == set(result['flops'])
        *parts, rest, total = result['flops'].values()
        assert sum(parts) + rest == total > 0
        assert set(result['flops']) == {
            'decoding, resizing', 'backbone', 'levels, positions', 'text',
            'fusion', 'encoder', 'decoder', 'pixel decoder',
            'decoding, the rest', 'classes, boxes', 'masks',
            'upsampling, RLE', 'rest', 'total'
        }
    assert ours['parameters'] == naive['parameters']
    # the backbone works for every sentence, the rest does so anyway
    for part, times in (('backbone', 2), ('fusion', 1), ('encoder', 1)):
        assert naive['flops'][part] == times * ours['flops'][part]
    assert naive['flops']['masks'] > 3 * ours['flops']['masks']
    assert '1 of the 2 sentences' in said
    ratio = float(re.search(r'^seconds .* ([\d.]+)$', said, re.MULTILINE)[1])
    assert ratio > 0


def test_compiled_in_mixed_precision(benchmark, monkeypatch):
    compiled = []
    monkeypatch.setattr(torch, 'compile',
                        lambda part, **_: compiled.append(part) or part)
    found, said = benchmark('soc', '--compile', '--amp', '--repeat', '1')
    # backbone, encoder, decoder, cluster and pixel decoder
    assert len(compiled) == 5
    assert 'bf16, compiled' in said
    assert set(found) == {'protocol', 'ours'}
    for part in ('backbone', 'encoder', 'query cluster'):
        assert found['ours']['seconds'][part] > 0


def test_without_warmup_flops_are_not_counted(benchmark):
    found, said = benchmark('mttr', '--warmup', '0', '--repeat', '1')
    assert found['ours']['flops'] is None
    assert 'GFLOPs' not in said
    assert found['ours']['seconds']['transformer'] > 0


def test_get_flops(tool, capsys):  # noqa: F811

    def flops(frames: str) -> dict[str, float]:
        tool('analysis_tools/get_flops.py', 'configs/mlrl/tiny_shapes.py',
             '--size', '64', '96', '--frames', frames)
        said = capsys.readouterr().out.split('module')[0]
        return {
            name: float(number) for name, number in re.findall(
                r'^(.+?) +([\d.]+) +[\d.]+$', said, re.MULTILINE)
        }

    two, four = flops('2'), flops('4')
    assert sum(two.values()) == pytest.approx(2 * two['total'], abs=0.01)
    assert four['backbone'] == pytest.approx(2 * two['backbone'], abs=2e-3)
    assert four['text'] == two['text'] > 0

"""check_dataset and browse_dataset as they are called."""
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmrvos.datasets.annotation_files import load_json, read_table
from mmrvos.datasets.expected_counts import expected

from . import miniature

REPO = Path(__file__).parents[2]
CONFIG = str(REPO / 'configs/_base_/datasets/ref_youtube_vos.py')


def call(monkeypatch, capsys, tool: str, *args: str) -> tuple[int, str]:
    """Exit status and output of a tool."""
    path = str(REPO / f'tools/analysis_tools/{tool}.py')
    monkeypatch.setattr(sys, 'argv', [path, *map(str, args)])
    try:
        runpy.run_path(path, run_name='__main__')
        status = 0
    except SystemExit as error:
        status = error.code
    return status, capsys.readouterr().out


@pytest.fixture
def root(tmp_path) -> Path:
    # counts are compared where the folder has the name of the data set
    root = tmp_path / 'ref-youtube-vos'
    miniature.ref_youtube_vos(root)
    miniature.ref_youtube_vos(root, ('ccc', ), 'valid')
    return root


@pytest.fixture
def roots(root) -> list[str]:
    return ['--cfg-options'] + [
        f'{loader}_dataloader.dataset.data_root={root}'
        for loader in ('train', 'val', 'test')
    ]


def test_check_counts(monkeypatch, capsys, roots):
    status, out = call(monkeypatch, capsys, 'check_dataset', CONFIG, *roots)
    assert status == 1
    lines = [line.split() for line in out.splitlines()]
    assert ['videos', '2', '3,471'] in lines  # training
    assert ['videos', '1', '202'] in lines  # validation, once
    assert lines.count(['videos', '1', '202']) == 1
    assert ['frames', '14', '-'] in lines and ['objects', '4', '-'] in lines
    assert 'videos: 2 found, 3,471 published' in out
    assert 'source: https://youtube-vos.org' in out


def test_check_names_what_is_wrong(monkeypatch, capsys, root, roots):
    (root / 'train/JPEGImages/aaa/00015.jpg').unlink()
    (root / 'train/Annotations/bbb/00000.png').unlink()
    path = root / 'meta_expressions/train/meta_expressions.json'
    content = load_json(path)
    content['videos']['aaa']['expressions']['2']['obj_id'] = '7'
    miniature.write_json(path, content)
    broken = root / 'valid/JPEGImages/ccc/00010.jpg'
    broken.write_bytes(broken.read_bytes()[:-20])
    small = root / 'valid/Annotations/ccc/00005.png'
    Image.fromarray(np.ones((9, 9), dtype=np.uint8)).save(small)
    status, out = call(monkeypatch, capsys, 'check_dataset', CONFIG,
                       '--decode', '--workers', '1', *roots)
    assert status == 1
    for text in (
            'missing frames: 1', 'aaa/00015.jpg', 'missing masks: 1',
            'bbb/00000.png', 'unknown objects: 1',
            "video aaa, expression 2: ['7'], meta.json knows ['1', '2']",
            'objects that never appear: 1', "'the blue one' (object 7)",
            'ccc/00010.jpg cannot be decoded or is cut short',
            'video ccc, frame 00005: mask (9, 9), frame (48, 64)'):
        assert text in out, text


def test_check_without_any_data(monkeypatch, capsys, tmp_path):
    status, out = call(monkeypatch, capsys, 'check_dataset', CONFIG,
                       '--cfg-options',
                       f'train_dataloader.dataset.data_root={tmp_path}')
    assert status == 1
    assert f'{tmp_path}/train/JPEGImages is missing' in out
    assert out.count('source:') == 2


def test_published_counts():
    assert expected('MeViSDataset', 'data/mevis/train/x.json').videos == 1662
    v2 = expected('MeViSDataset', 'data/mevis_v2/valid/x.json')
    assert v2.expressions == 2523
    plus = expected('RefCOCODataset', 'refcoco+/instances_refcoco+_val.json')
    assert plus.expressions == 10758
    assert expected('ReVOSDataset', 'x.json').videos is None
    official = '/train/data/ref-youtube-vos/meta_expressions/valid/x.json'
    assert expected('RefYoutubeVOSDataset', official).videos == 202
    # own data have no published counts
    own = 'data/mine/meta_expressions/train/x.json'
    assert expected('RefYoutubeVOSDataset', own).videos is None


def test_browse(monkeypatch, capsys, tmp_path, roots):
    status, out = call(monkeypatch, capsys, 'browse_dataset', CONFIG, '--out',
                       tmp_path / 'out', '--num', '2', *roots)
    assert status == 0 and '2 pictures' in out
    files = sorted((tmp_path / 'out').glob('*.png'))
    assert len(files) == 2
    with Image.open(files[0]) as picture:
        assert picture.width > 5 * 280  # five frames beside each other


def test_a_table_without_its_columns_is_named(tmp_path):
    path = tmp_path / 'a2d_annotation.txt'
    path.write_text('video,query\nx,the dog\n')
    with pytest.raises(ValueError, match=r"a2d_annotation.*'video_id'"):
        read_table(path, ('video_id', 'query'))

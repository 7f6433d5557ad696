"""Submissions: what the writer writes, the validator takes."""
import shutil
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from mmrvos.registry import METRICS

from .conftest import FRAMES, SIZE, encode, label_map, load_tool, save

tool = load_tool('validate_submission')


@pytest.fixture
def check(monkeypatch, capsys):
    """(submission, root, layout, options) to (exit status, lines)."""

    def call(submission, root, layout, *options):
        monkeypatch.setattr(sys, 'argv', [
            'validate_submission.py', str(submission), '--root', str(root),
            '--dataset', layout, *options
        ])
        status = tool.main()
        out, err = capsys.readouterr()
        return status, (out + err).splitlines()

    return call


def samples(expressions):
    masks = [encode(label_map(t) == 1) for t in range(len(FRAMES))]
    return [
        dict(video_id=video, exp_ids=list(expressions), frame_names=FRAMES,
             pred=dict(masks=[masks] * len(expressions)))
        for video in ('aa', 'bb')
    ]


@pytest.mark.parametrize('layout', ['ytvos', 'mevis'])
def test_writer_and_validator_agree(layout, ytvos, mevis, check, tmp_path):
    # both data sets lie in one folder here, with other expressions
    root = tmp_path / 'gt'
    split = 'valid' if layout == 'ytvos' else 'valid_u'
    expressions = '012' if layout == 'ytvos' else '01'
    writer = METRICS.build(dict(
        type='SubmissionWriter', layout=layout, out_dir=str(tmp_path / 'sub')))
    for sample in samples(expressions):
        writer.process({}, [sample])
    assert writer.evaluate(2) == {
        'submission/videos': 2,
        'submission/masks': 2 * len(expressions) * len(FRAMES)}
    first = ('Annotations/' if layout == 'ytvos' else '') + 'aa/0/00000.png'
    with zipfile.ZipFile(tmp_path / 'sub.zip') as archive:
        assert archive.namelist()[0] == first
    image = Image.open(tmp_path / 'sub' / first)
    assert image.mode == 'L'
    np.testing.assert_array_equal(np.array(image), 255 * (label_map(0) == 1))
    for submission in ('sub', 'sub.zip'):
        status, lines = check(tmp_path / submission, root, layout, '--split',
                              split, '--num-videos', '0')
        assert status == 0, lines
        assert lines == ['2 videos checked: no problems']


def test_the_official_list_has_202_videos(ytvos, check):
    status, lines = check(ytvos / 'pred', ytvos / 'gt', 'ytvos')
    assert status == 1
    assert 'list 2 videos, the benchmark has 202' in lines[0]


def test_every_fault_has_its_line(ytvos, check):
    top = ytvos / 'pred/Annotations'
    shutil.rmtree(top / 'bb')
    shutil.rmtree(top / 'aa/2')
    (top / 'aa/0/00000.png').unlink()
    save(top / 'aa/0/00005.png', np.zeros((18, 35)))
    Image.new('RGB', SIZE[::-1]).save(top / 'aa/0/00010.png')
    save(top / 'aa/0/00015.png', label_map(0))
    (top / 'aa/1/00000.png').write_bytes(b'no picture')
    save(top / 'cc/0/00000.png', np.zeros(SIZE))
    for frame in FRAMES:
        save(top / f'aa/7/{frame}.png', np.zeros(SIZE))
    (ytvos / 'pred/readme.txt').write_text('')
    status, lines = check(ytvos / 'pred', ytvos / 'gt', 'ytvos',
                          '--num-videos', '2')
    assert status == 1
    assert lines == [
        'Annotations/aa/0/00000.png: the frame is missing',
        'Annotations/aa/0/00005.png: size (18, 35) (height, width), expected '
        '(36, 70)',
        "Annotations/aa/0/00010.png: mode RGB, expected 8-bit grey ('L')",
        'Annotations/aa/0/00015.png: values [1, 2], expected 0 and 255 only',
        'Annotations/aa/1/00000.png: cannot be decoded as a PNG (cannot '
        'identify image file the file)',
        'Annotations/aa/2: the expression is missing',
        'Annotations/bb: the video is missing',
        'Annotations/aa/7/00000.png: not a file of this submission, nor are 3 '
        'more beside it',
        'Annotations/cc/0/00000.png: not a file of this submission',
        'readme.txt: not a file of this submission',
        '2 videos checked: 10 problems',
    ]


def test_a_wrong_top_folder(ytvos, check, tmp_path):
    (ytvos / 'pred/Annotations').rename(ytvos / 'pred/valid')
    status, lines = check(ytvos / 'pred', ytvos / 'gt', 'ytvos',
                          '--num-videos', '2')
    assert status == 1
    assert lines[0] == 'Annotations/aa: the video is missing'


def test_sizes_agree_where_there_are_no_frames(ytvos, check):
    shutil.rmtree(ytvos / 'gt/valid/JPEGImages')
    args = ytvos / 'pred', ytvos / 'gt', 'ytvos', '--num-videos', '2'
    assert check(*args)[0] == 0
    save(ytvos / 'pred/Annotations/aa/1/00005.png', np.zeros((18, 35)))
    status, lines = check(*args)
    assert status == 1 and len(lines) == 2


def test_what_cannot_be_checked(ytvos, check, tmp_path):
    status, lines = check(tmp_path / 'nothing.zip', ytvos / 'gt', 'ytvos')
    assert status == 2 and 'is missing' in lines[0]
    status, lines = check(ytvos / 'pred', tmp_path / 'nothing', 'ytvos')
    assert status == 2 and 'meta_expressions.json is missing' in lines[0]


def test_only_its_own_files_are_packed(tmp_path):
    save(tmp_path / 'sub/old.png', np.zeros(SIZE))
    writer = METRICS.build(
        dict(
            type='SubmissionWriter',
            layout='mevis',
            out_dir=str(tmp_path / 'sub')))
    writer.process({}, samples('0'))
    writer.evaluate(2)
    with zipfile.ZipFile(tmp_path / 'sub.zip') as archive:
        assert 'old.png' not in archive.namelist()
        assert len(archive.namelist()) == 8

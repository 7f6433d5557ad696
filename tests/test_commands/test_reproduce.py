"""From a name to the difference from the paper, on miniatures."""
import json
import runpy
import shutil
from pathlib import Path

import pytest

from mmrvos import model_index

from ..test_datasets import miniature

ROOT = Path(__file__).parents[2]


def converter(name: str):
    return runpy.run_path(
        str(ROOT / f'tools/dataset_converters/{name}.py'))['convert']


@pytest.fixture(scope='module')
def ytvos(tmp_path_factory) -> Path:
    return miniature.ref_youtube_vos(
        tmp_path_factory.mktemp('ytvos'), ('aaa', ), 'valid')


@pytest.fixture(scope='module')
def davis(tmp_path_factory) -> Path:
    root = miniature.davis(tmp_path_factory.mktemp('davis'))
    converter('ref_davis17')(root, root, ['valid'], link=False)
    return root


@pytest.fixture(scope='module')
def a2d(tmp_path_factory) -> Path:
    root = miniature.a2d(tmp_path_factory.mktemp('a2d'))
    converter('a2d_sentences')(root, root)
    return root


@pytest.fixture(scope='module')
def shared_home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp('home')


@pytest.fixture
def home(server, shared_home, monkeypatch) -> Path:
    """One cache for this file: a download is converted once."""
    monkeypatch.setenv('MMRVOS_HOME', str(shared_home))
    return shared_home


def rows(text: str) -> dict[str, list[str]]:
    """Return the lines of the table by their first word."""
    table = text.split('DIFFERENCE\n')[1].split('metrics written')[0]
    return {line.split()[0]: line.split()[1:] for line in table.splitlines()}


@pytest.mark.parametrize(('name', 'data', 'paper', 'prefix'), [
    ('r50_ytvos', 'ytvos', {'J&F': 55.6}, 'ytvos'),
    ('r50_davis17', 'davis', {'J&F': 58.5}, 'davis17'),
    ('a2d', 'a2d', {'mAP': 46.1, 'oIoU': 72.0}, 'a2d'),
])
def test_downloads_tests_and_compares(home, mmrvos, request, tmp_path,
                                      capsys, name, data, paper, prefix):
    root = request.getfixturevalue(data)
    mmrvos('reproduce', name, '--data', root, '--out', 'here.json')
    written = json.loads((tmp_path / 'here.json').read_text())
    assert written['command'] == (
        f'mmrvos reproduce {name} --data {root} --out here.json')
    printed = rows(capsys.readouterr().out)
    for metric, value in paper.items():
        here = written['metrics'][f'{prefix}/{metric}']
        assert 0 <= here <= 100
        assert printed[metric] == [
            str(value), f'{here:.2f}', f'{here - value:+.2f}']
    assert (home / 'checkpoints').is_dir()


def test_submission_and_masks_give_the_same_number(home, server, mmrvos,
                                                   ytvos, tmp_path, capsys):
    """What a model predicts, from its network and from its files."""
    common = ('reproduce', 'r50_ytvos', '--data', ytvos)
    mmrvos(*common, '--submission')
    zip_file = 'work_dirs/reproduce/r50_ytvos/submission.zip'
    assert (tmp_path / zip_file).is_file()
    said = capsys.readouterr().out
    assert f'{zip_file}: masks for the server of Ref-YouTube-VOS' in said
    assert 'number with that of the paper: J&F 55.6' in said
    mmrvos(*common, '--out', 'model.json')
    mmrvos(*common, '--masks', zip_file, '--out', 'masks.json')
    model, masks = (
        json.loads((tmp_path / f'{name}.json').read_text())['metrics']
        for name in ('model', 'masks'))
    assert set(masks) == set(model)
    assert masks['ytvos/J&F'] == pytest.approx(model['ytvos/J&F']) and (
        masks['ytvos/J&F'] > 1)
    # the zip that the authors published
    server.files['submission.zip'] = (tmp_path / zip_file).read_bytes()
    capsys.readouterr()
    mmrvos(*common, '--masks', 'official')
    assert rows(capsys.readouterr().out)['J&F'][1] == (
        f'{model["ytvos/J&F"]:.2f}')


def test_without_masks_a_submission_is_written(home, mmrvos, ytvos,
                                               tmp_path, capsys):
    root = tmp_path / 'public'
    root.mkdir()
    (root / 'meta_expressions').symlink_to(ytvos / 'meta_expressions')
    (root / 'valid').mkdir()
    (root / 'valid/JPEGImages').symlink_to(ytvos / 'valid/JPEGImages')
    mmrvos('reproduce', 'r50_ytvos', '--data', root, '--work-dir', 'here')
    assert (tmp_path / 'here/submission.zip').is_file()
    assert 'masks for the server' in capsys.readouterr().out


def test_the_row_is_written(home, mmrvos, ytvos, index, monkeypatch, tmp_path,
                            capsys):
    folder = shutil.copytree(index, tmp_path / 'checkout')
    monkeypatch.setattr(model_index, 'index_folder', lambda: folder)
    mmrvos('reproduce', 'r50_ytvos', '--data', ytvos, '--write')
    paper, row = model_index.find_model('r50_ytvos').results
    assert paper.metrics == {'J&F': 55.6}
    assert (row.source, row.dataset) == ('converted', 'Ref-YouTube-VOS')
    assert f'{row.metrics["J&F"]:.2f}' in capsys.readouterr().out
    assert row.command.startswith('mmrvos reproduce r50_ytvos --data')


@pytest.mark.parametrize(('name', 'data', 'message'), [
    ('r50_ytvos', 'none', 'none is missing: expected the folder of Ref-You'),
    ('r50_ytvos', '.', 'valid/JPEGImages is missing'),
    ('r60_ytvos', '.', 'the nearest of its 8 names are'),
])
def test_data_is_checked_before_the_download(server, mmrvos, name, data,
                                             message):
    with pytest.raises(SystemExit, match=message):
        mmrvos('reproduce', name, '--data', data)
    assert not server.requests


def test_masks_that_are_not_known(server, mmrvos, ytvos):
    # r50_davis17 tests the weights of r50_ytvos, which has such masks
    for name in ('a2d', 'r50_davis17'):
        with pytest.raises(SystemExit, match=f'of the authors of {name}'):
            mmrvos('reproduce', name, '--data', ytvos, '--masks', 'official')

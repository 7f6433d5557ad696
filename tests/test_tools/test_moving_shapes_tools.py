import runpy
import sys
from pathlib import Path

import pytest
import yaml
from PIL import Image

TOOLS = Path(__file__).parents[2] / 'tools'


def call(monkeypatch, script, *args):
    monkeypatch.setattr(sys, 'argv', [script, *map(str, args)])
    runpy.run_path(str(TOOLS / script), run_name='__main__')


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    path = tmp_path_factory.mktemp('shapes') / 'mini'
    with pytest.MonkeyPatch.context() as monkeypatch:
        call(monkeypatch, 'dataset_converters/moving_shapes.py',
             '--size', 'mini', '--out', path)
    return path


def test_converter_says_where_it_is_and_refuses_to_overwrite(
        root, monkeypatch):
    before = sorted(root.rglob('*'))
    with pytest.raises(SystemExit, match='is not empty'):
        call(monkeypatch, 'dataset_converters/moving_shapes.py',
             '--size', 'mini', '--out', root)
    assert sorted(root.rglob('*')) == before


def test_ceilings_are_printed(root, monkeypatch, capsys):
    call(monkeypatch, 'analysis_tools/moving_shapes_ceilings.py', root)
    lines = capsys.readouterr().out.splitlines()
    row = next(r for r in lines if r.startswith('motion-order')).split()
    # the oracle, then static and set: J&F / hit
    assert row[1:4] == ['100.0', '/', '100.0']
    assert row[12] == row[15] == '50.0'


def test_ceilings_are_written_for_the_tables(root, monkeypatch, tmp_path):
    out = tmp_path / 'ceilings.yml'
    call(monkeypatch, 'analysis_tools/moving_shapes_ceilings.py', root,
         '--out', out)
    known = yaml.safe_load(out.read_text())['Moving Shapes (mini)']
    assert list(known) == ['stride-4 masks', 'one frame',
                           'frames without order']
    assert known['one frame']['hit/motion-order'] == 50.
    assert known['frames without order']['hit/motion-extent'] == 100.


def test_sheet_shows_the_videos_asked_for(root, monkeypatch, tmp_path):
    out = tmp_path / 'sheet.png'
    call(monkeypatch, 'analysis_tools/moving_shapes_sheet.py', root, out,
         '--videos', '0', '2')
    with Image.open(out) as sheet:
        assert sheet.width == 6 * (112 + 2) - 2
        assert sheet.height > 2 * 64


@pytest.mark.parametrize('script,args', [
    ('analysis_tools/moving_shapes_ceilings.py', ()),
    ('analysis_tools/moving_shapes_sheet.py', ('x.png', )),
])
def test_a_missing_tree_is_one_line(script, args, monkeypatch, tmp_path):
    with pytest.raises(SystemExit, match='is missing'):
        call(monkeypatch, script, tmp_path / 'nowhere', *args)


@pytest.mark.parametrize(('out', 'options', 'message'), [
    ('x.xyz', (), "ends in '.xyz', expected a picture"),
    ('x.png', ('--videos', '99'), '--videos 99: expected 0 to 3'),
    ('x.png', ('--videos', '0', '-1'), '--videos -1: expected 0 to 3'),
    ('file/x.png', (), 'file is not a folder'),
])
def test_sheets_that_cannot_be_drawn(root, monkeypatch, tmp_path, out,
                                     options, message):
    (tmp_path / 'file').touch()
    with pytest.raises(SystemExit, match=message):
        call(monkeypatch, 'analysis_tools/moving_shapes_sheet.py', root,
             tmp_path / out, *options)
    assert [path.name for path in tmp_path.iterdir()] == ['file']


def test_converter_checks_its_folder(root, monkeypatch):
    with pytest.raises(SystemExit, match='moving_shapes.json is not a folder'):
        call(monkeypatch, 'dataset_converters/moving_shapes.py', '--size',
             'mini', '--out', root / 'moving_shapes.json/x')

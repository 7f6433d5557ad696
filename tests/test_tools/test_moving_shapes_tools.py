import json
import runpy
import sys
from pathlib import Path

import pytest
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


def test_table_is_made_from_work_dirs(root, monkeypatch, capsys, tmp_path):
    work_dir = tmp_path / 'referformer' / 'tiny_shapes'
    log = work_dir / '20260101_000000' / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    config = TOOLS.parent / 'configs/referformer/tiny_shapes.py'
    (work_dir / 'tiny_shapes.py').write_text(
        f"_base_ = '{config}'\n"
        f"train_dataloader = dict(dataset=dict(data_root='{root}'))\n")
    splits = ('static3', 'appearance', 'position', 'relation',
              'motion-extent', 'motion-order', 'mixed', 'short', 'long')
    scores = {'shapes/J&F': 50., 'shapes/hit': 60.}
    for i, split in enumerate(splits):
        scores |= {f'shapes/J&F/{split}': 10. + i, f'shapes/hit/{split}': 20.}
    train = [
        dict(loss=1., iter=50, time=6.),
        # repeated after a stop: its first time does not count
        dict(loss=1., iter=100, time=600.),
        dict(loss=1., iter=100, time=12.),
    ]
    entries = [*train, dict(scores, step=3)]
    log.write_text('\n'.join(map(json.dumps, entries)))
    call(monkeypatch, 'analysis_tools/moving_shapes_table.py', work_dir,
         '--data-root', root)
    head, _, row, *oracles = [
        [cell.strip() for cell in line.strip('|').split('|')]
        for line in capsys.readouterr().out.splitlines()
        if line.startswith('|')
    ]
    row = dict(zip(head, row, strict=True))
    assert row['config'] == '`referformer/tiny_shapes`'
    assert (row['seed'], row['clips seen'], row['minutes']) == ('0', '24',
                                                                '15')
    assert row['static3'] == '10.0 / 20' and row['total'] == '50.0 / 60'
    assert len(oracles) == 3
    assert dict(zip(head, oracles[1], strict=True))['motion-order'].endswith(
        '/ 50')


def test_table_refuses_what_is_no_work_dir(monkeypatch, tmp_path):
    with pytest.raises(SystemExit, match='is no work dir of a training'):
        call(monkeypatch, 'analysis_tools/moving_shapes_table.py', tmp_path)

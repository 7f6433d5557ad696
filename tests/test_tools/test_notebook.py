"""The cells of demo/inference.ipynb, run one after another."""
import ast
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = json.loads((ROOT / 'demo/inference.ipynb').read_text())
CODE = [cell for cell in NOTEBOOK['cells'] if cell['cell_type'] == 'code']


def is_install(cell: dict) -> bool:
    return 'install' in cell['metadata'].get('tags', ())


def run(source: str, names: dict) -> object:
    """Run a cell and return the value of its last line, which is shown."""
    *lines, last = ast.parse(source).body
    if not isinstance(last, ast.Expr):
        exec(source, names)
        return None
    exec(compile(ast.Module(lines, []), 'cell', 'exec'), names)
    return eval(compile(ast.Expression(last.value), 'cell', 'eval'), names)


def test_all_cells(tmp_path, monkeypatch, capsys):
    sv = pytest.importorskip('supervision')
    display = ModuleType('IPython.display')  # comes with Jupyter
    display.Video = lambda path, embed, width: Path(path).read_bytes()
    package = ModuleType('IPython')
    package.version_info = 9, 0  # which matplotlib reads
    monkeypatch.setitem(sys.modules, 'IPython', package)
    monkeypatch.setitem(sys.modules, 'IPython.display', display)
    monkeypatch.chdir(tmp_path)
    names = {}
    shown = [
        run(''.join(cell['source']), names) for cell in CODE
        if not is_install(cell)
    ]
    assert all(result.found for result in names['results'])
    first, none, sheet, video, annotated = shown
    assert none is None
    assert first.size == annotated.size == (480, 288)
    assert sheet.size > (160, 96)
    assert video[4:8] == b'ftyp'
    assert len(names['detections']) == len(names['video']) == 16
    assert isinstance(names['detections'][8], sv.Detections)
    assert (names['picture'] != names['video'][8]).any(-1).mean() > 0.02
    assert np.array(first).any()
    said = capsys.readouterr().out
    assert all(sentence in said for sentence in names['sentences'])


def test_install_lines_name_files_and_versions_of_the_repository():
    install, = [''.join(c['source']) for c in CODE if is_install(c)]
    files = re.findall(r'requirements/\w+\.txt', install)
    assert {Path(f).stem for f in files} == {
        'constraints', 'build', 'mminstall', 'runtime', 'optional'}
    assert all((ROOT / file).is_file() for file in files)
    mmcv, = re.findall(r'onedl-mmcv==\S+', install)
    assert mmcv in (ROOT / 'requirements/mminstall.txt').read_text().split()


def test_no_output_is_stored():
    assert not any(cell['outputs'] for cell in CODE)

"""The wheel holds what MMEngine looks for beside a package."""
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from mmengine.config import Config

from mmrvos.version import __version__

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = ('.*', 'build', 'data', 'dist', 'tests', 'work_dirs', 'output',
            '*.egg-info', '__pycache__')


@pytest.fixture(scope='module')
def installed(tmp_path_factory) -> Path:
    """The package as a wheel unpacks it."""
    folder = tmp_path_factory.mktemp('wheel')
    source = shutil.copytree(
        ROOT, folder / 'source', ignore=shutil.ignore_patterns(*LEFT_OUT))
    subprocess.run([
        sys.executable, '-m', 'pip', 'wheel', '--quiet', '--no-deps',
        '--no-build-isolation', '--no-index', '--wheel-dir',
        str(folder), str(source)
    ], check=True)
    wheel, = folder.glob('mmrvos-*.whl')
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / 'site')
    # building must not change the checkout
    assert not (source / 'mmrvos' / '.mim').exists()
    return folder / 'site' / 'mmrvos'


def test_type_hints_are_declared(installed):
    """Type checkers use the annotations of a package with py.typed."""
    assert (installed / 'py.typed').is_file()
    metadata, = installed.parent.glob('mmrvos-*.dist-info/METADATA')
    text = metadata.read_text()
    assert 'Author: mmrvos contributors' in text
    assert 'Classifier: Typing :: Typed' in text


def test_the_wheel_is_small(installed):
    wheel, = installed.parents[1].glob('mmrvos-*.whl')
    assert wheel.stat().st_size < 1.5e6


def test_citation_names_this_version():
    citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text())
    assert citation['version'] == __version__
    assert citation['authors'] == [{'name': 'mmrvos contributors'}]


def test_every_config_and_tool_is_in_the_wheel(installed):
    for name in ('configs', 'tools'):
        ours = {
            p.relative_to(ROOT)
            for p in (ROOT / name).rglob('*')
            if p.is_file() and '__pycache__' not in p.parts
        }
        assert ours
        for path in ours:
            assert (installed / '.mim' / path).read_bytes() == (
                ROOT / path).read_bytes()


def test_config_of_the_wheel_reads_as_ours(installed):
    path = 'configs/referformer/tiny_shapes.py'
    assert Config.fromfile(installed / '.mim' / path).to_dict() == \
        Config.fromfile(ROOT / path).to_dict()


def test_index_names_files_that_exist(installed):
    folder = installed / '.mim'
    index = yaml.safe_load((folder / 'model-index.yml').read_text())
    names = []
    for path in index['Import']:
        for model in yaml.safe_load((folder / path).read_text())['Models']:
            names.append(model['Name'])
            assert (folder / model['Config']).is_file()
            weights = model.get('Weights')
            if weights and '://' not in weights:
                assert (ROOT / weights).is_file(), weights
                assert not (folder / weights).exists()
    assert 'referformer_tiny_shapes' in names
    assert len(set(names)) == len(names)


def test_metadata(installed):
    info, = installed.parent.glob('mmrvos-*.dist-info')
    text = (info / 'METADATA').read_text()
    assert 'License' in text
    assert 'Requires-Dist: transformers' in text
    # mmcv and torch are installed before, see docs/get_started.md
    assert 'Requires-Dist: torch' not in text

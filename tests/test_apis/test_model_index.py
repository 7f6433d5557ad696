"""Names of model-index.yml, and what the metafiles say about them."""
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from mmrvos.apis import RVOSInferencer, find_model, read_model_index
from mmrvos.metafiles import describe, dump_metafile, model_name
from mmrvos.model_index import SOURCES, find_weights
from mmrvos.utils import load_config, needs_checkpoint

from ..config_values import CONFIGS, leaf_configs, name_of

ROOT = Path(__file__).resolve().parents[2]
ENTRIES = read_model_index(ROOT)
METAFILES = sorted(CONFIGS.glob('*/metafile.yml'))


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    """A home folder of its own, so that no downloaded weights are found."""
    monkeypatch.setenv('MMRVOS_HOME', str(tmp_path / 'home'))
    return tmp_path / 'home'


@pytest.mark.parametrize('path', leaf_configs(), ids=name_of)
def test_config_and_metafile_agree(path):
    """Every config has an entry in the metafile of its method."""
    name, config = model_name(path), path.relative_to(ROOT).as_posix()
    metafile = ROOT / 'configs' / name_of(path).split('/')[0] / 'metafile.yml'
    models = yaml.safe_load(metafile.read_text())['Models']
    entry, = [m for m in models if m['Config'] == config] or [{}]
    facts = describe(path, 'Weights From' not in entry)
    assert (entry.get('Name'), entry.get('Metadata')) == (name, facts), (
        f'{metafile.relative_to(ROOT)} has no entry {name} with these facts, '
        'run python tools/analysis_tools/make_tables.py: '
        f'Config: {config}, Metadata: {facts}')


def test_hub_weights_are_those_of_the_config():
    """A model that is neither trained nor converted fetches its networks."""
    pretrained = [
        entry for entry in ENTRIES.values()
        if not (entry.weights_from or entry.converted_from
                or 'Training Data' in entry.metadata)
    ]
    assert pretrained == [e for e in ENTRIES.values() if e.hub_weights]
    for entry in pretrained:
        model = load_config(entry.config).model
        assert not needs_checkpoint(model)
        named = re.findall(r"'weights': '(.+?)'", str(model.to_dict()))
        assert entry.hub_weights == tuple(named)


def test_index_lists_every_metafile():
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    assert index['Import'] == [
        path.relative_to(ROOT).as_posix() for path in METAFILES]


@pytest.mark.parametrize('path', METAFILES, ids=lambda p: p.parent.name)
def test_metafile_is_complete(path):
    """Names have no slash, are unique, and every number has a source."""
    content = yaml.safe_load(path.read_text())
    collections = {c['Name']: c for c in content['Collections']}
    for collection in collections.values():
        assert collection['Paper'].keys() == {'Title', 'URL'}
        assert (ROOT / collection['README']).is_file()
    for model in content['Models']:
        assert model['In Collection'] in collections
    for entry in (ENTRIES[m['Name']] for m in content['Models']):
        assert re.fullmatch(r'[\w+-]+', entry.name)
        assert entry.config.is_file()
        for result in entry.results:
            assert result.source in SOURCES, entry.name
            assert result.metrics and result.task and result.dataset
            if result.source != 'paper':
                assert result.command, f'{entry.name}: no command'
            if result.source == 'ours':
                assert result.seed is not None, f'{entry.name}: no seed'
        if entry.weights_from:
            source = ENTRIES[entry.weights_from]
            assert source.weights_from is None
            assert entry.checkpoint == source.checkpoint
            assert entry.converted_from == source.converted_from
        official = entry.converted_from
        if official is not None:
            assert re.match(r'(https://|gdrive:[\w-]{25,}$|hf:.+/.+/.+)',
                            official.weights)
            script = official.converter.split()[0]
            assert (ROOT / 'tools/model_converters' / script).is_file()
    text = path.read_text()
    assert text == dump_metafile(content), (
        f'{path.relative_to(ROOT)} has another form: run '
        'tools/analysis_tools/make_tables.py')


def test_names_and_aliases_are_unique():
    names = [n for e in ENTRIES.values() for n in (e.name, *e.aliases)]
    assert len(names) == len(set(names))


def test_published_weights():
    entry = find_model('referformer_tiny_shapes')
    assert entry.config == ROOT / 'configs/referformer/tiny_shapes.py'
    assert Path(find_weights(entry)) == (
        ROOT / 'demo/referformer_tiny_shapes.pth')


def test_published_weights_that_the_package_lacks(home, tmp_path):
    """As in a wheel; a copy in the home folder is found."""
    entry = replace(
        find_model('referformer_tiny_shapes'),
        weights=str(tmp_path / 'demo/referformer_tiny_shapes.pth'))
    copy = home / 'checkpoints/referformer_tiny_shapes.pth'
    with pytest.raises(ValueError, match=(
            'copy demo/referformer_tiny_shapes.pth of a checkout to '
            f'{copy}')):
        find_weights(entry)
    copy.parent.mkdir(parents=True)
    copy.touch()
    assert find_weights(entry) == str(copy)


def test_old_names_are_aliases():
    assert find_model('referformer/tiny_shapes') == find_model(
        'referformer_tiny_shapes')
    assert find_model('ifirvos/ablations/tiny_shapes_temporal').name == (
        'ifirvos_tiny_shapes_temporal')


def test_name_with_an_official_file():
    """The message names the file and the command."""
    for name in ('referformer_r50_ytvos', 'referformer_r50_davis17'):
        with pytest.raises(ValueError, match=(
                r'gdrive:1TBykzTRiOEbpM2YEYnDICyqjwkvlD2cR \(licence: '
                f'Apache-2.0.*"mmrvos download {name}"')):
            RVOSInferencer(name)


def test_name_without_an_official_file():
    with pytest.raises(ValueError, match=(
            'no weights of html_r50_davis17 are published.*train '
            'configs/html/r50_ytvos.py and run .*publish_model.py '
            'work_dirs/html/r50_ytvos/epoch_6.pth '
            'checkpoints/html_r50_ytvos.pth')):
        RVOSInferencer('html_r50_davis17')


def test_weights_of_the_home_folder(home):
    """What mmrvos download or a training wrote is found by name."""
    path = home / 'checkpoints/referformer_r50_ytvos.pth'
    path.parent.mkdir(parents=True)
    path.touch()
    for name in ('referformer_r50_ytvos', 'referformer_r50_davis17'):
        assert find_weights(find_model(name)) == str(path)


def test_name_with_weights_of_the_caller():
    """The weights of the call are used, published or not."""
    for name in ('referformer_r50_ytvos', 'referformer_tiny_shapes'):
        with pytest.raises(FileNotFoundError, match=r'own\.pth is missing'):
            RVOSInferencer(name, 'own.pth', device='cpu')


def test_a_propagator_is_no_method():
    with pytest.raises(ValueError, match='no test_dataloader'):
        RVOSInferencer('stcn', 'stcn.pth', device='cpu')


@pytest.mark.parametrize('name, nearest', [
    ('referformer_r50_ytvs', 'referformer_r50_ytvos'),
    ('referformer/r50_ytvs', 'referformer_r50_ytvos'),
    ('soc-video-swin-t-joint', 'soc_video-swin-t_joint'),
    ('ReferFormer-R50-YTVOS', 'referformer_r50_ytvos'),
    ('zzzz', '_'),
])
def test_unknown_names_show_the_nearest_three(name, nearest):
    with pytest.raises(ValueError, match=nearest) as error:
        find_model(name)
    assert str(error.value).count(', ') == 2
    assert len(str(error.value)) < 300

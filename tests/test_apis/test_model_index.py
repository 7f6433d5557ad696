"""Names of model-index.yml."""
from pathlib import Path

import pytest

from mmrvos.apis import RVOSInferencer
from mmrvos.apis.model_index import find_model, read_model_index

ROOT = Path(__file__).resolve().parents[2]
ENTRIES = read_model_index(ROOT)


def test_every_entry_has_its_config():
    assert all((ROOT / e['Config']).is_file() for e in ENTRIES.values())


def test_published_weights():
    config, weights = find_model('referformer/tiny_shapes')
    assert config.model.type == 'ReferFormer'
    assert Path(weights) == ROOT / 'demo/referformer_tiny_shapes.pth'


def test_name_without_published_weights():
    name = next(n for n, entry in ENTRIES.items() if 'Weights' not in entry)
    assert find_model(name)[1] is None
    with pytest.raises(ValueError, match=f'no weights of {name} are pub'):
        RVOSInferencer(name)


def test_name_with_weights_of_the_caller():
    """The weights of the call are used, published or not."""
    name = next(n for n, entry in ENTRIES.items() if 'Weights' not in entry)
    with pytest.raises(FileNotFoundError, match=r'own\.pth is missing'):
        RVOSInferencer(name, 'own.pth', device='cpu')


def test_unknown_names_suggest_the_nearest():
    with pytest.raises(ValueError, match='referformer/r50_ytvos') as error:
        find_model('referformer/r50_ytvs')
    assert len(str(error.value)) < 300
    with pytest.raises(ValueError, match='has .* names such as'):
        find_model('zzzz')


def test_every_recipe_has_an_entry():
    listed = {entry['Config'] for entry in ENTRIES.values()}
    recipes = {
        str(path.relative_to(ROOT))
        for path in (ROOT / 'configs').glob('*/*.py')
        if not path.parent.name.startswith('_')
    }
    assert not recipes - listed

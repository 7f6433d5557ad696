import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmrvos.engine.build_errors import naming_keys
from mmrvos.registry import MODELS
from mmrvos.utils import clear_errors


@MODELS.register_module()
class Inner:

    def __init__(self, num_heads: int, embed_dims: int) -> None:
        if embed_dims % num_heads:
            raise ValueError(f'{num_heads} heads')


@MODELS.register_module()
class Outer:

    def __init__(self, parts: list[dict], embed_dims: int = 8) -> None:
        for part in parts:
            MODELS.build(dict(part, embed_dims=embed_dims))


@pytest.fixture
def cfg():
    init_default_scope('mmrvos')
    return Config(
        dict(model=dict(type='Outer', parts=[
            dict(type='Inner', num_heads=2),
            dict(type='Inner', num_heads=3)])))


def test_the_innermost_part_is_named(cfg):
    def build():
        with naming_keys(cfg):
            MODELS.build(cfg.model)

    with pytest.raises(SystemExit) as stop:
        clear_errors(build)()
    assert stop.value.code.splitlines()[0] == (
        'error (ValueError): 3 heads (raised while building model.parts.1 of '
        'the config)')


def test_other_errors_are_unchanged(cfg):
    with pytest.raises(KeyError) as error, naming_keys(cfg):
        {}['x']
    assert not hasattr(error.value, '__notes__')

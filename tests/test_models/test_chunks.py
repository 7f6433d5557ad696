import pytest

from mmrvos.models import InferenceCfg
from mmrvos.models.chunks import WHOLE, Chunks, chunk_slices
from mmrvos.utils.config import PLAIN_DICTS


@pytest.mark.parametrize('total,limit,cost,sizes', [
    (5, None, 1, [5]),
    (5, 2, 1, [2, 2, 1]),
    (5, 7, 3, [2, 2, 1]),
    (3, 2, 100, [1, 1, 1]),
    (4, 4, 1, [4]),
    (0, 4, 1, []),
])
def test_slices(total, limit, cost, sizes):
    items = list(range(total))
    parts = [items[part] for part in chunk_slices(total, limit, cost)]
    assert [len(part) for part in parts] == sizes
    assert sum(parts, []) == items


def test_test_cfg_has_chunks():
    assert InferenceCfg().chunks == Chunks()
    cfg = InferenceCfg(chunks=dict(frames=3, pairs=None))
    assert cfg.chunks == Chunks(frames=3, pairs=None)
    assert set(vars(WHOLE).values()) == {None}
    with pytest.raises(TypeError, match='framse'):
        InferenceCfg(chunks=dict(framse=3))
    for value in (0, -1, 2.5, '8'):
        with pytest.raises(ValueError, match='test_cfg.chunks.pixels='):
            InferenceCfg(chunks=dict(pixels=value))


def test_the_check_of_configs_knows_the_keys():
    fields = InferenceCfg.__dataclass_fields__
    assert PLAIN_DICTS['model.test_cfg'] == set(fields)
    assert PLAIN_DICTS['model.test_cfg.chunks'] == set(
        Chunks.__dataclass_fields__)

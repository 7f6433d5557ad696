import pytest
from mmengine.registry import init_default_scope


@pytest.fixture(autouse=True)
def mmrvos_scope():
    """What the Runner does before it builds anything."""
    init_default_scope('mmrvos')

from types import SimpleNamespace

import pytest

from mmrvos.engine.hooks import DenseWarmupHook


def test_the_first_epochs_are_dense_only():
    hook = DenseWarmupHook(epochs=2)
    model = SimpleNamespace(dense_head=object(), dense_only=None)
    seen = []
    for epoch in range(4):
        hook.before_train_epoch(SimpleNamespace(model=model, epoch=epoch))
        seen.append(model.dense_only)
    assert seen == [True, True, False, False]


def test_a_model_without_dense_head_is_refused():
    runner = SimpleNamespace(
        model=SimpleNamespace(dense_head=None), epoch=0)
    with pytest.raises(ValueError, match='dense_head'):
        DenseWarmupHook(epochs=1).before_train_epoch(runner)

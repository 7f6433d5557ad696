"""Parity with the official implementations, on stored numbers.

Run all cases in ``tests/data/golden``, or in the folder that the environment
variable ``MMRVOS_GOLDEN_DIR`` names. A case of an unknown kind fails.
"""
import os
from pathlib import Path

import pytest
import torch

from .golden_kinds import RUNNERS, kind_of
from .golden_kinds.case import load_case
from .golden_kinds.recording import join, recorded
from .test_models.tiny import tiny_model

OURS = Path(__file__).parent / 'data' / 'golden'
FOLDER = Path(os.environ.get('MMRVOS_GOLDEN_DIR', OURS))


@pytest.mark.parametrize(
    'path', sorted(FOLDER.glob('*.npz')), ids=lambda path: path.stem)
def test_equals_official(path):
    case = load_case(path)
    RUNNERS[kind_of(case)](case)


def test_there_are_cases():
    assert any(FOLDER.glob('*.npz')), f'no golden cases in {FOLDER}'


def test_every_runner_has_a_case():
    kinds = {kind_of(load_case(path)) for path in OURS.glob('*.npz')}
    assert kinds == set(RUNNERS)


def test_maps_are_recorded_whole():
    """The backbone processes a few frames per call."""
    model = tiny_model()
    frames, sizes = torch.randn(1, 17, 3, 32, 48), torch.tensor([[32., 48.]])
    with torch.no_grad(), recorded(model, 'backbone') as seen:
        model.encode_clip(frames, sizes)
    with torch.no_grad():
        expected = model.backbone(frames[0])
    assert len(seen.backbone) == len(expected) == 4
    for actual, level in zip(seen.backbone, expected, strict=True):
        torch.testing.assert_close(actual, level, rtol=1e-4, atol=1e-5)


def test_what_cannot_be_joined_is_refused():
    assert join(['one']) == 'one'
    with pytest.raises(TypeError, match='2 calls returned str'):
        join(['one', 'two'])

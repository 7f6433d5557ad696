"""Parity with the official implementations, on stored numbers.

Every case in ``tests/data/golden`` (or in the folder that the environment
variable ``MMRVOS_GOLDEN_DIR`` names) is run; a case of an unknown kind fails.
"""
import os
from pathlib import Path

import pytest

from .golden_kinds import RUNNERS, kind_of
from .golden_kinds.case import load_case

FOLDER = Path(
    os.environ.get('MMRVOS_GOLDEN_DIR',
                   Path(__file__).parent / 'data' / 'golden'))


@pytest.mark.parametrize(
    'path', sorted(FOLDER.glob('*.npz')), ids=lambda path: path.stem)
def test_equals_official(path):
    case = load_case(path)
    RUNNERS[kind_of(case)](case)


def test_there_are_cases():
    assert any(FOLDER.glob('*.npz')), f'no golden cases in {FOLDER}'

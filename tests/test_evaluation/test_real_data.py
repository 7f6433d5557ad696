"""The DAVIS benchmark's own numbers for published methods."""
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmrvos.evaluation.functional import region_and_contour

DATA = Path(
    os.environ.get('MMRVOS_REAL_DATA',
                   Path(__file__).parents[3] / 'shared' / 'data'))
ROUNDING = 0.0005

needs_data = pytest.mark.skipif(
    not (DATA / 'results').is_dir(),
    reason=f'no DAVIS results under {DATA}; set MMRVOS_REAL_DATA')


def read(folder: Path, label: int | None) -> np.ndarray:
    """(T, H, W) bool, without the first and last frame; None: all labels."""
    frames = [np.array(Image.open(p)) for p in sorted(folder.glob('*.png'))]
    masks = np.stack(frames[1:-1])
    return masks > 0 if label is None else masks == label


@needs_data
@pytest.mark.parametrize('sequence', ['car-shadow', 'drift-chicane', 'libby'])
@pytest.mark.parametrize('method', ['osvos', 'stm'])
def test_equals_davis_2016(method: str, sequence: str) -> None:
    """J and F of every frame."""
    results = DATA / 'results'
    scores = json.loads((results / 'official_scores' / '2016' /
                         f'{method}_davis.json').read_text())[sequence]
    j, f = region_and_contour(
        read(results / 'davis2016_val' / method / sequence, None),
        read(DATA / 'DAVIS' / 'Annotations_2016' / '480p' / sequence, None))
    tolerance = ROUNDING + 1e-9
    assert np.abs(j - np.array(scores['J'], float)).max() <= tolerance
    assert np.abs(f - np.array(scores['F'], float)).max() <= tolerance


@needs_data
@pytest.mark.parametrize('sequence', ['car-shadow', 'drift-chicane', 'libby'])
def test_equals_davis_2017(sequence: str) -> None:
    """Means over the frames of every object."""
    results = DATA / 'results'
    scores = json.loads((results / 'official_scores' / '2017' /
                         'osvos_davis.json').read_text())
    truth = DATA / 'DAVIS' / 'Annotations' / '480p' / sequence
    objects = [k for k in scores if k.rpartition('_')[0] == sequence]
    assert objects
    for name in objects:
        label = int(name.rpartition('_')[2])
        j, f = region_and_contour(
            read(results / 'davis2017_val_osvos' / sequence, label),
            read(truth, label))
        assert abs(j.mean() - float(scores[name]['J'])) <= ROUNDING
        assert abs(f.mean() - float(scores[name]['F'])) <= ROUNDING

import numpy as np
import pycocotools.mask as mask_utils
import pytest

from mmrvos.utils import mask_areas


@pytest.mark.parametrize('number', [0, 1, 255, 256, 600])
def test_areas_of_any_number_of_masks(number):
    masks = np.zeros((20, 40, number), np.uint8, order='F')
    for n in range(number):
        masks[:, :, n].flat[:n] = 1
    areas = mask_areas(mask_utils.encode(masks))
    assert areas.dtype == np.int64
    assert areas.tolist() == list(range(number))

"""Frames that wait for their masks."""
import numpy as np

from mmrvos.apis.image_store import ImageStore


def test_images_come_back_in_any_order():
    images = np.random.default_rng(0).integers(
        0, 256, (4, 5, 7, 3), dtype=np.uint8)
    store = ImageStore()
    # a view that is not contiguous, too
    places = [store.write(image[:, ::-1]) for image in images]
    for t in (2, 0, 3, 1):
        found = store.read(*places[t])
        np.testing.assert_array_equal(found, images[t, :, ::-1])
        found[0] = 0  # may be drawn upon
        np.testing.assert_array_equal(store.read(*places[t]),
                                      images[t, :, ::-1])

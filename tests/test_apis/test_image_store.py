"""Frames that wait for their masks."""
import os

import numpy as np

from mmrvos.apis.image_store import ImageStore


def test_images_come_back_in_any_order():
    images = np.random.default_rng(0).integers(
        0, 256, (4, 5, 7, 3), dtype=np.uint8)
    store = ImageStore()
    # a view that is not contiguous, too
    places = [store.write(image[:, ::-1]) for image in images]
    for t in (2, 0, 3, 1):
        found = store.take(*places[t])
        np.testing.assert_array_equal(found, images[t, :, ::-1])
        found[0] = 0  # may be drawn upon


def test_the_file_holds_the_images_that_wait():
    images = np.random.default_rng(0).integers(
        0, 256, (60, 4, 5, 3), dtype=np.uint8)
    store, places = ImageStore(), []
    for t, image in enumerate(images):
        places.append(store.write(image))
        if t >= 4:
            np.testing.assert_array_equal(
                store.take(*places[t - 4]), images[t - 4])
    store.file.flush()
    assert os.fstat(store.file.fileno()).st_size == 5 * images[0].nbytes

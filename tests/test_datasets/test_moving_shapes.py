"""Moving Shapes as a dataset."""
import numpy as np
import pytest

from mmrvos.datasets.moving_shapes import MovingShapesDataset, generate

SPLIT = dict(
    ann_file='meta_expressions/valid/meta_expressions.json',
    data_prefix=dict(img='valid/JPEGImages', mask='valid/Annotations'),
    size='mini',
    test_mode=True,
    pipeline=[dict(type='LoadFrames')])


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp('data') / 'mini'
    generate('mini', root, workers=1, progress=False)
    return str(root)


def test_shuffled_frames_keep_their_masks(root):
    """Each frame with its masks appears once, in an order of its own."""
    plain = MovingShapesDataset(**SPLIT, data_root=root)
    shuffled = MovingShapesDataset(
        **SPLIT, data_root=root, shuffle_frames=True)
    again = MovingShapesDataset(**SPLIT, data_root=root, shuffle_frames=True)
    assert len(plain) == len(shuffled) == 4
    orders = set()
    for i in range(4):
        old, new = plain.get_data_info(i), shuffled.get_data_info(i)
        names = new['frame_names']
        assert names == again.get_data_info(i)['frame_names']
        assert names != old['frame_names'] == sorted(names)
        orders.add(tuple(names))
        for t, name in enumerate(names):
            assert new['img_paths'][t].endswith(f'/{name}.jpg')
            np.testing.assert_array_equal(
                new['mask_source'].label_map(t),
                old['mask_source'].label_map(int(name)))
    assert len(orders) == 4

import numpy as np
import pytest

from mmrvos.datasets.transforms import ClipReverse

from .clip import make_clip, shown


def test_frames_and_masks_are_reversed_together():
    clip = make_clip(5, ('the one that stays still', 'the one that moves'))
    frames, valid = clip['frames'].copy(), clip['valid'].copy()
    result = ClipReverse(prob=1.)(clip | dict(valid_index=1))
    assert (result['frames'] == frames[::-1]).all()
    assert (result['masks'] == shown(result)).all()
    assert (result['valid'] == valid[:, ::-1]).all()
    assert not (valid == valid[:, ::-1]).all()  # the test sees the order
    assert result['frame_inds'].tolist() == [4, 3, 2, 1, 0]
    assert result['valid_index'] == 3


@pytest.mark.parametrize('text', [
    'the circle that moves left', 'the star that goes round clockwise',
    'the ring at the end'
])
def test_one_sentence_about_order_keeps_the_clip(text):
    clip = make_clip(5, ('the one that stays still', text))
    frames = clip['frames'].copy()
    assert (ClipReverse(prob=1.)(clip)['frames'] == frames).all()


def test_types_outside_the_list_keep_the_clip():
    clip = make_clip(5)
    clip['expressions'][0]['type_id'] = 'motion-extent'
    clip['expressions'][1]['type_id'] = 'motion-order'
    frames = clip['frames'].copy()
    transform = ClipReverse(prob=1., types=('motion-extent', ))
    assert (transform(clip)['frames'] == frames).all()
    clip['expressions'][1]['type_id'] = 'motion-extent'
    assert (transform(clip)['frames'] == frames[::-1]).all()


def test_probability():
    transform = ClipReverse(prob=0.25)
    share = np.mean([transform.is_applied() for _ in range(2000)])
    assert 0.2 < share < 0.3
    with pytest.raises(ValueError, match='prob=2'):
        ClipReverse(prob=2)

import random
from collections import Counter

import cv2
import numpy as np
import pytest
from PIL import Image

from mmrvos.datasets.transforms import (
    ImageToClip,
    LoadClipMasks,
    LoadFrames,
    PackRVOSInputs,
    SampleExpressions,
)
from mmrvos.datasets.transforms.loading import read_video_frames
from mmrvos.structures import PNGMasks
from mmrvos.utils import read_image

from .. import miniature
from .clip import make_clip, shown


def test_images_decode_as_in_pillow(tmp_path):
    rng = np.random.default_rng(0)
    picture = cv2.resize(
        rng.integers(0, 256, (9, 13, 3), dtype=np.uint8), (131, 97))
    path = tmp_path / 'a.jpg'
    Image.fromarray(picture).save(path, quality=80)
    np.testing.assert_array_equal(
        read_image(str(path)), np.asarray(Image.open(path)))
    # bytes after the end are none of our business
    path.write_bytes(path.read_bytes() + bytes(100))
    assert read_image(str(path)).shape == (97, 131, 3)


@pytest.mark.parametrize('keep', [0, 40, 300, -9])
def test_cut_images_are_named(tmp_path, keep):
    path = tmp_path / 'cut.jpg'
    Image.fromarray(miniature.pictures(miniature.label_maps())[0]).save(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match='cut.jpg cannot be decoded'):
        read_image(str(path))


def test_missing_image_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='no.jpg is missing'):
        read_image(str(tmp_path / 'no.jpg'))


def test_only_sampled_frames_are_read(tmp_path):
    names = [f'{t:05d}' for t in range(miniature.FRAMES)]
    frames = miniature.pictures(miniature.label_maps())
    miniature.write_images(tmp_path, names[:3], frames[:3])
    clip = dict(
        video_id='v',
        frame_names=names,
        img_paths=[str(tmp_path / f'{n}.jpg') for n in names],
        frame_inds=np.array([0, 2, 2]))
    out = LoadFrames()(dict(clip))
    assert out['frames'].shape == (3, miniature.HEIGHT, miniature.WIDTH, 3)
    np.testing.assert_array_equal(out['frames'][1], out['frames'][2])
    with pytest.raises(FileNotFoundError, match='00004.jpg'):
        LoadFrames()(dict(clip, frame_inds=np.array([0, 4])))
    miniature.write_images(tmp_path, names[1:2], frames[:1, :-2])
    with pytest.raises(ValueError, match='frame 00001 is .46, 64.*48, 64'):
        LoadFrames()(dict(clip, frame_inds=np.array([0, 1])))


def test_video_files(tmp_path):
    root = miniature.a2d(tmp_path)
    path = str(root / 'Release/clips320H/vid_a.mp4')
    truth = miniature.pictures(miniature.label_maps())
    frames = read_video_frames(path, [4, 1, 4])
    for frame, t in zip(frames, [4, 1, 4], strict=True):
        assert np.abs(frame.astype(int) - truth[t]).mean() < 6
    # a list that is too long takes the last frame
    last = read_video_frames(path, [miniature.FRAMES - 1])[0]
    np.testing.assert_array_equal(read_video_frames(path, [3, 99])[1], last)
    with pytest.raises(ValueError, match='ends after 7 frames, frame 50'):
        read_video_frames(path, [50])
    with pytest.raises(FileNotFoundError, match='none.mp4'):
        read_video_frames(str(tmp_path / 'none.mp4'), [0])


def loaded(tmp_path, **changes) -> dict:
    maps = miniature.label_maps(4)
    names = [f'{t:05d}' for t in range(4)]
    miniature.write_palette(tmp_path, names, maps)
    clip = make_clip()
    for key in ('masks', 'boxes', 'valid'):
        del clip[key]
    clip['mask_source'] = PNGMasks(tmp_path, names)
    return LoadClipMasks()(dict(clip, **changes))


def test_masks_boxes_and_validity(tmp_path):
    clip, truth = loaded(tmp_path), make_clip()
    for key in ('masks', 'boxes', 'valid'):
        np.testing.assert_array_equal(clip[key], truth[key])
    # the last pixel is inside
    assert clip['boxes'][0, 0].tolist() == [4, 8, 17, 19]
    assert clip['valid'][1].tolist() == [False, False, True, True]


def test_unions_and_no_target(tmp_path):
    expressions = make_clip()['expressions']
    expressions[0]['obj_ids'] = ['1', '2']
    expressions[1]['obj_ids'] = []
    clip = loaded(tmp_path, expressions=expressions)
    np.testing.assert_array_equal(
        clip['masks'][0], miniature.label_maps(4) > 0)
    assert not clip['valid'][1].any()


def test_frames_that_do_not_count(tmp_path):
    clip = loaded(tmp_path, valid_index=2)
    assert clip['valid'].tolist() == [[False, False, True, False]] * 2
    clip = loaded(tmp_path, valid_span=(1, 2))
    assert clip['valid'].tolist() == [[False, True, True, False],
                                      [False, False, True, False]]


def test_mask_of_another_size_is_named(tmp_path):
    with pytest.raises(ValueError, match='frame 00000.*48, 64.*40, 64'):
        loaded(tmp_path, frames=make_clip()['frames'][:, :40])


def test_masks_not_published(tmp_path):
    with pytest.raises(ValueError, match='leave LoadClipMasks out'):
        loaded(tmp_path, mask_source=None)


def test_image_to_clip():
    image = make_clip(1, size=4)
    original = image['frames'][0]
    changed = []
    for _ in range(5):
        clip = ImageToClip(num_frames=5)(make_clip(3, size=4) | dict(
            frames=image['frames'],
            masks=image['masks'],
            boxes=image['boxes'],
            valid=image['valid'],
            frame_inds=np.zeros(1, dtype=int)))
        assert clip['frames'].shape == (5, *original.shape)
        assert clip['masks'].shape == (2, 5, *original.shape[:2])
        assert clip['frame_inds'].tolist() == [0] * 5
        same = [(f == original).all() for f in clip['frames']]
        assert sum(same) == 1
        changed.append(same.index(True))
        both = shown(clip)[0] & clip['masks'][0]
        union = shown(clip)[0] | clip['masks'][0]
        assert both.sum() / union.sum() > 0.85  # motion blur smears edges
        assert not clip['valid'][1].any()  # the second object is not there
    assert len(set(changed)) > 1  # shuffled
    with pytest.raises(ValueError, match='got 4 frames of v'):
        ImageToClip()(make_clip(4))


def test_sample_expressions():
    own = [dict(text='own')]
    others = [dict(text=str(i)) for i in range(5)]
    texts = set()
    for _ in range(30):
        out = SampleExpressions(3)(
            dict(expressions=own, other_expressions=others))
        picked = [e['text'] for e in out['expressions']]
        assert picked[0] == 'own' and len(set(picked)) == 3
        texts |= set(picked)
        # entry='video': all of them are drawn
        out = SampleExpressions(2)(dict(expressions=others))
        assert len({e['text'] for e in out['expressions']}) == 2
    assert texts == {'own', '0', '1', '2', '3', '4'}
    out = SampleExpressions(9)(
        dict(expressions=own, other_expressions=others))
    assert len(out['expressions']) == 6  # what there is


def test_expressions_are_drawn_by_the_weight_of_their_type():
    random.seed(0)
    pool = [dict(text=str(i), type_id='relation') for i in range(2)]
    pool += [dict(text=str(i), type_id='position') for i in range(2, 30)]
    pool += [dict(text='never', type_id='motion-order')]
    step = SampleExpressions(1, dict(relation=3., position=1.))
    count = Counter()
    for _ in range(800):
        for e in step(dict(expressions=pool))['expressions']:
            count[e['type_id']] += 1
    assert set(count) == {'relation', 'position'}
    assert 0.7 < count['relation'] / 800 < 0.8  # 3 of 4, however few they are
    # none twice; and when a type has given all, the others go on
    texts = [
        e['text'] for e in SampleExpressions(31, dict(
            relation=3., position=1.))(dict(expressions=pool))['expressions']
    ]
    assert sorted(texts) == sorted(str(i) for i in range(30))
    # a video without any of the types: another one is taken
    assert SampleExpressions(1, dict(mixed=1.))(dict(expressions=pool)) is None


@pytest.mark.parametrize('weights', [{}, dict(position=0.)])
def test_weights_of_types_are_positive(weights):
    with pytest.raises(ValueError, match='type_weights'):
        SampleExpressions(1, weights)


def test_packing():
    clip = make_clip()
    clip['boxes'][1, 0] = [64, 0, 64, 0]  # what a flip makes of zero
    packed = PackRVOSInputs()(clip)
    sample = packed['data_samples']
    x1, y1, x2, y2 = clip['boxes'][0, 0]
    np.testing.assert_allclose(
        sample.gt.boxes[0, 0],
        [(x1 + x2) / 128, (y1 + y2) / 96, (x2 - x1) / 64, (y2 - y1) / 48],
        rtol=1e-6)
    assert not sample.gt.boxes[1, 0].any()
    np.testing.assert_array_equal(
        packed['inputs'].numpy().transpose(0, 2, 3, 1), clip['frames'])
    assert 'mask_source' not in sample

"""Masks of all objects of a clip, beside those of its expressions."""
import numpy as np
import pytest
import torch

from mmrvos.datasets.mask_sources import (
    ClipMasks,
    H5Masks,
    MatMasks,
    PolygonMasks,
)
from mmrvos.datasets.transforms import (
    CheckValid,
    ClipFlip,
    LoadClipMasks,
    PackRVOSInputs,
)
from mmrvos.structures import PNGMasks, RLEMasks

from . import miniature
from .test_benchmarks import MAPS, build, check_training, converter
from .test_transforms.clip import make_clip


def png_masks(folder, **kwargs) -> PNGMasks:
    names = [f'{t:05d}' for t in range(4)]
    miniature.write_palette(folder, names, miniature.label_maps(4))
    return PNGMasks(folder, names, **kwargs)


def loaded(tmp_path, texts=('the red one', ), **changes) -> dict:
    """The miniature clip; object 2 comes in frame 2."""
    clip = make_clip(texts=texts)
    for key in ('masks', 'boxes', 'valid'):
        del clip[key]
    clip['mask_source'] = png_masks(tmp_path)
    return LoadClipMasks(all_objects=True)(dict(clip, **changes))


def test_sources_list_the_objects_of_a_frame(tmp_path):
    source = png_masks(tmp_path / 'png')
    assert source.objects(0) == ['1']
    assert source.objects(3) == ['1', '2']
    assert ClipMasks(source, [3]).objects(0) == ['1', '2']
    # what is not scored is no object
    void = png_masks(tmp_path / 'void', void_value=2)
    assert void.objects(3) == ['1']
    mask = miniature.encode(MAPS[0] == 1)
    rles = RLEMasks({'7': [mask, None], '8': [mask, mask]}, MAPS.shape[1:])
    assert rles.objects(1) == ['8']
    root = miniature.a2d(tmp_path / 'a2d')
    h5 = H5Masks(root / 'text_annotations/a2d_annotation_with_instances/vid_a')
    assert h5.objects(0) == ['0']
    assert h5.objects(3) == ['0', '1']
    polygons = PolygonMasks({
        name: [[x, 1, x + 4, 1, x + 4, 5]] for name, x in (('7', 2), ('3', 9))
    }, (8, 16))
    assert polygons.objects(0) == ['3', '7']
    with pytest.raises(ValueError, match='MatMasks does not list'):
        MatMasks('no.mat').objects(0)


def test_objects_are_rows_behind_the_expressions(tmp_path):
    clip = loaded(tmp_path)
    assert clip['objects'] == ['1', '2']
    assert clip['masks'].shape[0] == len(clip['boxes']) == 3
    np.testing.assert_array_equal(clip['masks'][0], clip['masks'][1])
    np.testing.assert_array_equal(clip['masks'][2],
                                  miniature.label_maps(4) == 2)
    assert clip['valid'][2].tolist() == [False, False, True, True]


def test_only_frames_that_count_have_objects(tmp_path):
    clip = loaded(tmp_path, valid_index=1)
    assert clip['objects'] == ['1']
    assert clip['valid'].tolist() == [[False, True, False, False]] * 2


def test_transforms_treat_objects_as_targets(tmp_path):
    clip = ClipFlip(prob=1.)(loaded(tmp_path))
    np.testing.assert_array_equal(
        clip['masks'][2], (miniature.label_maps(4) == 2)[..., ::-1])


def test_objects_and_expressions_leave_the_view_each_on_its_own(tmp_path):
    clip = loaded(tmp_path, texts=('the red one', 'the blue one'))
    for row in (0, 2):  # object 1 and its expression
        clip['boxes'][row] = 0
    out = CheckValid()(dict(clip))
    assert [e['text'] for e in out['expressions']] == ['the blue one']
    assert out['objects'] == ['2']
    assert len(out['masks']) == len(out['boxes']) == len(out['valid']) == 2
    # objects alone are no reason to train on a clip
    clip['boxes'][1] = 0
    assert CheckValid()(clip) is None


def test_packing_tells_them_apart(tmp_path):
    clip = loaded(tmp_path)
    sample = PackRVOSInputs()(clip)['data_samples']
    assert sample.gt.masks.shape[0] == len(sample.gt.boxes) == 1
    assert sample.objects.obj_ids == ['1', '2']
    assert torch.equal(sample.objects.masks,
                       torch.from_numpy(clip['masks'][1:]))


def test_mttr_on_ref_youtube_vos(tmp_path):
    root = miniature.ref_youtube_vos(tmp_path)
    dataset = build('mttr/_base_/ref_youtube_vos', 'train_dataloader', root)
    samples = check_training(dataset, num_frames=12)
    for sample in samples:
        assert sample.objects.obj_ids == ['1', '2']
        # the video is shorter than the window: its last frame is repeated
        assert sample.frame_names[-1] == sample.frame_names[6]


def test_mttr_on_a2d_sentences(tmp_path):
    root = miniature.a2d(tmp_path)
    converter('a2d_sentences')(root, root)
    dataset = build('mttr/_base_/a2d_sentences', 'train_dataloader', root)
    samples = [dataset[i]['data_samples'] for i in range(len(dataset))]
    for sample in samples:
        assert sample.valid_index == 5
        assert sample.gt.valid.sum() == 1 and sample.gt.valid[0, 5]
    found = {tuple(sample.objects.obj_ids) for sample in samples}
    assert found == {('0', ), ('0', '1')}  # the first frame shows one
    test = build('mttr/_base_/a2d_sentences', 'test_dataloader', root)[0]
    assert test['inputs'].shape[0] == 10
    assert test['data_samples'].valid_index == 5

"""Data sets that are read for scoring: no frames, no sentences."""
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from mmrvos.datasets import (
    CocoFramesDataset,
    DAVIS17Dataset,
    LongRVOSDataset,
    MeViSDataset,
    ReVOSDataset,
)

from . import miniature

MAPS = miniature.label_maps()


def test_mevis_needs_no_frames_in_testing(tmp_path):
    root = miniature.mevis(tmp_path)
    shutil.rmtree(root / 'train/JPEGImages')
    options = dict(
        ann_file='train/meta_expressions.json',
        data_root=str(root),
        mask_file='train/mask_dict.json')
    entry = MeViSDataset(test_mode=True, **options).get_data_info(0)
    assert 'img_paths' not in entry
    assert entry['mask_source'].read((), 0).shape == MAPS.shape[1:]
    with pytest.raises(FileNotFoundError, match='training needs the frames'):
        MeViSDataset(**options)


@pytest.mark.parametrize('size', [dict(height=9, width=7), {}])
def test_size_of_a_video_without_any_mask(tmp_path, size):
    (tmp_path / 'masks.json').write_text('{}')
    (tmp_path / 'meta.json').write_text(json.dumps(dict(videos=dict(v=dict(
        frames=['0'], expressions={'0': dict(exp='x', anno_id=[])},
        **size)))))
    options = dict(ann_file='meta.json', data_root=str(tmp_path),
                   mask_file='masks.json', test_mode=True)
    if size:
        entry = MeViSDataset(**options).get_data_info(0)
        assert entry['mask_source'].read((), 0).shape == (9, 7)
    else:
        with pytest.raises(ValueError, match='v has no mask, no height'):
            MeViSDataset(**options)


def test_longer_lists_and_single_ids(tmp_path):
    """The official file lists more RLEs than frames; anno_id may be a number.
    """
    rle = miniature.encode(MAPS[0] == 1)
    (tmp_path / 'masks.json').write_text(json.dumps({'3': [rle] * 5}))
    (tmp_path / 'meta.json').write_text(json.dumps(dict(videos=dict(v=dict(
        frames=['0', '1'],
        expressions={'0': dict(exp='x', anno_id=3, type_id=0)})))))
    entry = ReVOSDataset(
        ann_file='meta.json', data_root=str(tmp_path), mask_file='masks.json',
        test_mode=True).get_data_info(0)
    assert entry['expressions'][0]['obj_ids'] == ['3']
    assert len(entry['mask_source'].rles['3']) == 2


def test_hallucinations_lose_their_objects_the_foreground_does_not(tmp_path):
    rle = miniature.encode(MAPS[0] == 1)
    (tmp_path / 'masks.json').write_text(json.dumps({'3': [rle]}))
    (tmp_path / 'meta.json').write_text(json.dumps(dict(videos=dict(v=dict(
        frames=['0'],
        expressions={'0': dict(exp='x', anno_id=[3], type_id=2)})))))
    entry = ReVOSDataset(
        ann_file='meta.json', data_root=str(tmp_path), mask_file='masks.json',
        test_mode=True).get_data_info(0)
    assert entry['expressions'][0]['obj_ids'] == []
    assert entry['mask_source'].objects(0) == ['3']


def test_long_rvos_types_and_objects_without_files(tmp_path):
    root = miniature.long_rvos(tmp_path)
    path = root / 'valid/meta_expressions.json'
    content = json.loads(path.read_text())
    video, = content['videos'].values()
    video['expressions'] = {
        '0': dict(exp='x', obj_id=9, type='static+dynamic')
    }
    path.write_text(json.dumps(content))
    entry = LongRVOSDataset(
        ann_file='valid/meta_expressions.json', data_root=str(root),
        data_prefix=dict(mask='valid/Annotations'),
        test_mode=True).get_data_info(0)
    assert entry['expressions'][0]['type_id'] == 'hybrid'
    assert not entry['mask_source'].read(['9'], 0).any()


def test_davis_sequences(tmp_path):
    for name in ('b', 'a', '.hidden'):
        for t in range(2):
            path = tmp_path / f'masks/{name}/{t:05d}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            label_map = np.full((4, 5), 255 * t, np.uint8)
            label_map[0, 0] = 1 - t
            Image.fromarray(label_map).save(path)
    (tmp_path / 'masks/a/._00000.png').write_bytes(b'of a Mac')
    options = dict(data_root=str(tmp_path), data_prefix=dict(mask='masks'),
                   test_mode=True)
    dataset = DAVIS17Dataset(**options)
    entries = [dataset.get_data_info(i) for i in range(len(dataset))]
    assert [e['video_id'] for e in entries] == ['a', 'b']
    assert entries[0]['frame_names'] == ['00000', '00001']
    assert entries[0]['mask_source'].void(1).sum() == 19
    (tmp_path / 'val.txt').write_text('b\n')
    assert len(DAVIS17Dataset(ann_file='val.txt', **options)) == 1
    (tmp_path / 'val.txt').write_text('b\nc\n')
    with pytest.raises(ValueError, match='c holds no PNG'):
        DAVIS17Dataset(ann_file='val.txt', **options)


def test_coco_frames(tmp_path):
    rle = miniature.encode(MAPS[0] == 1)
    plain = dict(size=[2, 3], counts=[1, 2, 3])
    path = tmp_path / 'gt.json'

    def load(*annotations):
        path.write_text(json.dumps(dict(annotations=annotations)))
        return CocoFramesDataset(ann_file=str(path), test_mode=True)

    dataset = load(dict(image_id='b', segmentation=rle),
                   dict(image_id='a', segmentation=plain))
    first, second = dataset.get_data_info(0), dataset.get_data_info(1)
    assert first['expressions'][0]['exp_id'] == 'a'
    assert first['mask_source'].read(['1'], 0).T.ravel().tolist() == [
        False, True, True, False, False, False]
    np.testing.assert_array_equal(
        second['mask_source'].read(['1'], 0), MAPS[0] == 1)
    for annotation, words in (
        (dict(segmentation=rle), 'no "image_id"'),
        (dict(image_id='a', segmentation=[[1, 2, 3, 4]]), 'expected a COCO'),
        (dict(image_id='a', segmentation=dict(size=[2, 3])), 'is no RLE'),
        (dict(image_id='a', segmentation=dict(plain, counts=[-1, 7])),
         'runs sum to 6')):
        with pytest.raises(ValueError, match=f'gt.json.*{words}'):
            load(annotation)
    with pytest.raises(ValueError, match='more than one annotation'):
        load(*[dict(image_id='a', segmentation=rle)] * 2)

"""Annotation files are checked when they are loaded."""
import codecs
import json

import numpy as np
import pytest
from PIL import Image

from mmrvos.datasets import DAVIS17Dataset, MeViSDataset
from mmrvos.datasets.annotation_files import (
    in_order_of_time,
    load_expressions,
    load_json,
    object_ids,
    read_table,
)
from mmrvos.datasets.mask_sources import PolygonMasks
from mmrvos.registry import DATASETS
from mmrvos.structures import PNGMasks, RLEMasks
from mmrvos.utils import read_image

from . import miniature

MAPS = miniature.label_maps()
ANN_FILE = 'meta_expressions/train/meta_expressions.json'


def youtube(root, **options):
    return DATASETS.build(dict(
        type='RefYoutubeVOSDataset', data_root=str(root), ann_file=ANN_FILE,
        data_prefix=dict(img='train/JPEGImages', mask='train/Annotations'),
        **options))


def test_json_of_great_depth_is_named(tmp_path):
    path = tmp_path / 'x.json'
    path.write_text(100_000 * '[')
    with pytest.raises(ValueError, match='x.json is no valid JSON'):
        load_json(path)


def test_tables(tmp_path):
    path = tmp_path / 'x.csv'
    path.write_bytes(codecs.BOM_UTF8 + b'a, b\r\n\r\n1,"x, y"\r\n2\r\n')
    assert read_table(path, ('a', 'b')) == [
        (f'{path}, line 3', {'a': '1', 'b': 'x, y'}),
        (f'{path}, line 4', {'a': '2', 'b': ''})
    ]
    path.write_bytes('a,b\r\n1,caf\u00e9\r\n'.encode('utf-16'))
    assert read_table(path, 'ab')[0][1] == {'a': '1', 'b': 'caf\u00e9'}
    for content, words in ((b'a,b\n1,2,3\n', 'line 2: 3 fields'),
                           (b'a,b\n1,caf\xe9\n', 'x.csv is not in utf-8'),
                           (b'a;b\n1;2\n', r"lacks \['a', 'b'\]"),
                           (b'', r"lacks \['a', 'b'\]")):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=words):
            read_table(path, ('a', 'b'))


@pytest.mark.parametrize('change, words', [
    (lambda c: c.update(videos=[1]), r'"videos" is \[1\], expected a dict'),
    (lambda c: c['videos'].update(v=None), 'video v is null'),
    (lambda c: c['videos']['v'].update(frames=None), '"frames" is null'),
    (lambda c: c['videos']['v'].update(frames=['0', None]), 'frame is null'),
    (lambda c: c['videos']['v'].update(frames=['0', '0']), '0 twice'),
    (lambda c: c['videos']['v'].update(frames=[]), 'lists no frames'),
    (lambda c: c['videos']['v'].update(expressions=[1]), 'a dictionary'),
    (lambda c: c['videos']['v']['expressions'].update({'0': None}),
     'expression 0 of video v is null'),
    (lambda c: c['videos']['v']['expressions']['0'].update(exp=['a']),
     'expected a text'),
])
def test_expression_files_of_another_form(tmp_path, change, words):
    path = tmp_path / 'x.json'
    content = dict(videos=dict(
        v=dict(frames=['0'], expressions={'0': dict(exp='a')})))
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=f'x.json.*{words}'):
        load_expressions(path)


def test_numbers_as_frame_names_are_in_order(tmp_path):
    assert in_order_of_time(['11', '2', '1', '02']) == [2, 3, 1, 0]
    root = miniature.mevis(tmp_path)
    path, order = root / 'train/meta_expressions.json', [3, 0, 6, 1, 2, 4, 5]
    content = load_json(path)
    content['videos']['m1']['frames'] = [f'{t + 5}' for t in order]
    miniature.write_json(path, content)
    masks = load_json(root / 'train/mask_dict.json')
    miniature.write_json(root / 'train/mask_dict.json', {
        i: [rles[t] for t in order] for i, rles in masks.items()})
    info = MeViSDataset(
        'train/meta_expressions.json', data_root=str(root), test_mode=True,
        mask_file='train/mask_dict.json').get_data_info(0)
    assert info['frame_names'] == [f'{t + 5}' for t in range(7)]
    for t in range(7):
        np.testing.assert_array_equal(
            info['mask_source'].read(['71'], t), MAPS[t] == 1)


@pytest.mark.parametrize('value', [None, 1.5, True, [['1']], ' ', {}])
def test_ids_that_are_none(value):
    with pytest.raises(ValueError, match='video v names object'):
        object_ids(value, 'video v')


@pytest.mark.parametrize('value', ['0', '256', 'abc', '-1', '\u0661'])
def test_ids_that_are_no_pixel_value(tmp_path, value):
    root = miniature.ref_youtube_vos(tmp_path)
    content = load_json(root / ANN_FILE)
    content['videos']['bbb']['expressions']['2']['obj_id'] = value
    miniature.write_json(root / ANN_FILE, content)
    with pytest.raises(ValueError, match='expression 2 of video bbb.*1 to 25'):
        youtube(root)


def test_masks_of_0_and_255_are_explained(tmp_path):
    for t in range(2):
        path = tmp_path / f'masks/city/{t}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 * (MAPS[t] == 1).astype(np.uint8)).save(path)
    with pytest.raises(ValueError, match=r"city.*'1'.*\[0, 255\].*DAVIS-2016"):
        PNGMasks(path.parent, ['0', '1']).read(['1'], 0)
    with pytest.raises(ValueError, match='city.*DAVIS-2016'):
        DAVIS17Dataset(data_root=str(tmp_path), test_mode=True,
                       data_prefix=dict(mask='masks'))


def test_damaged_masks_are_named():
    good = miniature.encode(MAPS[0] == 1)
    with pytest.raises(ValueError, match="object '7', frame 1 .from 0"):
        RLEMasks({'7': [good, dict(good, counts=good['counts'][:-1])]})
    with pytest.raises(ValueError, match=r'expected \(48, 64\)'):
        RLEMasks({'7': [good, dict(size=[2, 2], counts=[4])]})
    for polygon in ([], [[0, 0, 5, 5]], [[0, 0, 5, 5, 1e9, 3]],
                    [[0, 0, float('nan'), 5, 5, 5]], [None]):
        with pytest.raises(ValueError, match="object '7'.*polygon"):
            PolygonMasks({'7': polygon}, (48, 64))


def save_turned(path, pixels: np.ndarray) -> None:
    exif = Image.Exif()
    exif[0x112] = 6  # turned to the right to be upright
    Image.fromarray(pixels).save(path, exif=exif, quality=95)


def test_orientation_follows_the_masks(tmp_path):
    """Frames are upright, unless only the stored pixels fit the masks."""
    root = miniature.ref_youtube_vos(tmp_path, ['aaa'])
    pictures = miniature.pictures(MAPS)
    pipeline = [dict(type='SampleAllFrames'), dict(type='LoadFrames')]
    for t, path in enumerate(sorted(root.glob('train/JPEGImages/aaa/*'))):
        save_turned(path, pictures[t])
    frames = youtube(root, test_mode=True, pipeline=pipeline)[0]['frames']
    assert frames.shape[1:3] == (48, 64)
    assert read_image(path).shape[:2] == (64, 48)
    for t, path in enumerate(sorted(root.glob('train/JPEGImages/aaa/*'))):
        save_turned(path, np.rot90(pictures[t]))
    frames = youtube(root, test_mode=True, pipeline=pipeline)[0]['frames']
    assert np.abs(frames.astype(int) - pictures).mean() < 5

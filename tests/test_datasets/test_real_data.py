"""Public research data, where there is some: ``MMRVOS_REAL_DATA``, or
``../shared/data`` beside the repository."""
import os
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmrvos.datasets import (
    JHMDBSentencesDataset,
    RefDAVIS17Dataset,
    RefYoutubeVOSDataset,
)
from mmrvos.datasets.annotation_files import load_json

from . import miniature

REPO = Path(__file__).parents[2]
REAL = Path(os.environ.get('MMRVOS_REAL_DATA', REPO / '../shared/data'))
pytestmark = pytest.mark.skipif(
    not REAL.is_dir(), reason=f'no real data in {REAL}')
VIDEOS = ('car-shadow', 'drift-chicane', 'libby')


def need(path: str) -> Path:
    if not (REAL / path).exists():
        pytest.skip(f'{REAL / path} is not there')
    return REAL / path


def converter(name: str) -> dict:
    return runpy.run_path(
        str(REPO / f'tools/dataset_converters/{name}.py'))


def test_davis_conversion_equals_the_official_one(tmp_path):
    official = load_json(
        need('ref-davis/meta_expressions/valid/meta_expressions.json'))
    davis = tmp_path / 'DAVIS'
    (davis / 'ImageSets/2017').mkdir(parents=True)
    (davis / 'ImageSets/2017/val.txt').write_text('\n'.join(VIDEOS))
    for part, name in (('JPEGImages', 'JPEGImages'),
                       ('Annotations', 'Annotations_unsupervised')):
        (davis / name).mkdir()
        source = need(f'DAVIS/{part}/480p').resolve()
        (davis / name / '480p').symlink_to(source)
    miniature.write_json(davis / 'davis_semantics.json',
                         {v: {'1': 'car'} for v in VIDEOS})
    (tmp_path / 'davis_text_annotations').symlink_to(
        need('davis_text_annotations').resolve())
    converter('ref_davis17')['convert'](
        tmp_path, tmp_path / 'out', ['valid'], link=True)
    ours = load_json(tmp_path /
                     'out/meta_expressions/valid/meta_expressions.json')
    assert ours['videos'] == {v: official['videos'][v] for v in VIDEOS}

    dataset = RefDAVIS17Dataset(
        'meta_expressions/valid/meta_expressions.json',
        data_root=str(tmp_path / 'out'),
        data_prefix=dict(img='valid/JPEGImages', mask='valid/Annotations'),
        test_mode=True,
        pipeline=[
            dict(type='SampleAllFrames'),
            dict(type='LoadFrames'),
            dict(type='ClipResize', short_sides=360),
            dict(type='PackRVOSInputs', keep_masks=True)
        ],
        indices=4)
    sample = dataset[3]
    assert sample['inputs'].shape == (40, 3, 360, 640)
    mask = sample['data_samples'].mask_source.read(['1'], 5)
    with Image.open(REAL / 'DAVIS/Annotations/480p/car-shadow/00005.png') as p:
        np.testing.assert_array_equal(mask, np.array(p) == 1)


def test_all_davis_sentences_agree():
    official = load_json(
        need('ref-davis/meta_expressions/valid/meta_expressions.json'))
    tool = converter('ref_davis17')
    folder = need('davis_text_annotations')
    lists = [tool['read_list'](folder / n, e) for n, e in tool['LISTS']]
    assert len(official['videos']) == 30
    for video, info in official['videos'].items():
        assert tool['expressions_of'](video, lists) == info['expressions']


def test_jhmdb_sample_file(tmp_path):
    rows = need('expressions/jhmdb-sentences/'
                'jhmdb_sentences_samples_metadata.json')
    dataset = JHMDBSentencesDataset(
        str(rows), data_root=str(tmp_path), test_mode=True)
    assert len(dataset) == 2784
    infos = [dataset.get_data_info(i) for i in range(0, 2784, 50)]
    assert all(15 <= len(i['frame_names']) <= 40 for i in infos)
    first = dataset.get_data_info(0)
    assert first['img_paths'][first['key_frame']].startswith(
        f'{tmp_path}/Rename_Images/pullup/')
    assert len({e['exp_id'] for i in range(2784)
                for e in dataset.videos[i]['expressions']}) == 2784


def test_a2d_sentences_file(tmp_path):
    source = need('expressions/a2d-sentences/a2d_annotation.txt')
    (tmp_path / 'a2d_annotation.txt').symlink_to(source.resolve())
    (tmp_path / 'a2d_missed_videos.txt').write_text('')
    rows = converter('a2d_sentences')['read_sentences'](tmp_path)
    assert len(rows) == 6655 - 1  # without "1 (copy)"
    assert len({video for video, _, _ in rows}) == 3754


def test_ref_youtube_vos_validation_list(tmp_path):
    valid = need('expressions/refer-youtube-vos/meta_expressions/valid/'
                 'meta_expressions.json')
    videos = load_json(valid)['videos']
    (tmp_path / 'JPEGImages').mkdir()
    options = dict(
        data_root=str(tmp_path),
        data_prefix=dict(img='JPEGImages'),
        lower_case=False,
        test_mode=True)
    assert len(RefYoutubeVOSDataset(str(valid), **options)) == 507
    # the test file is not public any more: any 305 of them will do
    miniature.write_json(tmp_path / 'test.json', dict(
        videos=dict(sorted(videos.items())[:305])))
    dataset = RefYoutubeVOSDataset(
        str(valid), exclude_file='test.json', **options)
    assert len(dataset) == 202
    info = dataset.get_data_info(0)
    assert info['mask_source'] is None
    assert info['frame_names'] == sorted(info['frame_names'])

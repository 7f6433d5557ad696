"""What the base class does for every benchmark."""
import pickle

import pytest
from mmengine.registry import TRANSFORMS as ROOT_TRANSFORMS

from mmrvos.datasets import BaseRVOSDataset, RefYoutubeVOSDataset
from mmrvos.datasets.annotation_files import load_json
from mmrvos.registry import TRANSFORMS

from . import miniature

PREFIX = dict(img='train/JPEGImages', mask='train/Annotations')
ANN_FILE = 'meta_expressions/train/meta_expressions.json'


def build(root, **kwargs):
    kwargs = dict(data_root=str(root), data_prefix=PREFIX) | kwargs
    return RefYoutubeVOSDataset(ANN_FILE, **kwargs)


def texts(dataset) -> list[str]:
    return [
        e['text'] for i in range(len(dataset))
        for e in dataset.get_data_info(i)['expressions']
    ]


@pytest.fixture
def root(tmp_path):
    return miniature.ref_youtube_vos(tmp_path)


def test_entries(root):
    assert len(build(root)) == 12
    assert len(build(root, num_frames=7)) == 6
    assert len(build(root, entry='video')) == 4
    assert len(build(root, test_mode=True)) == 2
    info = build(root, entry='video').get_data_info(1)
    assert len(info['expressions']) == 3 and info['key_frame'] == 5
    assert 'other_expressions' not in info


def test_expression_subset(root):
    # object 1 has a sentence of 6 and one of 9 words, object 2 one of 3
    short = build(root, expression_subset='short', test_mode=True)
    assert texts(short) == ['The red one on the  LEFT', 'the blue one'] * 2
    long = build(root, expression_subset='long', test_mode=True)
    assert texts(long) == ['a bright red block that moves to the right'] * 2


def test_unknown_types_and_prefixes_are_named(root):
    content = load_json(root / ANN_FILE)
    for video in content['videos'].values():
        for expression in video['expressions'].values():
            expression['type_id'] = 'static'
    miniature.write_json(root / ANN_FILE, content)
    step = dict(type='SampleExpressions', type_weights=dict(static=1.))
    dataset = build(root, pipeline=[step])
    wrong = dict(step, type_weights=dict(static=1., statc=1.))
    with pytest.raises(ValueError, match="type_weights.*'statc'.*static"):
        build(root, pipeline=[wrong])
    with pytest.raises(ValueError, match="type_weights.*'statc'"):
        dataset.set_pipeline([wrong])
    with pytest.raises(ValueError, match="type_ids names 'motion'"):
        build(root, filter_cfg=dict(type_ids=['static', 'motion']))
    with pytest.raises(ValueError, match="data_prefix.imgs, expected some of"):
        build(root, data_prefix=dict(imgs='train/JPEGImages'))


def test_clean_text_is_the_first_transform(root):
    pipeline = [dict(type='SampleExpressions', num=3)]
    texts = {}
    for lower_case in (True, False):
        dataset = build(root, pipeline=pipeline, lower_case=lower_case)
        dataset.set_pipeline(pipeline)  # as a stage of training does
        entry = dataset[0]
        texts[lower_case] = {e['text'] for e in entry['expressions']}
    assert 'the red one on the left' in texts[True]
    assert 'The red one on the  LEFT' in texts[False]


def test_marked_lengths_are_obeyed(tmp_path):
    root = miniature.ref_youtube_vos(tmp_path)
    content = load_json(root / ANN_FILE)
    for video in content['videos'].values():
        for i, e in video['expressions'].items():
            e['length'] = 'long' if i == '2' else 'short'
    miniature.write_json(root / ANN_FILE, content)
    dataset = build(root, expression_subset='long', test_mode=True)
    assert texts(dataset) == ['the blue one'] * 2


def test_filters(root):
    assert len(build(root, filter_cfg=dict(with_target=True))) == 12
    with pytest.raises(ValueError, match='no expressions'):
        build(root, filter_cfg=dict(min_frames=8))
    with pytest.raises(ValueError, match='no expressions'):
        build(root, filter_cfg=dict(type_ids=['motion']))


def test_mmengine_options(root):
    assert len(build(root, indices=3)) == 3
    lazy = build(root, lazy_init=True)
    lazy.full_init()
    plain = build(root, serialize_data=False)
    for i in (0, 7):
        for other in (lazy, plain):
            info = other.get_data_info(i)
            expected = build(root).get_data_info(i)
            info.pop('mask_source'), expected.pop('mask_source')
            assert info == expected
    subset = lazy.get_subset([5, 1])
    assert subset.get_data_info(0)['key_frame'] == 5
    assert subset.videos is lazy.videos  # shared, not copied
    assert len(subset) == 2


def test_a_worker_gets_bytes(root):
    dataset = build(root)
    arrays = [dataset.videos.data, dataset.entries]
    rest = len(pickle.dumps(dataset)) - sum(a.nbytes for a in arrays)
    assert rest < 5000  # options, no annotations


@pytest.mark.parametrize('kwargs, message', [
    (dict(entry='frame'), "entry='frame', expected one of"),
    (dict(expression_subset='tall'), "expression_subset='tall'"),
    (dict(filter_cfg=dict(min_frame=3)), r"\['min_frame'\], expected"),
])
def test_options_are_checked(root, kwargs, message):
    with pytest.raises(ValueError, match=message):
        build(root, **kwargs)


def change(root, edit) -> None:
    content = load_json(root / ANN_FILE)
    edit(content['videos']['bbb'])
    miniature.write_json(root / ANN_FILE, content)


@pytest.mark.parametrize('edit, message', [
    (lambda v: v.update(frames=[]), 'video bbb lists no frames'),
    (lambda v: v['expressions']['1'].update(exp='  '),
     'expression 1 of video bbb is empty'),
    (lambda v: v['expressions']['1'].pop('obj_id'),
     'expression 1 of video bbb has no obj_id'),
])
def test_bad_annotations_are_named(root, edit, message):
    change(root, edit)
    with pytest.raises(ValueError, match=message):
        build(root)


@pytest.mark.parametrize('change', [
    lambda text: text[:-9],
    lambda text: 100_000 * '[' + 100_000 * ']',
], ids=['cut', 'too deep'])
def test_broken_json_is_named(root, change):
    path = root / ANN_FILE
    path.write_text(change(path.read_text()))
    with pytest.raises(ValueError, match='meta_expressions.json is no valid'):
        build(root)


@pytest.mark.parametrize('key', ['videos', 'frames', 'exp'])
def test_a_json_of_another_kind_is_named(root, key):
    path = root / ANN_FILE
    path.write_text(path.read_text().replace(f'"{key}"', '"other"'))
    with pytest.raises(ValueError, match=f'{path.name}.* no .*"{key}"'):
        build(root)


@pytest.mark.parametrize('missing', [ANN_FILE, 'train/JPEGImages'])
def test_missing_data_root(root, missing):
    (root / missing).rename(root / 'elsewhere')
    with pytest.raises(FileNotFoundError, match='docs/datasets.md') as error:
        build(root)
    assert str(root / missing) in str(error.value)
    assert '\n' not in str(error.value)


def test_samples_without_an_object_are_drawn_anew(root):
    pipeline = [
        dict(type='SampleConsecutiveFrames', num_frames=2),
        dict(type='LoadFrames'),
        dict(type='LoadClipMasks'),
        dict(type='CheckValid'),
        dict(type='PackRVOSInputs')
    ]
    dataset = build(root, num_frames=2, pipeline=pipeline)
    # object 2 is not in frames 0 and 1
    blank = next(
        i for i in range(len(dataset))
        if dataset.get_data_info(i)['key_frame'] == 0
        and dataset.get_data_info(i)['expressions'][0]['obj_ids'] == ['2'])
    for _ in range(5):
        assert dataset[blank]['data_samples'].gt.valid.any()


def test_broken_files_stop_the_run(root):
    pipeline = [dict(type='SampleAllFrames'), dict(type='LoadFrames')]
    path = root / 'train/JPEGImages/aaa/00015.jpg'
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match='aaa/00015.jpg'):
        build(root, pipeline=pipeline)[0]
    path.unlink()  # a frame missing in the middle
    with pytest.raises(FileNotFoundError, match='aaa/00015.jpg is missing'):
        build(root, pipeline=pipeline)[0]


def test_names_are_our_own():
    """mmcv's and mmdet's transforms must not be taken over."""
    import mmcv.transforms  # noqa: F401
    import mmdet.datasets.transforms  # noqa: F401
    from mmdet.registry import TRANSFORMS as MMDET_TRANSFORMS

    TRANSFORMS.import_from_location()
    ours = set(TRANSFORMS.module_dict)
    assert len(ours) > 15
    assert not ours & (set(MMDET_TRANSFORMS.module_dict)
                       | set(ROOT_TRANSFORMS.module_dict))


def test_base_class_needs_videos():
    with pytest.raises(NotImplementedError):
        BaseRVOSDataset()

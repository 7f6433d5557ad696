"""Every benchmark: files -> (converter ->) data set -> transforms -> collate,
with the pipelines of its config."""
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

from mmrvos.datasets.annotation_files import load_json
from mmrvos.registry import DATASETS

from . import miniature

REPO = Path(__file__).parents[2]
MAPS = miniature.label_maps()


def converter(name: str):
    return runpy.run_path(
        str(REPO / f'tools/dataset_converters/{name}.py'))['convert']


def build(config: str, loader: str, root: Path, **options):
    """Build the data set of a data file on another root.

    Args:
        config: a benchmark of configs/_base_/datasets, or a file in the
            folder of a method, such as 'soc/_base_/ref_youtube_vos'.
        loader: the data loader of the data set.
        root: of the benchmark.
        options: of the data set, instead of those of the file.
    """
    if '/' not in config:
        config = f'_base_/datasets/{config}'
    cfg = Config.fromfile(REPO / f'configs/{config}.py')
    dataset = cfg[loader]['dataset']
    for part in dataset.get('datasets', [dataset]):
        part.update(options, data_root=str(root))
    return DATASETS.build(dataset)


def check_training(dataset, num_frames: int = 5) -> list:
    """Two samples, collated; what a model may rely on."""
    batch = pseudo_collate([dataset[0], dataset[len(dataset) - 1]])
    for clip, sample in zip(
            batch['inputs'], batch['data_samples'], strict=True):
        gt, shape = sample.gt, tuple(clip.shape)
        count = len(sample.texts)
        assert clip.dtype == torch.uint8
        assert shape == (num_frames, 3, *sample.img_shape)
        assert gt.masks.shape == (count, num_frames, *sample.img_shape)
        assert gt.masks.dtype == torch.bool
        assert gt.boxes.shape == (count, num_frames, 4)
        assert gt.boxes.dtype == torch.float32
        assert gt.valid.any(1).all()
        assert (gt.boxes[~gt.valid] == 0).all()
        assert gt.boxes.min() >= 0 and gt.boxes.max() <= 1
        assert len(sample.frame_names) == num_frames
    return batch['data_samples']


def test_ref_youtube_vos(tmp_path):
    root = miniature.ref_youtube_vos(tmp_path)
    dataset = build('ref_youtube_vos', 'train_dataloader', root)
    # two videos, three expressions, starts 0 and 5 of seven frames
    assert len(dataset) == 12
    check_training(dataset)
    info = dataset.get_data_info(1)
    assert info['key_frame'] == 5
    assert info['frame_names'] == sorted(info['frame_names'])
    assert info['expressions'][0]['text'] == 'The red one on the  LEFT'
    text, = dataset[0]['data_samples'].texts  # may be mirrored
    assert text in ('the red one on the left', 'the red one on the right')
    assert [e['exp_id'] for e in info['other_expressions']] == ['1', '2']

    windows = build('soc/_base_/ref_youtube_vos', 'train_dataloader', root)
    assert len(windows) == 6  # one of the seven frames, the last repeated
    for sample in check_training(windows, num_frames=8):
        assert sample.frame_names[-2:] == ['00030', '00030']

    # the validation list is what the test file does not hold
    miniature.ref_youtube_vos(tmp_path, ('ccc', 'ddd', 'eee'), 'valid')
    miniature.ref_youtube_vos(tmp_path, ('ddd', ), 'test')
    dataset = build('ref_youtube_vos', 'val_dataloader', root)
    assert [dataset.get_data_info(i)['video_id'] for i in range(2)] == [
        'ccc', 'eee'
    ]
    assert len(dataset) == 2
    sample = dataset[0]['data_samples']
    assert sample.texts[0] == 'The red one on the  LEFT'  # as it is
    for t in range(miniature.FRAMES):
        np.testing.assert_array_equal(
            sample.mask_source.read(['2'], t), MAPS[t] == 2)


def test_labels_need_the_meta_file(tmp_path):
    root = miniature.ref_youtube_vos(tmp_path)
    config = dict(
        type='RefYoutubeVOSDataset',
        data_root=str(root),
        ann_file='meta_expressions/train/meta_expressions.json',
        data_prefix=dict(img='train/JPEGImages', mask='train/Annotations'))
    dataset = DATASETS.build(dict(config, meta_file='train/meta.json'))
    assert {dataset.get_data_info(i)['expressions'][0]['label']
            for i in range(len(dataset))} == {13, 64}  # dog, zebra
    dataset = DATASETS.build(config)
    assert dataset.get_data_info(0)['expressions'][0]['label'] == 0


def test_unknown_object_id(tmp_path):
    root = miniature.ref_youtube_vos(tmp_path)
    path = root / 'meta_expressions/train/meta_expressions.json'
    content = load_json(path)
    content['videos']['bbb']['expressions']['2']['obj_id'] = '7'
    miniature.write_json(path, content)
    with pytest.raises(ValueError, match="expression 2 of video bbb.*'7'.*1"):
        DATASETS.build(
            dict(
                type='RefYoutubeVOSDataset',
                data_root=str(root),
                ann_file='meta_expressions/train/meta_expressions.json',
                meta_file='train/meta.json',
                data_prefix=dict(
                    img='train/JPEGImages', mask='train/Annotations')))


def test_without_objects_there_is_no_ground_truth(tmp_path):
    root = miniature.ref_youtube_vos(tmp_path, split='valid')
    path = root / 'meta_expressions/valid/meta_expressions.json'
    content = load_json(path)
    for video in content['videos'].values():
        for expression in video['expressions'].values():
            del expression['obj_id']
    miniature.write_json(path, content)
    dataset = build('ref_youtube_vos', 'val_dataloader', root)
    assert dataset[0]['data_samples'].mask_source is None


def test_ref_davis17(tmp_path):
    root = miniature.davis(tmp_path)
    converter('ref_davis17')(root, root, ['train', 'valid'], link=False)
    # nothing was moved
    assert len(list((root / 'DAVIS').rglob('*.jpg'))) == 3 * miniature.FRAMES
    train = build('ref_davis17', 'train_dataloader', root)
    assert len(train) == 8 * 2  # 2 objects x 4 annotators, starts 0 and 5
    check_training(train)
    info = train.get_data_info(0)
    assert info['video_id'] == 'classic-car'  # was misspelt
    assert info['expressions'][0]['text'] == 'caf\u00e9 object 1 by 0'

    dataset = build('ref_davis17', 'val_dataloader', root)
    assert len(dataset) == 2 * 4
    sample = dataset[2]['data_samples']
    assert sample.video_id == 'dogs-scale' and sample.annotator == 2
    assert sample.exp_ids == ['2', '6'] and sample.obj_ids == [['1'], ['2']]
    assert sample.texts == [f'caf\u00e9 object {i} by 2' for i in (1, 2)]
    assert sample.mask_source.void(3)[:2].all()
    assert not sample.mask_source.void(3)[2:].any()
    with pytest.raises(FileExistsError, match='remove it'):
        converter('ref_davis17')(root, root, ['train'], link=False)

    # MLRL uses "only their full-video expression": annotators 1 and 3
    train = build('mlrl/_base_/ref_davis17', 'train_dataloader', root)
    texts = [train.get_data_info(i)['expressions'][0]['text']
             for i in range(len(train))]
    assert texts == [
        f'caf\u00e9 object {i} by {a}' for i in (1, 2) for a in (1, 3)]
    test = build('mlrl/_base_/ref_davis17', 'test_dataloader', root)
    samples = [test[i]['data_samples'] for i in range(len(test))]
    assert [s.annotator for s in samples] == [1, 3] * 2
    assert samples[1].exp_ids == ['3', '7']
    part = dict(type='RefDAVIS17Dataset', ann_file='x.json')
    with pytest.raises(ValueError, match=r"annotators='both'"):
        DATASETS.build(dict(part, annotators='both'))


def test_a2d_sentences(tmp_path):
    root = miniature.a2d(tmp_path)
    converter('a2d_sentences')(root, root)
    rows = load_json(root /
                     'a2d_sentences_single_frame_train_annotations.json')
    # instance 1 is not in frame 1
    assert rows == [['the red thing', 'vid_a', 1, 0],
                    ['the red thing', 'vid_a', 4, 0],
                    ['a blue thing', 'vid_a', 4, 1]]
    dataset = build('a2d_sentences', 'train_dataloader', root)
    assert len(dataset) == 3
    for sample in check_training(dataset):
        assert sample.gt.valid.sum() == 1
        assert sample.gt.valid[0, sample.valid_index]

    dataset = build('a2d_sentences', 'val_dataloader', root)
    assert len(dataset) == 2
    sample = dataset[1]['data_samples']
    assert sample.exp_ids == ['v_vid_b_f_4_i_0', 'v_vid_b_f_4_i_1']
    assert sample.frame_names == ['00002', '00003', '00004', '00005', '00006']
    truth = load_json(root /
                      'a2d_sentences_test_annotations_in_coco_format.json')
    assert {i['id'] for i in truth['images']} == {
        'v_vid_b_f_1_i_0', *sample.exp_ids
    }
    for obj_ids, ann in zip(
            sample.obj_ids, truth['annotations'][1:], strict=True):
        mask = sample.mask_source.read(obj_ids, sample.valid_index)
        np.testing.assert_array_equal(mask, MAPS[3] == int(obj_ids[0]) + 1)
        assert ann['area'] == mask.sum()
        assert miniature.encode(mask) == ann['segmentation']
        assert ann['bbox'][2] == mask.any(0).sum()
    with pytest.raises(ValueError, match=r'no instance \[5\]; it knows .0, 1'):
        sample.mask_source.read(['5'], sample.valid_index)


def test_jhmdb_sentences(tmp_path):
    root = miniature.jhmdb(tmp_path)
    converter('jhmdb_sentences')(root, root, None)
    dataset = build('jhmdb_sentences', 'test_dataloader', root)
    assert len(dataset) == 6
    sample = dataset[2]['data_samples']
    assert sample.exp_ids == ['v_v1_f_6'] and sample.texts == ['man in v1']
    # the seventh picture has no mask and is not used
    assert sample.frame_names == ['00004', '00005', '00006', '00006', '00006']
    assert sample.valid_index == 2
    mask = sample.mask_source.read(['1'], 2)
    np.testing.assert_array_equal(mask, MAPS[5] == 1)
    truth = load_json(root /
                      'jhmdb_sentences_gt_annotations_in_coco_format.json')
    assert truth['images'][2] == dict(
        id='v_v1_f_6', height=miniature.HEIGHT, width=miniature.WIDTH)
    assert truth['annotations'][2]['segmentation'] == miniature.encode(mask)


def test_jhmdb_samples_are_not_made_up_in_silence(tmp_path):
    root = miniature.jhmdb(tmp_path, samples=False)
    with pytest.raises(FileNotFoundError, match='published with MTTR'):
        converter('jhmdb_sentences')(root, root, None)
    converter('jhmdb_sentences')(root, root, 3)
    rows = load_json(root / 'jhmdb_sentences_samples_seed3.json')
    assert len(rows) == 6 and all(row[3] == 6 for row in rows)
    converter('jhmdb_sentences')(root, root, 3)
    assert rows == load_json(root / 'jhmdb_sentences_samples_seed3.json')


def test_refcoco(tmp_path):
    root = miniature.refcoco(tmp_path)
    converter('refcoco')(root, ['refcoco', 'refcoco+', 'refcocog'])
    content = load_json(root / 'refcoco/instances_refcoco_train.json')
    assert [i['caption'] for i in content['images']] == [
        'dog on left', 'the dog', 'person right', 'the crowd'
    ]
    assert [a['original_id'] for a in content['annotations']] == [
        101, 101, 102, 201
    ]
    dataset = build('refcoco', 'train_dataloader', root)
    assert len(dataset) == 3 * 3  # without the crowd
    check_training(dataset, num_frames=1)
    info = dataset.datasets[0].get_data_info(2)
    assert info['expressions'][0]['box'] == (50, 30, miniature.WIDTH, 40)
    assert info['expressions'][0]['label'] == 1
    # MLRL's object level learns from both objects of the first image
    dataset = build('mlrl/_base_/refcoco', 'train_dataloader', root)
    sample = dataset[0]['data_samples']
    # a flip also mirrors the words
    assert sample.texts in (['dog on left'], ['dog on right'])
    assert sample.objects.obj_ids == ['101', '102']
    assert sample.objects.masks.any((1, 2, 3)).all()

    dataset = build('refcoco', 'val_dataloader', root)
    sample = dataset[0]['data_samples']
    assert len(dataset) == 1 and sample.exp_ids == ['1', '2']
    assert sample.gt_boxes == [(4, 6, 24, 26)] * 2
    mask = sample.mask_source.read(sample.obj_ids[0], 0)
    assert mask[6:26, 4:24].all() and mask.sum() == 400


def test_joint_training(tmp_path):
    converter('refcoco')(
        miniature.refcoco(tmp_path), ['refcoco', 'refcoco+', 'refcocog'])
    miniature.ref_youtube_vos(tmp_path)
    dataset = build('referformer/_base_/refcoco_ref_youtube_vos',
                    'train_dataloader', tmp_path)
    assert len(dataset) == 3 * 3 + 12
    image, video = check_training(dataset)
    assert len(set(image.frame_names)) == 1
    assert len(set(video.frame_names)) > 1


def test_refcoco_pickles_run_no_code(tmp_path):
    root = miniature.refcoco(tmp_path)
    (root / 'refcoco/refs(unc).p').write_bytes(b'cos\nsystem\n(S"true"\ntR.')
    with pytest.raises(ValueError, match='posix.system|os.system'):
        converter('refcoco')(root, ['refcoco'])


@pytest.mark.parametrize('loader, split', [('train_dataloader', 'train'),
                                           ('val_dataloader', 'valid_u')])
def test_mevis(tmp_path, loader, split):
    dataset = build('mevis', loader, miniature.mevis(tmp_path, split))
    if split == 'train':
        check_training(dataset)
        info = dataset.get_data_info(0)
    else:
        info = dataset[0]['data_samples'].to_dict()
        assert info['obj_ids'] == [['71', '72'], ['72']]
    source = info['mask_source']
    np.testing.assert_array_equal(source.read(['71', '72'], 4), MAPS[4] > 0)
    assert not source.read(['72'], 0).any()


def test_mevis_files_must_belong_together(tmp_path):
    root = miniature.mevis(tmp_path)
    path = root / 'train/mask_dict.json'
    masks = load_json(path)
    miniature.write_json(path, dict(masks, **{'72': masks['72'][:-1]}))
    with pytest.raises(ValueError, match='object 72 has 6 masks.*7 frames'):
        build('mevis', 'train_dataloader', root)
    miniature.write_json(path, {'71': masks['71']})
    with pytest.raises(ValueError, match="expression 0 of video m1.*'72'"):
        build('mevis', 'train_dataloader', root)


def test_revos(tmp_path):
    root = miniature.revos(tmp_path)
    dataset = build('revos', 'val_dataloader', root)
    first, second = (dataset[i]['data_samples'] for i in range(2))
    assert first.type_ids == ['referring', 'reason', 'hallucination']
    assert first.obj_ids == [['5'], ['5'], []]
    # no target in the whole video, and still masks of the right size
    assert second.mask_source.read([], 0).shape == MAPS.shape[1:]


def test_ref_sav(tmp_path):
    dataset = build('ref_sav', 'test_dataloader', miniature.ref_sav(tmp_path))
    sample = dataset[0]['data_samples']
    assert sample.lengths == ['long', 'short']
    np.testing.assert_array_equal(
        sample.mask_source.read(['0'], 6), MAPS[6] == 1)


def test_interrvos(tmp_path):
    root = miniature.interrvos(tmp_path)
    sample = build('interrvos', 'test_dataloader', root)[0]['data_samples']
    assert sample.obj_ids == [['1'], ['1', '2']]
    sample = build('interrvos', 'test_dataloader', root,
                   role='target')[0]['data_samples']
    # the second expression has no target of an action
    assert sample.exp_ids == ['0']
    assert sample.obj_ids == [['2']]
    with pytest.raises(ValueError, match="role='object', expected one of"):
        build('interrvos', 'test_dataloader', root, role='object')


def test_long_rvos(tmp_path):
    root = miniature.long_rvos(tmp_path)
    sample = build('long_rvos', 'val_dataloader', root)[0]['data_samples']
    assert sample.type_ids == ['static', 'dynamic']
    for t in range(miniature.FRAMES):
        np.testing.assert_array_equal(
            sample.mask_source.read(['2'], t), MAPS[t] == 2)
    # an object without a folder is absent, as in the official evaluation
    empty = sample.mask_source.read(['9'], 0)
    assert empty.shape == MAPS.shape[1:] and not empty.any()
    miniature.long_rvos(tmp_path, 'train')
    check_training(build('long_rvos', 'train_dataloader', root))


def test_mevis_v2(tmp_path):
    """The form of v1, with a sentence that has no target."""
    root = miniature.mevis(tmp_path, 'valid_u')
    path = root / 'valid_u/meta_expressions.json'
    content = load_json(path)
    content['videos']['m1']['expressions']['2'] = dict(
        exp='the elephant', obj_id=[], anno_id=[])
    miniature.write_json(path, content)
    sample = build('mevis_v2', 'val_dataloader', root)[0]['data_samples']
    assert sample.obj_ids == [['71', '72'], ['72'], []]
    assert not sample.mask_source.read([], 3).any()


def test_yourvos(tmp_path):
    root = miniature.yourvos(tmp_path)
    sample = build('yourvos', 'test_dataloader', root)[0]['data_samples']
    assert sample.texts == ['the red one', 'what comes later']
    assert sample.spans == [[(0, 30)], [(10, 30)]]
    for t in range(miniature.FRAMES):
        np.testing.assert_array_equal(
            sample.mask_source.read(['1'], t), MAPS[t] == 2)
    spans = root / 'test/spans.txt'
    for line, message in (
        ('y1,0:30,0', 'a span from 30 to 0'),
        ('y1,0', 'expected video,expression:start,end'),
        ('../y1,0:0,5', 'expected a relative name'),
        ('y1,0:0,5\ny1,0:5,9', 'line 2: video y1, expression 0 has an earl')):
        spans.write_text(line)
        with pytest.raises(ValueError, match=message):
            build('yourvos', 'test_dataloader', root)


def test_own_folders(tmp_path):
    names = [f'f{t}' for t in range(miniature.FRAMES)]
    for video, suffix in (('one', '.jpg'), ('two', '.png')):
        miniature.write_images(tmp_path / 'frames' / video, names,
                               miniature.pictures(MAPS), suffix)
    miniature.write_palette(tmp_path / 'masks/one', names, MAPS)
    # a single object as 0 and 255
    miniature.write_palette(
        tmp_path / 'masks/two', names, (MAPS == 1).astype(np.uint8) * 255)
    table = tmp_path / 'sentences.csv'
    table.write_text('video,object,sentence,type\n'
                     'one,1 2,"both, together",plural\n'
                     'one,,an elephant,\n'
                     'two,1,the red one,\n')
    convert = converter('custom')
    paths = (tmp_path / 'frames', tmp_path / 'masks', table)
    convert(*paths, tmp_path / 'out', 'valid', link=True)
    dataset = build('ref_youtube_vos', 'val_dataloader', tmp_path / 'out')
    one, two = (dataset[i]['data_samples'] for i in range(2))
    assert one.obj_ids == [['1', '2'], []] and one.type_ids[0] == 'plural'
    np.testing.assert_array_equal(
        one.mask_source.read(['1', '2'], 3), MAPS[3] > 0)
    np.testing.assert_array_equal(two.mask_source.read(['1'], 3), MAPS[3] == 1)

    # one of the two videos held out, and both splits read by one data_root
    convert(*paths, tmp_path / 'parts', 'train', link=True, hold_out=0.5)
    valid = build('custom', 'val_dataloader', tmp_path / 'parts')
    assert len(valid) == 1
    held = valid.get_data_info(0)['video_id']
    train = build('custom', 'train_dataloader', tmp_path / 'parts')
    trained = {train.get_data_info(i)['video_id'] for i in range(len(train))}
    assert trained == {'one', 'two'} - {held}
    for share, message in ((1, 'expected at least 0'), (0.8, 'leaves none')):
        with pytest.raises(ValueError, match=message):
            convert(*paths, tmp_path / 'x', 'train', False, hold_out=share)
    with pytest.raises(ValueError, match='name another split'):
        convert(*paths, tmp_path / 'x', 'valid', False, hold_out=0.5)

    table.write_text('video,object,sentence\none,3,the third\n')
    with pytest.raises(ValueError, match='object 3, but its masks hold .1, 2'):
        convert(*paths, tmp_path / 'out', 'train', link=False)
    assert not (tmp_path / 'out/train').exists()  # nothing half-written

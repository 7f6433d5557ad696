"""Own data: folders, video files and exports of annotation programs."""
import json
import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import pycocotools.mask as mask_utils
import pytest
from PIL import Image

from mmrvos.datasets import RefYoutubeVOSDataset
from mmrvos.datasets.annotation_files import load_json
from mmrvos.datasets.own_data import assign_splits, parse_shares, read_export

from . import miniature
from .test_benchmarks import REPO, build, converter

MAPS = miniature.label_maps(4)
PICTURES = miniature.pictures(MAPS)
NAMES = [f'{t:05d}' for t in range(4)]


@pytest.fixture(scope='module')
def convert():
    return converter('custom')


@pytest.fixture
def frames(tmp_path) -> Path:
    for video in ('one', 'two'):
        miniature.write_images(tmp_path / 'frames' / video,
                               NAMES, PICTURES)
    return tmp_path / 'frames'


@pytest.fixture
def masks(tmp_path) -> Path:
    for video in ('one', 'two'):
        folder = tmp_path / 'masks' / video
        folder.mkdir(parents=True)
        for name, labels in zip(NAMES, MAPS, strict=True):
            Image.fromarray(labels).save(folder / f'{name}.png')
    return tmp_path / 'masks'


def write_table(path: Path, *rows: str,
                header: str = 'video,object,sentence') -> Path:
    path.write_text('\n'.join([header, *rows]))
    return path


def read(root: Path, split: str = 'train') -> dict[str, dict]:
    """{video: its dict} of a converted split."""
    dataset = RefYoutubeVOSDataset(
        f'meta_expressions/{split}/meta_expressions.json',
        data_root=str(root),
        data_prefix=dict(img=f'{split}/JPEGImages',
                         mask=f'{split}/Annotations'),
        test_mode=True)
    return {v['video_id']: v for v in dataset.load_videos()}


def masks_of(video: dict, *ids: str) -> np.ndarray:
    source = video['mask_source']
    return np.stack([source.read(ids, t)
                     for t in range(len(video['frame_names']))])


# ------------------------------------------------------------------- splits


def test_splits_of_a_table(convert, frames, masks, tmp_path):
    table = write_table(
        tmp_path / 't.csv', 'one,1,the red one,', 'two,2,the blue one,test',
        header='video,object,sentence,split')
    convert(frames, masks, table, tmp_path / 'out', 'train', True)
    assert set(read(tmp_path / 'out')) == {'one'}
    assert set(read(tmp_path / 'out', 'test')) == {'two'}
    table = write_table(
        table, 'one,1,the red one,train', 'one,1,it,test',
        header='video,object,sentence,split')
    with pytest.raises(ValueError, match=r"line 3: video one is in split 'te"):
        convert(frames, masks, table, tmp_path / 'out2', 'train', True)


def test_shares_of_several_splits():
    videos = [f'v{i}' for i in range(20)]
    shares = parse_shares(['valid=0.2', 'test=0.1'])
    splits = assign_splits(videos, 'train', shares, {'v3': 'test'})
    assert {k: len(v) for k, v in splits.items()} == dict(
        train=13, valid=4, test=3)
    assert 'v3' in splits['test']
    assert sorted(sum(splits.values(), [])) == sorted(videos)
    assert assign_splits(videos[::-1], 'train', shares, {'v3': 'test'})[
        'valid'] == [v for v in videos[::-1] if v in splits['valid']]
    assert parse_shares(['0.3']) == dict(valid=0.3)
    for values, message in ((['x'], 'expected a share'),
                            (['0.1', 'valid=0.2'], 'twice'),
                            (['../x=0.1'], 'expected a relative name')):
        with pytest.raises(ValueError, match=message):
            parse_shares(values)


def test_shares_of_a_table_that_names_splits():
    given = dict(a='train', b='valid')
    splits = dict(train=['a'], valid=['b'])
    assert assign_splits(['a', 'b'], 'train', 0.25, given) == splits
    # a single video without a split
    assert assign_splits(['a', 'c'], 'train', 0.25, dict(a='train')) == dict(
        train=['a'], valid=['c'])
    with pytest.raises(ValueError, match='leaves none for valid: every video '
                       'has a split in the table, so leave out --hold-out'):
        assign_splits(['a'], 'train', 0.25, dict(a='train'))
    with pytest.raises(ValueError, match='of 1 videos .* none for test'):
        assign_splits(['a', 'c'], 'train', dict(valid=0.1, test=0.1),
                      dict(a='train'))


@pytest.mark.parametrize('loader', ['train', 'val', 'test'])
def test_data_that_were_never_converted(tmp_path, loader):
    with pytest.raises(FileNotFoundError, match='is missing') as error:
        build('custom', f'{loader}_dataloader', tmp_path)
    assert 'tools/dataset_converters/custom.py' in str(error.value)
    assert 'docs/own_data.md' in str(error.value)
    assert 'YouTube' not in str(error.value)


# ------------------------------------------------------------------- videos


def test_video_files(convert, masks, tmp_path):
    """Masks of some frames of a video file; the number is the index."""
    (tmp_path / 'in').mkdir()
    writer = cv2.VideoWriter(
        str(tmp_path / 'in/one.mp4'), cv2.VideoWriter_fourcc(*'mp4v'), 6,
        PICTURES.shape[2:0:-1])
    for picture in PICTURES:
        writer.write(picture[..., ::-1])
    writer.release()
    (masks / 'one/00001.png').unlink()
    table = write_table(tmp_path / 't.csv', 'one,1,the red one')
    with pytest.raises(FileNotFoundError, match='frame 00001 has no mask. --'):
        convert(tmp_path / 'in', masks, table, tmp_path / 'out', 'train',
                False)
    convert(tmp_path / 'in', masks, table, tmp_path / 'out', 'train', False,
            annotated_only=True)
    video = read(tmp_path / 'out')['one']
    assert video['frame_names'] == ['00000', '00002', '00003']
    np.testing.assert_array_equal(masks_of(video, '1'), MAPS[[0, 2, 3]] == 1)
    for name in video['frame_names']:
        image = np.asarray(Image.open(f'{video["img_dir"]}/{name}.jpg'))
        assert np.abs(image.astype(int) - PICTURES[int(name)]).mean() < 12
    convert(tmp_path / 'in', masks, table, tmp_path / 'half', 'train', False,
            annotated_only=True, every=2)
    assert read(tmp_path / 'half')['one']['frame_names'] == ['00000', '00003']
    for number in (1, 7):
        Image.fromarray(MAPS[0]).save(masks / f'one/{number:05d}.png')
    with pytest.raises(ValueError, match='ends after 4 frames, frame 7'):
        convert(tmp_path / 'in', masks, table, tmp_path / 'more', 'train',
                False, annotated_only=True)
    assert not (tmp_path / 'more/train').exists()


# ------------------------------------------------------------------ exports


def polygon(mask: np.ndarray) -> list[float]:
    """The corners of a rectangular mask."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    x1, x2 = int(columns[0]), int(columns[-1]) + 1
    y1, y2 = int(rows[0]), int(rows[-1]) + 1
    return [x1, y1, x2, y1, x2, y2, x1, y2]


def coco_file(**first_track) -> dict:
    """Two frames per video; object 1 as polygon, 2 as uncompressed RLE."""
    images, annotations = [], []
    for v, video in enumerate(('one', 'two')):
        for t in (2, 3):
            images.append(dict(
                id=len(images), file_name=f'{video}/{NAMES[t]}.jpg',
                height=48, width=64))
            flat = (MAPS[t] == 2).ravel(order='F').astype(np.uint8)
            edges = np.flatnonzero(np.diff(flat, prepend=0))
            counts = np.diff([0, *edges, flat.size]).tolist()
            annotations += [
                dict(id=2 * len(images), image_id=len(images) - 1,
                     category_id=5, segmentation=[polygon(MAPS[t] == 1)],
                     attributes=dict(first_track,
                                     sentence='the red one' if v else '')),
                dict(id=2 * len(images) + 1, image_id=len(images) - 1,
                     category_id=6, iscrowd=1,
                     segmentation=dict(size=[48, 64], counts=counts)),
            ]
    return dict(images=images, annotations=annotations, categories=[
        dict(id=5, name='red box'), dict(id=6, name='blue')])


def test_coco(convert, frames, tmp_path):
    path = tmp_path / 'coco.json'
    path.write_text(json.dumps(coco_file()), encoding='utf-8-sig')
    convert(frames, None, None, tmp_path / 'out', 'train', True,
            annotations=path, format='coco')
    videos = read(tmp_path / 'out')
    assert set(videos) == {'two'}  # the only one with a sentence
    assert videos['two']['frame_names'] == NAMES[2:]
    assert [e['text'] for e in videos['two']['expressions']] == ['the red one']
    np.testing.assert_array_equal(masks_of(videos['two'], '1'), MAPS[2:] == 1)
    np.testing.assert_array_equal(masks_of(videos['two'], '2'), MAPS[2:] == 2)

    table = write_table(tmp_path / 't.csv', 'one,red_box blue,both',
                        'two,blue,the blue one')
    convert(frames, None, table, tmp_path / 'table', 'train', True,
            annotations=path, format='coco')
    one = read(tmp_path / 'table')['one']
    np.testing.assert_array_equal(
        masks_of(one, *one['expressions'][0]['obj_ids']), MAPS[2:] > 0)
    for rows, message in (
        (['one,green,x'], "'x' names object 'green', but its objects are red"),
        (['three,blue,x'], "no video 'three'.*its videos are one, two")):
        with pytest.raises(ValueError, match=message):
            convert(frames, None, write_table(table, *rows),
                    tmp_path / 'bad', 'train', True, annotations=path,
                    format='coco')


def test_objects_of_coco(tmp_path):
    path = tmp_path / 'coco.json'
    content = coco_file(track_id=7)
    path.write_text(json.dumps(content))
    video, = read_export('coco', path)
    assert video.objects == ('7', 'blue')
    extra = dict(content['annotations'][1], id=99)
    content['annotations'].append(extra)
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="several annotations of 'blue' and"):
        read_export('coco', path)
    for key, value, message in (
        ('image_id', 99, 'image_id 99, which is not'),
        ('category_id', 1, 'category_id 1, which is not'),
        ('segmentation', [], 'has no segmentation'),
        ('segmentation', [[1, 2]], 'expected a list of x, y'),
        ('segmentation', dict(size=[4, 4], counts=[16]),
         'RLE of size .4, 4., expected .48, 64')):
        content['annotations'] = [extra | {key: value}]
        path.write_text(json.dumps(content))
        with pytest.raises(ValueError, match=message):
            read_export('coco', path)
    content = coco_file()
    content['images'][1]['id'] = 0
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match='00003.jpg has id 0, and so has one'):
        read_export('coco', path)
    content = coco_file()
    for annotation in content['annotations']:
        annotation.pop('attributes', None)
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r'no sentences.*one \(red_box, blue'):
        read_export('coco', path)


@pytest.mark.parametrize('key', ['categories', 'videos'])
def test_ids_of_coco_are_different(tmp_path, key):
    content = coco_file(track_id=1)
    content['videos'] = [dict(id=1, name='one')]
    content[key].append(content[key][0])
    path = tmp_path / 'coco.json'
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match='expected different ids'):
        read_export('coco', path)


def encode(mask: np.ndarray) -> dict:
    rle = mask_utils.encode(np.asfortranarray(mask.astype(np.uint8)))
    return dict(rle, counts=rle['counts'].decode())


def test_youtube_vis(convert, frames, tmp_path):
    content = dict(
        videos=[dict(id=3, height=48, width=64,
                     file_names=[f'one/{n}.jpg' for n in NAMES])],
        annotations=[
            dict(id=40 + k, video_id=3, category_id=1,
                 expressions=[f'object {k}'],
                 segmentations=[
                     encode(m == k) if (m == k).any() else None
                     for m in MAPS])
            for k in (1, 2)
        ])
    path = tmp_path / 'ytvis.json'
    path.write_text(json.dumps(content))
    convert(frames, None, None, tmp_path / 'out', 'train', True,
            annotations=path, format='youtube-vis')
    one = read(tmp_path / 'out')['one']
    assert [e['text'] for e in one['expressions']] == ['object 1', 'object 2']
    for k in ('1', '2'):
        np.testing.assert_array_equal(masks_of(one, k), int(k) == MAPS)
    (frames / 'one/00002.jpg').unlink()
    with pytest.raises(FileNotFoundError, match=r'00002.jpg is missing: --fr'):
        convert(frames, None, None, tmp_path / 'x', 'train', True,
                annotations=path, format='youtube-vis')
    content['annotations'][0]['segmentations'].pop()
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match='annotation 41 has 3 segmentations'):
        read_export('youtube-vis', path)


def test_mevis(convert, tmp_path):
    miniature.mevis(tmp_path / 'mevis')
    split = next(p.parent for p in (tmp_path / 'mevis').glob(
        '*/mask_dict.json'))
    convert(split / 'JPEGImages', None, None, tmp_path / 'out', 'train', True,
            annotations=split / 'meta_expressions.json', format='mevis')
    listed = load_json(split / 'meta_expressions.json')['videos']
    videos = read(tmp_path / 'out')
    assert set(videos) == set(listed)
    rles = load_json(split / 'mask_dict.json')
    for name, video in videos.items():
        for e, old in zip(video['expressions'],
                          listed[name]['expressions'].values(), strict=True):
            assert e['text'] == old['exp']
            expected = sum(
                np.stack([mask_utils.decode(r) if r else np.zeros(
                    miniature.label_maps().shape[1:])
                    for r in rles[str(i)][:len(video['frame_names'])]])
                for i in old['anno_id'])
            np.testing.assert_array_equal(
                masks_of(video, *e['obj_ids']), expected > 0)


def encode_brush(mask: np.ndarray) -> list[int]:
    """Label Studio's code: single words and runs of up to 8."""
    values = np.zeros((*mask.shape, 4), dtype=np.uint8)
    values[..., 3] = 255 * mask
    values = values.ravel()
    bits = f'{values.size:032b}{7:05b}{2:04b}{2:04b}{2:04b}{2:04b}'
    start = 0
    while start < values.size:
        part = values[start:start + 8]
        same = (part == part[0]).all()
        bits += f'{int(same)}00{len(part) - 1:03b}'
        bits += ''.join(f'{v:08b}' for v in (part[:1] if same else part))
        start += len(part)
    bits += '0' * (-len(bits) % 8)
    return [int(bits[i:i + 8], 2) for i in range(0, len(bits), 8)]


def label_studio_file() -> list[dict]:
    tasks = []
    for t, name in enumerate(NAMES):
        size = dict(original_height=48, original_width=64)
        points = np.reshape(polygon(MAPS[t] == 1), (-1, 2)) / [.64, .48]
        result = [
            dict(size, id=f'a{t}', type='polygonlabels',
                 value=dict(points=points.tolist(),
                            polygonlabels=['red box'])),
            dict(id=f'a{t}', type='textarea',
                 value=dict(text=['the red one'])),
        ]
        if (MAPS[t] == 2).any():
            result.append(
                dict(size, id=f'b{t}', type='brushlabels',
                     value=dict(format='rle', brushlabels=['blue'],
                                rle=encode_brush(MAPS[t] == 2))))
        tasks.append(
            dict(data=dict(image=f'/data/local-files/?d=in/one/{name}.jpg'),
                 annotations=[dict(result=result),
                              dict(was_cancelled=True, result=None)]))
    return tasks


def test_label_studio(convert, frames, tmp_path):
    path = tmp_path / 'project.json'
    tasks = label_studio_file()
    tasks.reverse()  # tasks are not in order of time
    path.write_text(json.dumps(tasks))
    convert(frames, None, None, tmp_path / 'out', 'train', True,
            annotations=path, format='label-studio')
    one = read(tmp_path / 'out')['one']
    assert one['frame_names'] == NAMES
    assert [e['text'] for e in one['expressions']] == ['the red one']
    red, = one['expressions'][0]['obj_ids']
    np.testing.assert_array_equal(masks_of(one, red), MAPS == 1)
    other = {'1': '2', '2': '1'}[red]
    np.testing.assert_array_equal(masks_of(one, other), MAPS == 2)

    code = tasks[0]['annotations'][0]['result'][-1]['value']['rle']
    tasks[0]['annotations'][0]['result'][-1]['value']['rle'] = code[:60]
    path.write_text(json.dumps(tasks))
    with pytest.raises(ValueError, match='00003.jpg: a brush mask.*cut short'):
        read_export('label-studio', path)
    tasks[0]['annotations'][0]['result'][-1]['type'] = 'rectanglelabels'
    path.write_text(json.dumps(tasks))
    with pytest.raises(ValueError, match='contains rectanglelabels, expected'):
        read_export('label-studio', path)


def two_images_of_one_name() -> dict:
    content = coco_file()
    content['images'][1]['file_name'] = content['images'][0]['file_name']
    return content


def two_videos_in_one_folder() -> dict:
    return dict(
        videos=[dict(id=i, height=48, width=64,
                     file_names=[f'images/{i}_{n}.jpg' for n in NAMES])
                for i in range(2)],
        annotations=[])


def two_folders_of_one_name() -> list[dict]:
    tasks = label_studio_file()
    tasks[1]['data']['image'] = tasks[0]['data']['image'].replace('in/', 'b/')
    return tasks


@pytest.mark.parametrize('name, content, message', [
    ('coco', two_images_of_one_name, 'has image one/0000.*jpg twice'),
    ('youtube-vis', two_videos_in_one_folder, "two videos with the name 'ima"),
    ('label-studio', two_folders_of_one_name, 'has image one/00000.jpg twice'),
])
def test_names_that_stand_for_two_things(tmp_path, name, content, message):
    """Their masks would be united, or one of the videos lost."""
    path = tmp_path / 'export.json'
    path.write_text(json.dumps(content()))
    with pytest.raises(ValueError, match=message):
        read_export(name, path)


def test_objects_that_overlap(tmp_path):
    """A smaller object is drawn over a larger one."""
    large, small = np.zeros((2, 8, 8))
    large[:6], small[4:7, :2] = 1, 1
    path = tmp_path / 'v.json'
    path.write_text(json.dumps(dict(
        videos=[dict(id=1, height=8, width=8, file_names=['v/0.jpg'])],
        annotations=[dict(id=i, video_id=1, sentence=f's{i}',
                          segmentations=[encode(m)])
                     for i, m in enumerate((small, large))])))
    video, = read_export('youtube-vis', path)
    labels, covered = video.label_map(0)
    assert covered == 4
    np.testing.assert_array_equal(labels == 1, small == 1)
    np.testing.assert_array_equal(labels == 2, (large == 1) & (small == 0))


@pytest.mark.parametrize('options, message', [
    ('', '--masks is missing'),
    ('--masks m --sentences s --annotations a', 'needs --format, one'),
    ('--format coco', 'coco needs --annotations'),
    ('--format coco --annotations a --masks m', '--masks is for folders'),
    ('--format coco --annotations a --annotated-only', '--annotated-only is'),
    ('--every 0', '--every is 0'),
])
def test_options_that_do_not_fit(monkeypatch, capsys, options, message):
    monkeypatch.setattr(
        sys, 'argv',
        ['custom.py', '--frames', 'f', '--out', 'o', *options.split()])
    with pytest.raises(SystemExit, match='2'):
        runpy.run_path(
            str(REPO / 'tools/dataset_converters/custom.py'),
            run_name='__main__')
    assert message in capsys.readouterr().err

"""The benchmarks in miniature, each in its own file formats."""
import csv
import json
import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import pycocotools.mask as mask_utils
from PIL import Image
from scipy.io import savemat

HEIGHT, WIDTH, FRAMES = 48, 64, 7


def label_maps(num_frames: int = FRAMES) -> np.ndarray:
    """(T, H, W) uint8: object 1 moves right, object 2 comes in frame 2."""
    maps = np.zeros((num_frames, HEIGHT, WIDTH), dtype=np.uint8)
    for t in range(num_frames):
        maps[t, 8:20, 4 + 5 * t:18 + 5 * t] = 1
        if t >= 2:
            maps[t, 28:40, 30:50] = 2
    return maps


def pictures(maps: np.ndarray) -> np.ndarray:
    """(T, H, W, 3) uint8 RGB that show the label maps."""
    colours = np.array([[90, 100, 110], [220, 40, 40], [40, 60, 200]])
    return colours[np.minimum(maps, 2)].astype(np.uint8)


def write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def write_images(folder: Path, names: Iterable[str], frames: np.ndarray,
                 suffix: str = '.jpg') -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in zip(names, frames, strict=True):
        Image.fromarray(frame).save(folder / f'{name}{suffix}', quality=95)


def write_palette(folder: Path, names: Iterable[str],
                  maps: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, label_map in zip(names, maps, strict=True):
        image = Image.fromarray(label_map, mode='P')
        # a short palette would be stored with 2 bits, and 255 lost
        image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0] + 759 * [128])
        image.save(folder / f'{name}.png')


def encode(mask: np.ndarray) -> dict | None:
    """COCO RLE with counts as text, None if empty, as MeViS has it."""
    if not mask.any():
        return None
    rle = mask_utils.encode(np.asfortranarray(mask, dtype=np.uint8))
    return dict(size=rle['size'], counts=rle['counts'].decode())


def ref_youtube_vos(root: Path, videos: Iterable[str] = ('aaa', 'bbb'),
                    split: str = 'train') -> Path:
    maps = label_maps()
    names = [f'{5 * t:05d}' for t in range(FRAMES)]
    listed, objects = {}, {}
    for video in videos:
        write_images(root / split / 'JPEGImages' / video, names,
                     pictures(maps))
        write_palette(root / split / 'Annotations' / video, names, maps)
        listed[video] = dict(
            expressions={
                '0': dict(exp='The red one on the  LEFT', obj_id='1'),
                '1': dict(
                    exp='a bright red block that moves to the right',
                    obj_id='1'),
                '2': dict(exp='the blue one', obj_id='2')
            },
            # not in order: data sets sort them
            frames=names[::-1])
        objects[video] = dict(objects={
            '1': dict(category='dog'),
            '2': dict(category='zebra')
        })
    write_json(root / f'meta_expressions/{split}/meta_expressions.json',
               dict(videos=listed))
    write_json(root / split / 'meta.json', dict(videos=objects))
    return root


def davis(root: Path) -> Path:
    """DAVIS and its sentences before conversion, with all their oddities."""
    maps, names = label_maps(), [f'{t:05d}' for t in range(FRAMES)]
    maps[:, :2] = 255  # void
    for video in ('classic-car', 'swan', 'dogs-scale'):
        write_images(root / 'DAVIS/JPEGImages/480p' / video, names,
                     pictures(maps))
        write_palette(root / 'DAVIS/Annotations_unsupervised/480p' / video,
                      names, maps)
    sets = root / 'DAVIS/ImageSets/2017'
    sets.mkdir(parents=True)
    (sets / 'train.txt').write_text('classic-car\n')
    (sets / 'val.txt').write_text('dogs-scale\nswan\n')
    write_json(
        root / 'DAVIS/davis_semantics.json', {
            v: {'1': 'car', '2': 'dog'}
            for v in ('classic-car', 'swan', 'dogs-scale')
        })
    texts = root / 'davis_text_annotations'
    texts.mkdir()
    for a, (name, encoding) in enumerate((
        ('Davis17_annot1', 'utf-8'), ('Davis17_annot1_full_video', 'utf-8'),
        ('Davis17_annot2', 'latin-1'),
        ('Davis17_annot2_full_video', 'latin-1'))):
        rows = [
            f'{video} {obj} "caf\u00e9  object {obj} by {a}"'
            for video in ('clasic-car', 'dog-scale', 'swan')
            for obj in ('2', '1')
        ]
        (texts / f'{name}.txt').write_text(
            '\n'.join(rows) + '\n', encoding=encoding)
    return root


def a2d(root: Path) -> Path:
    maps = label_maps()
    clips = root / 'Release/clips320H'
    clips.mkdir(parents=True)
    texts = root / 'text_annotations'
    videos = {'vid_a': 0, 'vid_b': 1, 'vid_c': 1}
    with open(root / 'Release/videoset.csv', 'w', newline='') as file:
        for video, subset in videos.items():
            csv.writer(file).writerow([
                video, 11, '0:00', '0:01', HEIGHT, WIDTH, FRAMES, 2, subset
            ])
    for video in videos:
        writer = cv2.VideoWriter(
            str(clips / f'{video}.mp4'), cv2.VideoWriter_fourcc(*'mp4v'), 10,
            (WIDTH, HEIGHT))
        for picture in pictures(maps):
            writer.write(np.ascontiguousarray(picture[..., ::-1]))
        writer.release()
        for frame in (1, 4):  # numbered from 1; the first shows one object
            present = [i for i in (1, 2) if (maps[frame - 1] == i).any()]
            masks = np.stack([maps[frame - 1] == i for i in present])
            boxes = np.array([
                [m.any(0).argmax(), m.any(1).argmax(),
                 WIDTH - m.any(0)[::-1].argmax(),
                 HEIGHT - m.any(1)[::-1].argmax()] for m in masks
            ]).T
            folder = texts / 'a2d_annotation_with_instances' / video
            folder.mkdir(parents=True, exist_ok=True)
            with h5py.File(folder / f'{frame:05d}.h5', 'w') as file:
                # Matlab's order, and no first axis for a single instance
                stored = masks.transpose(0, 2, 1).astype(np.uint8)
                file['reMask'] = stored[0] if len(present) == 1 else stored
                file['reBBox'] = boxes.astype(float)
                file['instance'] = np.array(
                    [[i - 1 for i in present]], dtype=float)
    (texts / 'a2d_missed_videos.txt').write_text('vid_c\n')
    (texts / 'a2d_annotation.txt').write_text(
        'video_id,instance_id,query\n'
        'vid_a,0,The Red thing\nvid_a,1,a blue thing\n'
        'vid_b,0,red on the left\nvid_b,1,blue\nvid_b,1 (copy),blue\n'
        'vid_c,0,never used\n')
    return root


def jhmdb(root: Path, samples: bool = True) -> Path:
    maps, rows = label_maps(), []
    for action, video in (('clap', 'v1'), ('jump', 'v2')):
        folder = root / 'Rename_Images' / action / video
        write_images(folder, [f'{t + 1:05d}' for t in range(FRAMES)],
                     pictures(maps), '.png')
        target = root / 'puppet_mask' / action / video / 'puppet_mask.mat'
        target.parent.mkdir(parents=True)
        # one mask less than frames: the last frame is not usable
        savemat(target, dict(
            part_mask=(maps[:-1] == 1).transpose(1, 2, 0).astype(np.uint8)))
        for frame in (1, 3, 6):
            rows.append([
                video, f'./jhmdb_sentences/Rename_Images/{action}/{video}/'
                f'{frame:05d}.png', f'./jhmdb_sentences/puppet_mask/{action}/'
                f'{video}/puppet_mask.mat', FRAMES - 1, f'Man in {video}'
            ])
    (root / 'jhmdb_annotation.txt').write_text(
        'video_id,query\nv1,Man in v1\nv2,Man in v2\n')
    if samples:
        write_json(root / 'jhmdb_sentences_samples_metadata.json', rows)
    return root


def refcoco(root: Path) -> Path:
    """Two images with three objects; polygons, and one crowd as RLE."""
    write_images(root / 'train2014', ['COCO_train2014_000000000001',
                                      'COCO_train2014_000000000002'],
                 pictures(label_maps()[[3, 4]]))
    images = [
        dict(id=10 * i, file_name=f'COCO_train2014_00000000000{i}.jpg',
             height=HEIGHT, width=WIDTH) for i in (1, 2)
    ]
    square = [4, 6, 24, 6, 24, 26, 4, 26]
    annotations = [
        dict(id=101, image_id=10, category_id=18, iscrowd=0, area=400,
             bbox=[4, 6, 20, 20], segmentation=[square]),
        dict(id=102, image_id=10, category_id=1, iscrowd=0, area=500,
             bbox=[50, 30, 30, 10],  # runs out of the image
             segmentation=[[50, 30, 63, 30, 63, 40, 50, 40]]),
        dict(id=201, image_id=20, category_id=1, iscrowd=1, area=300,
             bbox=[0, 0, 9, 9],
             segmentation=dict(
                 size=[HEIGHT, WIDTH], counts=[0, 9, HEIGHT * WIDTH - 9]))
    ]
    sentences = [
        [dict(sent_id=1, sent='dog on left', raw='Dog on left', tokens=[]),
         dict(sent_id=2, sent='the dog', raw='the dog', tokens=[])],
        [dict(sent_id=3, sent='person right', raw='person right', tokens=[])],
        [dict(sent_id=4, sent='the crowd', raw='the crowd', tokens=[])]
    ]
    for name, author in (('refcoco', 'unc'), ('refcoco+', 'unc'),
                         ('refcocog', 'umd')):
        write_json(root / name / 'instances.json', dict(
            images=images, annotations=annotations,
            categories=[dict(id=1, name='person'), dict(id=18, name='dog')]))
        refs = [
            dict(ref_id=k, ann_id=a['id'], image_id=a['image_id'],
                 category_id=a['category_id'], split='train', sent_ids=[],
                 file_name='', sentences=sentences[k])
            for k, a in enumerate(annotations)
        ]
        refs.append(dict(refs[0], ref_id=9, split='val'))
        with open(root / name / f'refs({author}).p', 'wb') as file:
            pickle.dump(refs, file, protocol=2)
    return root


def mevis(root: Path, split: str = 'train') -> Path:
    maps, names = label_maps(), [f'{t:05d}' for t in range(FRAMES)]
    write_images(root / split / 'JPEGImages' / 'm1', names, pictures(maps))
    write_json(root / split / 'mask_dict.json', {
        str(70 + i): [encode(m == i) for m in maps] for i in (1, 2)
    })
    write_json(root / split / 'meta_expressions.json', dict(videos=dict(
        m1=dict(frames=names, expressions={
            '0': dict(exp='both blocks', obj_id=[0, 1], anno_id=[71, 72]),
            '1': dict(exp='the blue one', obj_id=[1], anno_id=[72])
        }))))
    return root


def revos(root: Path) -> Path:
    maps, names = label_maps(), [f'{t:05d}' for t in range(FRAMES)]
    for video in ('src/r1', 'src/r2'):
        write_images(root / 'JPEGImages' / video, names, pictures(maps))
    write_json(root / 'mask_dict.json',
               {'5': [encode(m == 1) for m in maps]})
    expressions = {
        '0': dict(exp='the red one', obj_id=[0], anno_id=[5], type_id=0),
        '1': dict(exp='what would stop a car?', obj_id=[0], anno_id=[5],
                  type_id=1),
        '2': dict(exp='the elephant', obj_id=[0], anno_id=[5], type_id=2)
    }
    write_json(root / 'meta_expressions_valid_.json', dict(videos={
        'src/r1': dict(frames=names, expressions=expressions),
        'src/r2': dict(frames=names, expressions={'0': expressions['2']})
    }))
    return root


def ref_sav(root: Path) -> Path:
    maps, names = label_maps(), [f'{4 * t:05d}' for t in range(FRAMES)]
    write_images(root / 'JPEGImages/sav_1', names, pictures(maps))
    write_json(root / 'mask_dict.json',
               {'0': [encode(m == 1) for m in maps]})
    write_json(root / 'meta_expressions_valid.json', dict(videos=dict(
        sav_1=dict(frames=names, expressions={
            '0': dict(exp='a red block that moves from the left to the right',
                      obj_id=[0], anno_id=[0], type_id=0),
            '1': dict(exp='red', obj_id=[0], anno_id=[0], type_id=1)
        }))))
    return root


def interrvos(root: Path) -> Path:
    """Object 1 acts upon object 2; nothing acts in the second sentence."""
    maps, names = label_maps(), [f'{t:05d}' for t in range(FRAMES)]
    write_images(root / 'JPEGImages/i1', names, pictures(maps))
    write_json(root / 'new_mask_dict.json', {
        str(i): [encode(m == i) for m in maps] for i in (1, 2)
    })
    write_json(root / 'new_meta_expressions.json', dict(videos=dict(
        i1=dict(frames=names, expressions={
            '0': {'exp': 'the red one passes the blue one', 'obj_id': [1],
                  'anno_id': [1],
                  'subject/object': dict(
                      anno_id=dict(subject=[1], object=[2]))},
            '1': {'exp': 'both', 'obj_id': [1, 2], 'anno_id': [1, 2],
                  'subject/object': dict(
                      anno_id=dict(subject=[1, 2], object=None))}
        }))))
    return root


def yourvos(root: Path) -> Path:
    """Every fifth frame; the second sentence has its object late."""
    maps, names = label_maps(), [f'{5 * t:05d}' for t in range(FRAMES)]
    write_images(root / 'test/JPEGImages/y1', names, pictures(maps))
    for exp_id, value in (('0', 1), ('1', 2)):
        folder = root / 'test/Annotations/y1' / exp_id
        folder.mkdir(parents=True)
        for name, label_map in zip(names, maps, strict=True):
            mask = (label_map == value).astype(np.uint8)
            if mask.any():  # absence is a missing file
                Image.fromarray(mask).save(folder / f'{name}.png')
    write_json(root / 'test/meta_expressions.json', dict(videos=dict(
        y1=dict(frames=names, expressions={
            '0': dict(exp='the red one'), '1': dict(exp='what comes later')
        }))))
    (root / 'test/spans.txt').write_text('y1,0:0,30\ny1,1:10,30\n')
    return root


def long_rvos(root: Path, split: str = 'valid') -> Path:
    maps, names = label_maps(), [f'{t:05d}' for t in range(FRAMES)]
    write_images(root / split / 'JPEGImages/l1', names, pictures(maps))
    for i in (1, 2):
        folder = root / split / 'Annotations/l1' / str(i)
        folder.mkdir(parents=True)
        for name, label_map in zip(names, maps, strict=True):
            mask = (label_map == i).astype(np.uint8) * 255
            if mask.any():  # absence is a missing file
                Image.fromarray(mask).save(folder / f'{name}.png')
    write_json(root / split / 'meta_expressions.json', dict(videos=dict(
        l1=dict(frames=names, expressions={
            '0': dict(exp='the red one', obj_id='1', type='static'),
            '1': dict(exp='what comes later', obj_id='2', type='dynamic')
        }))))
    return root

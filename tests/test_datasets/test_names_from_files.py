"""Names in annotation files stay in their folders, for reading and writing."""
import json
import os
import pickle
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from mmrvos.datasets.annotation_files import load_json
from mmrvos.datasets.mask_sources import read_a2d_frame, read_puppet_masks
from mmrvos.evaluation.metrics import SubmissionWriter
from mmrvos.evaluation.offline.predictions import (
    PredictionError,
    PredictionFiles,
)
from mmrvos.utils import read_image

from . import miniature
from .test_benchmarks import build, converter

MAPS = miniature.label_maps()
NAMES = [f'{5 * t:05d}' for t in range(miniature.FRAMES)]


def rewrite(path: Path, old: str, new: str) -> None:
    """Replace a string of a JSON file, also where it is a key."""
    text = path.read_text()
    assert json.dumps(old) in text
    path.write_text(text.replace(json.dumps(old), json.dumps(new)))


YTVOS = ('ref_youtube_vos', 'meta_expressions/train/meta_expressions.json')


@pytest.mark.parametrize('new', [
    '../../../secret', '/secret', 'a\\..\\secret', 'C:secret', 'secret\0',
    './secret'
])
@pytest.mark.parametrize('old', ['aaa', '00005', '1'],
                         ids=['video', 'frame', 'expression'])
def test_ytvos_names(tmp_path, old, new):
    root = miniature.ref_youtube_vos(tmp_path)
    rewrite(root / YTVOS[1], old, new)
    with pytest.raises(ValueError, match=r'meta_expressions\.json.*secret'):
        build('ref_youtube_vos', 'train_dataloader', root)


@pytest.mark.parametrize(('name', 'file', 'old'), [
    ('mevis', 'train/meta_expressions.json', 'm1'),
    ('mevis', 'train/meta_expressions.json', '00003'),
])
def test_mevis_names(tmp_path, name, file, old):
    root = miniature.mevis(tmp_path)
    rewrite(root / file, old, '../../secret')
    with pytest.raises(ValueError, match='secret'):
        build(name, 'train_dataloader', root)


def test_frames_that_give_the_size_are_in_the_folder(tmp_path):
    """Without a target, the first frame of a MeViS video gives the size."""
    root = miniature.revos(tmp_path)
    rewrite(root / 'meta_expressions_valid_.json', 'src/r2', '../../secret')
    with pytest.raises(ValueError, match='secret'):
        build('revos', 'val_dataloader', root)


def test_objects_of_long_rvos(tmp_path):
    root = miniature.long_rvos(tmp_path)
    rewrite(root / 'valid/meta_expressions.json', '2', '../../secret')
    with pytest.raises(ValueError, match='of video l1: object id .*secret'):
        build('long_rvos', 'val_dataloader', root)


def test_images_of_refcoco(tmp_path):
    root = miniature.refcoco(tmp_path)
    path = root / 'refcoco/instances.json'
    rewrite(path, 'COCO_train2014_000000000001.jpg', '../secret.jpg')
    converter('refcoco')(root, ['refcoco'])
    with pytest.raises(ValueError, match='file_name.*secret'):
        build('refcoco', 'train_dataloader', root)


@pytest.mark.parametrize('part', [1, 2], ids=['frame', 'mask'])
def test_samples_of_jhmdb(tmp_path, part):
    root = miniature.jhmdb(tmp_path)
    path = root / 'jhmdb_sentences_samples_metadata.json'
    rows = load_json(path)
    suffix = Path(rows[0][part]).name
    rows[0][part] = f'./jhmdb_sentences/../../secret/{suffix}'
    miniature.write_json(path, rows)
    with pytest.raises(ValueError, match='secret'):
        build('jhmdb_sentences', 'test_dataloader', root)
    with pytest.raises(ValueError, match='secret'):
        converter('jhmdb_sentences')(root, tmp_path / 'out', None)


def test_videos_of_a2d(tmp_path):
    root = miniature.a2d(tmp_path)
    for name in ('Release/videoset.csv',
                 'text_annotations/a2d_annotation.txt'):
        path = root / name
        path.write_text(path.read_text().replace('vid_b', '../secret'))
    with pytest.raises(ValueError, match='secret'):
        converter('a2d_sentences')(root, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_videos_of_davis(tmp_path):
    root = miniature.davis(tmp_path / 'in')
    (root / 'DAVIS/ImageSets/2017/val.txt').write_text('swan ../climbed\n')
    with pytest.raises(ValueError, match=r'val\.txt.*climbed'):
        converter('ref_davis17')(root, tmp_path / 'out', ['valid'], False)
    assert list((tmp_path / 'out').iterdir()) == []


def custom_source(root: Path, video: str = 'one') -> tuple[Path, ...]:
    """Frames, masks and the table of one video."""
    miniature.write_images(root / 'frames/one', NAMES,
                           miniature.pictures(MAPS))
    miniature.write_palette(root / 'masks/one', NAMES, MAPS)
    table = root / 'sentences.csv'
    table.write_text(f'video,object,sentence\n{video},1,the red one\n')
    return root / 'frames', root / 'masks', table


@pytest.mark.parametrize('video', ['../one', '/one', 'a\\one', 'a/../one'])
def test_videos_of_the_custom_converter(tmp_path, video):
    paths = custom_source(tmp_path / 'in', video)
    with pytest.raises(ValueError, match=r'sentences\.csv, line 2: video'):
        converter('custom')(*paths, tmp_path / 'out', 'train', False)
    assert not (tmp_path / 'out').exists()


def test_custom_names_that_lose_data(tmp_path):
    """0.jpg and 0.png would be written to one file, Dog and dog on Windows."""
    frames, masks, table = custom_source(tmp_path / 'in')
    miniature.write_images(frames / 'one', NAMES[:1],
                           miniature.pictures(MAPS[:1]), '.png')
    with pytest.raises(ValueError, match="'00000' and '00000'"):
        converter('custom')(frames, masks, table, tmp_path / 'out', 'train',
                            False)
    table.write_text('video,object,sentence\none,1,a\nOne,1,b\n')
    with pytest.raises(ValueError, match="'one' and 'One'"):
        converter('custom')(frames, masks, table, tmp_path / 'out', 'train',
                            False)


@pytest.mark.parametrize('split', [
    '../train', '/train', 'a\\b', '', '.', 'meta_expressions', 'x\0'
])
def test_splits_of_the_custom_converter(tmp_path, split):
    paths = custom_source(tmp_path / 'in')
    with pytest.raises(ValueError, match='split'):
        converter('custom')(*paths, tmp_path / 'out', split, False)
    paths[2].write_text(
        f'video,object,sentence,split\none,1,the red one,{split}\n')
    if split:  # an empty cell is the split of the option
        with pytest.raises(ValueError, match='split|control|name|NUL'):
            converter('custom')(*paths, tmp_path / 'out', 'train', False)
    assert not (tmp_path / 'out').exists()


def test_repeated_images_of_refcoco(tmp_path):
    root = miniature.refcoco(tmp_path)
    converter('refcoco')(root, ['refcoco'])
    for path in (root / 'refcoco').glob('instances_*.json'):
        content = load_json(path)
        content['images'] += content['images'][:1]
        miniature.write_json(path, content)
    with pytest.raises(ValueError, match=r'json lists image \d+ twice'):
        build('refcoco', 'train_dataloader', root)


def test_pipes_are_not_read(tmp_path):
    frames, masks, table = custom_source(tmp_path / 'in')
    path = frames / 'one/00003.jpg'
    os.mkfifo(path)
    with pytest.raises(ValueError, match='00003.jpg is a named pipe'):
        converter('custom')(frames, masks, table, tmp_path / 'out', 'train',
                            False)
    with pytest.raises(ValueError, match='00003.jpg is a named pipe'):
        read_image(str(path))
    root = miniature.ref_youtube_vos(tmp_path / 'set')
    (root / YTVOS[1]).unlink()
    os.mkfifo(root / YTVOS[1])
    with pytest.raises(ValueError, match='is a named pipe'):
        build('ref_youtube_vos', 'train_dataloader', root)


# ------------------------------------------------------------- binary formats


@pytest.mark.parametrize('content', [
    b'cos\nsystem\n(S"true"\ntR.', b'\x80\x04\x8c\x05posix\x8c\x06system\x93.',
    b'(S"true"\nios\nsystem\n.', b'(cos\nsystem\nS"true"\no.', b'h\x05.',
    b'', b'\x80\x02K\x01.', pickle.dumps([1])
], ids=[
    'reduce', 'stack global', 'inst', 'obj', 'memo', 'empty', 'number', 'list'
])
def test_pickles_of_refcoco(tmp_path, content):
    root = miniature.refcoco(tmp_path)
    (root / 'refcoco/refs(unc).p').write_bytes(content)
    with pytest.raises(ValueError, match=r'refs\(unc\)\.p'):
        converter('refcoco')(root, ['refcoco'])


def test_h5_files_hold_their_own_masks(tmp_path):
    """HDF5 can read any other file as data, and declare data of any size."""
    secret = tmp_path / 'secret'
    secret.write_bytes(bytes(48))

    def write(name: str, **options) -> str:
        path = tmp_path / f'{name}.h5'
        with h5py.File(path, 'w') as file:
            file['instance'] = np.array([[0.]])
            if 'link' in options:
                file['reMask'] = options['link']
            else:
                file.create_dataset('reMask', dtype='u1', **options)
        return str(path)

    write('other', shape=(6, 8))
    cases = dict(
        link=dict(link=h5py.ExternalLink('other.h5', 'reMask')),
        external=dict(shape=(6, 8), external=[(str(secret), 0, 48)]),
        large=dict(shape=(1, 2**17, 2**17), chunks=True))
    for name, options in cases.items():
        with pytest.raises(ValueError, match=rf'{name}\.h5 cannot be read'):
            read_a2d_frame(write(name, **options))
    assert read_a2d_frame(write('own', shape=(6, 8)))[1].shape == (1, 8, 6)


def test_mat_files_hold_numbers(tmp_path):
    path = tmp_path / 'puppet_mask.mat'
    objects = np.empty((2, 2), dtype=object)
    objects[:] = 'text'
    savemat(path, dict(part_mask=objects))
    with pytest.raises(ValueError, match='not an array of numbers'):
        read_puppet_masks(str(path))
    path.write_bytes(path.read_bytes()[:150])
    with pytest.raises(ValueError, match='cannot be read'):
        read_puppet_masks(str(path))


# ---------------------------------------------------------------- submissions


def sample(video: str, exp: str, frame: str) -> dict:
    rle = miniature.encode(np.ones((4, 4)))
    return dict(
        video_id=video,
        exp_ids=[exp],
        frame_names=[frame],
        pred=dict(masks=[[rle]]))


@pytest.mark.parametrize('layout', ['ytvos', 'mevis'])
@pytest.mark.parametrize('place', [0, 1, 2], ids=['video', 'expr', 'frame'])
@pytest.mark.parametrize('name', ['../../../x', '/x', 'a\\x', 'x\0', 'C:x'])
def test_submissions_stay_in_their_folder(tmp_path, layout, place, name):
    out = tmp_path / 'deep/out'
    writer = SubmissionWriter(layout=layout, out_dir=str(out))
    names = ['v', '0', '00000']
    names[place] = name
    with pytest.raises(ValueError, match='leads out|contains|absolute'):
        writer.process(None, [sample(*names)])
    assert not list(tmp_path.rglob('*'))


def test_submissions_do_not_follow_links_out(tmp_path):
    out, other = tmp_path / 'out', tmp_path / 'other'
    other.mkdir()
    (out / 'v').mkdir(parents=True)
    (out / 'v/0').symlink_to(other)
    writer = SubmissionWriter(layout='mevis', out_dir=str(out))
    with pytest.raises(ValueError, match='through a link'):
        writer.process(None, [sample('v', '0', '00000')])
    assert not list(other.iterdir())


def test_submissions_lose_no_mask(tmp_path):
    """Ids with slashes make sub-folders; two masks never share a path."""
    writer = SubmissionWriter(layout='mevis', out_dir=str(tmp_path / 'out'))
    writer.process(None, [sample('a/b', '0', '00000')])
    writer.process(None, [sample('a/b', '0', '00000')])  # padding of a sampler
    writer.process(None, [sample('A/b', '0', '00000')])
    with pytest.raises(ValueError, match="'a'.*have the same path a/b/0/000"):
        writer.process(None, [sample('a', 'b/0', '00000')])
    writer.compute_metrics(writer.results)
    with zipfile.ZipFile(tmp_path / 'out.zip') as archive:
        assert archive.namelist() == ['A/b/0/00000.png', 'a/b/0/00000.png']


def test_predictions_are_ordinary_files(tmp_path):
    """A pipe or a file beyond the limit is refused when a folder is listed,
    as in a zip."""
    folder = tmp_path / 'pred/a/0'
    folder.mkdir(parents=True)
    os.mkfifo(folder / '00000.png')
    with pytest.raises(PredictionError, match='00000.png is a named pipe'):
        PredictionFiles(tmp_path / 'pred')
    (folder / '00000.png').unlink()
    with open(folder / '00001.png', 'wb') as file:
        file.truncate(10 * 2**30)  # no blocks on the disk
    with pytest.raises(PredictionError, match='00001.png has 10737418240 by'):
        PredictionFiles(tmp_path / 'pred')

"""A small data set of every layout, and predictions that equal it."""
import importlib.util
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pycocotools.mask as mask_utils
import pytest
from PIL import Image

SIZE = (36, 70)
FRAMES = ['00000', '00005', '00010', '00015']
TOOLS = Path(__file__).parents[2] / 'tools' / 'analysis_tools'


def blob(top: int, left: int, height: int = 12, width: int = 15) -> np.ndarray:
    mask = np.zeros(SIZE, dtype=bool)
    mask[top:top + height, left:left + width] = True
    return mask


def label_map(t: int) -> np.ndarray:
    """Two objects; the second leaves in the last frame."""
    labels = np.zeros(SIZE, dtype=np.uint8)
    labels[blob(4 + t, 3 + 2 * t)] = 1
    if t < len(FRAMES) - 1:
        labels[blob(18, 40 - t)] = 2
    return labels


def save(path: Path, labels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(labels.astype(np.uint8)).save(path)


def encode(mask: np.ndarray) -> dict:
    rle = mask_utils.encode(np.asfortranarray(mask, dtype=np.uint8))
    return dict(size=rle['size'], counts=rle['counts'].decode())


def load_tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, TOOLS / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


EXPRESSIONS = {
    '0': dict(exp='the first', obj_id='1', type_id='appearance',
              length='short'),
    '1': dict(exp='the second', obj_id='2', type_id='motion',
              length='short'),
    '2': dict(exp='the second, which leaves', obj_id='2', type_id='motion',
              length='long'),
}


@pytest.fixture
def ytvos(tmp_path: Path) -> Path:
    """``gt`` and ``pred``: two videos, three expressions each."""
    videos = {}
    for video in ('aa', 'bb'):
        videos[video] = dict(frames=FRAMES, expressions=EXPRESSIONS)
        for t, frame in enumerate(FRAMES):
            labels = label_map(t)
            save(tmp_path / f'gt/valid/Annotations/{video}/{frame}.png',
                 labels)
            save(tmp_path / f'gt/valid/JPEGImages/{video}/{frame}.jpg', labels)
            for exp_id, exp in EXPRESSIONS.items():
                save(tmp_path / f'pred/Annotations/{video}/{exp_id}/'
                     f'{frame}.png', 255 * (labels == int(exp['obj_id'])))
    folder = tmp_path / 'gt/meta_expressions/valid'
    folder.mkdir(parents=True)
    (folder / 'meta_expressions.json').write_text(json.dumps(
        dict(videos=videos)))
    return tmp_path


@pytest.fixture
def mevis(tmp_path: Path) -> Path:
    """One expression about both objects, one about the first alone."""
    masks = {
        str(10 * k): [
            encode(label_map(t) == k) if (label_map(t) == k).any() else None
            for t in range(len(FRAMES))
        ] for k in (1, 2)
    }
    expressions = {
        '0': dict(exp='both', obj_id=[1, 2], anno_id=[10, 20]),
        '1': dict(exp='the first', obj_id=[1], anno_id=[10]),
    }
    root = tmp_path / 'gt' / 'valid_u'
    root.mkdir(parents=True)
    (root / 'mask_dict.json').write_text(json.dumps(masks))
    (root / 'meta_expressions.json').write_text(json.dumps(dict(videos={
        v: dict(frames=FRAMES, expressions=expressions) for v in ('aa', 'bb')
    })))
    for video in ('aa', 'bb'):
        for t, frame in enumerate(FRAMES):
            labels = label_map(t)
            save(tmp_path / f'pred/{video}/0/{frame}.png', 255 * (labels > 0))
            save(tmp_path / f'pred/{video}/1/{frame}.png', 255 * (labels == 1))
    return tmp_path


@pytest.fixture
def davis(tmp_path: Path) -> Path:
    """Two annotators; the second's labels are swapped."""
    for t, frame in enumerate(FRAMES):
        labels = label_map(t)
        gt = labels.copy()
        gt[:3, :5] = 255
        swapped = np.array([0, 2, 1], dtype=np.uint8)[labels]
        swapped[:2, :2] = 1  # void pixels do not count
        save(tmp_path / f'gt/Annotations_unsupervised/480p/cat/{frame}.png',
             gt)
        save(tmp_path / f'pred/anno_0/cat/{frame}.png', labels)
        save(tmp_path / f'pred/anno_1/cat/{frame}.png', swapped)
    return tmp_path


@pytest.fixture
def a2d(tmp_path: Path) -> Path:
    """Three samples with two candidates each; the better one wins in two."""
    names = ['v_a_f_1_i_0', 'v_b_f_7_i_1', 'v_c_f_2_i_0']
    truth, scores = blob(5, 5), {}
    for i, name in enumerate(names):
        save(tmp_path / f'pred/{name}/0.png', 255 * truth)
        save(tmp_path / f'pred/{name}/1.png', 255 * blob(5, 50))
        scores[name] = [0.9, 0.2] if i < 2 else [0.1, 0.3]
    (tmp_path / 'pred/scores.json').write_text(json.dumps(scores))
    coco = dict(
        images=[dict(id=n, height=SIZE[0], width=SIZE[1]) for n in names],
        annotations=[dict(id=i, image_id=n, segmentation=encode(truth))
                     for i, n in enumerate(names)])
    (tmp_path / 'gt').mkdir()
    (tmp_path / 'gt/a2d_sentences_test_annotations_in_coco_format.json'
     ).write_text(json.dumps(coco))
    return tmp_path

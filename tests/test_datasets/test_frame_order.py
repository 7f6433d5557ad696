"""Frames without leading zeros are in order of time, with their own masks."""
import re
import runpy
from pathlib import Path

import numpy as np
import pytest

from mmrvos.datasets.annotation_files import load_json
from mmrvos.utils import natural_key

from . import miniature
from .test_benchmarks import build

REPO = Path(__file__).parents[2]
MAPS = miniature.label_maps()
FRAMES = range(len(MAPS))


def renumber(root: Path) -> None:
    """Name frame t of every video 2 * t: '10' and '12' sort before '2'.

    The lists of JSON files get the order of a text sort, and RLEs with them.
    """
    old = sorted({
        p.stem
        for p in root.rglob('*') if re.fullmatch(r'\d{5}\.(jpg|png)', p.name)
    })
    new = {name: str(2 * t) for t, name in enumerate(old)}
    order = sorted(FRAMES, key=lambda t: str(2 * t))
    assert list(order) != list(FRAMES)
    for path in list(root.rglob('*')):
        if path.stem in new and path.is_file():
            path.rename(path.with_name(new[path.stem] + path.suffix))
    for path in root.rglob('*.json'):
        content = load_json(path)
        for info in content.get('videos', {}).values():
            if 'frames' in info:
                info['frames'] = [str(2 * t) for t in order]
        if 'mask_dict' in path.name:
            content = {
                i: [rles[t] for t in order] for i, rles in content.items()
            }
        miniature.write_json(path, content)


SETS = {
    'ref_youtube_vos': ('ref_youtube_vos', 'train_dataloader'),
    'mevis': ('mevis', 'train_dataloader'),
    'revos': ('revos', 'val_dataloader'),
    'ref_sav': ('ref_sav', 'test_dataloader'),
    'interrvos': ('interrvos', 'test_dataloader'),
    'long_rvos': ('long_rvos', 'val_dataloader'),
}


@pytest.mark.parametrize('name', [*SETS, 'ref_davis17'])
def test_masks_belong_to_their_frames(tmp_path, name):
    if name == 'ref_davis17':
        root = miniature.davis(tmp_path / 'in')
        renumber(root)
        runpy.run_path(
            str(REPO / 'tools/dataset_converters/ref_davis17.py'))['convert'](
                root, tmp_path / 'out', ['valid'], False)
        dataset = build(name, 'val_dataloader', tmp_path / 'out')
    else:
        root = getattr(miniature, name)(tmp_path)
        renumber(root)
        dataset = build(SETS[name][0], SETS[name][1], root)
    info = dataset.get_data_info(0)
    names = info['frame_names']
    assert names == sorted(names, key=natural_key)
    assert names[-1] == str(2 * (len(names) - 1))
    seen = 0
    for t in range(len(names)):
        assert Path(info['img_paths'][t]).stem == names[t]
        mask = info['mask_source'].read(info['expressions'][0]['obj_ids'], t)
        # the red object 1 moves to the right, so each frame has its own mask
        columns = np.flatnonzero((MAPS[t] == 1).any(axis=0))
        if info['expressions'][0]['obj_ids']:
            found = np.flatnonzero(mask[8:20].any(axis=0))
            np.testing.assert_array_equal(found, columns)
            seen += 1
    assert seen == len(names) == len(MAPS)

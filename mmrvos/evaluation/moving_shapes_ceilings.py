"""Scores of oracles on Moving Shapes, as ceilings for every result.

An oracle knows the true mask of every object and a part of the information
that the sentence needs. It picks uniformly among the objects that this
information does not exclude. Its J, F and hit rate are expected values, so
they are deterministic.
"""
from functools import lru_cache
from pathlib import Path

import numpy as np

from mmrvos.datasets import RefYoutubeVOSDataset
from mmrvos.structures import PNGMasks
from mmrvos.utils import load_json

from .functional import Silhouette, contour, pairwise_jf, region

#: information that each oracle has
ORACLES = {
    'oracle': 'everything',
    'stride4_mean': 'everything, masks as 4 x 4 averages and back',
    'stride4_point': 'everything, masks as every fourth pixel and back',
    'static': 'what one frame shows, not the motion',
    'set': 'all frames, not their order',
    'position': 'the words of place only',
    'random': 'nothing',
    'largest': 'nothing; takes the largest object',
}
STATIC3 = ('appearance', 'position', 'relation')


def through_stride4(mask: np.ndarray, average: bool) -> np.ndarray:
    """Reduce a mask to the target of a stride-4 head and enlarge it again.

    Args:
        mask: (H, W) bool.
        average: take 4 x 4 averages; otherwise pixels [2::4, 2::4], as the
            official ReferFormer does.

    Returns:
        (H, W) bool: enlarged bilinearly, above 0.5.
    """
    import cv2  # takes 0.05 s

    height, width = mask.shape
    padded = np.pad(mask, ((0, -height % 4), (0, -width % 4)))
    if average:
        small = padded.reshape(
            padded.shape[0] // 4, 4, padded.shape[1] // 4, 4).mean((1, 3))
    else:
        small = padded[2::4, 2::4]
    large = cv2.resize(small.astype(np.float32), padded.shape[::-1],
                       interpolation=cv2.INTER_LINEAR)
    return large[:height, :width] > 0.5


class _Video:
    """Mean J and F over the frames, between all objects of a video."""

    def __init__(self, masks: PNGMasks, ids: list[str],
                 num_frames: int) -> None:
        self.ids = ids
        pairs = np.zeros((2, len(ids), len(ids)))
        self.stride4 = np.zeros((2, 2, len(ids)))  # (variant, J or F, N)
        areas = np.zeros(len(ids))
        for t in range(num_frames):
            labels = masks.label_map(t)
            objects = [labels == int(i) for i in ids]
            areas += [o.sum() for o in objects]
            true = [Silhouette(o) for o in objects]
            pairs += pairwise_jf(true, true)
            for variant, average in enumerate((True, False)):
                for k, o in enumerate(objects):
                    coarse = Silhouette(through_stride4(o, average))
                    self.stride4[variant, :, k] += (
                        region(coarse, true[k]), contour(coarse, true[k]))
        self.pairs = pairs / num_frames
        self.stride4 /= num_frames
        self.largest = int(areas.argmax())

    def weights(self, oracle: str, chosen: dict[str, list[str]],
                target: int) -> np.ndarray:
        """(N,) probability that an oracle picks each object."""
        weights = np.zeros(len(self.ids))
        if oracle in ('static', 'set', 'position'):
            weights[[self.ids.index(i) for i in chosen[oracle]]] = 1
        elif oracle == 'random':
            weights[:] = 1
        elif oracle == 'largest':
            weights[self.largest] = 1
        else:
            weights[target] = 1
        return weights / weights.sum()

    def score(self, oracle: str, chosen: dict[str, list[str]],
              target: int) -> tuple[float, float, float]:
        """Expected J, F and hit rate."""
        weights = self.weights(oracle, chosen, target)
        if oracle.startswith('stride4'):
            j, f = self.stride4[int(oracle == 'stride4_point'), :, target]
        else:
            j, f = (self.pairs[:, :, target] * weights).sum(1)
        return float(j), float(f), float(weights[target])


def scenes_file(root: str, subset: str = 'valid') -> Path:
    """The file that the ceilings of a dataset are computed from.

    Raises:
        FileNotFoundError: the file is missing.
    """
    path = Path(root) / subset / 'scenes.json'
    if not path.is_file():
        raise FileNotFoundError(
            f'{path} is missing: the ceilings need the folder of Moving '
            'Shapes; tools/dataset_converters/moving_shapes.py makes it')
    return path


@lru_cache(maxsize=4)
def ceilings(root: str, subset: str = 'valid'
             ) -> dict[str, dict[str, dict[str, float]]]:
    """Compute the ceilings of all oracles on a dataset.

    Args:
        root: folder of the dataset.
        subset: 'train' or 'valid'.

    Returns:
        {oracle: {split: {'J', 'F', 'J&F', 'hit'}}} in percent, where a split
        is 'total', a ``type_id``, 'short', 'long', or 'static3', the mean over
        appearance, position and relation.

    Raises:
        FileNotFoundError: a file of the dataset is missing.
    """
    scenes = load_json(scenes_file(root, subset))['videos']
    dataset = RefYoutubeVOSDataset(
        f'meta_expressions/{subset}/meta_expressions.json',
        data_root=root,
        data_prefix=dict(mask=f'{subset}/Annotations'),
        lower_case=False,
        test_mode=True)
    scores: dict[str, dict[str, list]] = {name: {} for name in ORACLES}
    for index in range(len(dataset)):
        video = dataset.get_data_info(index)
        scene = scenes[video['video_id']]
        ids = sorted(scene['looks'])
        known = _Video(video['mask_source'], ids, len(video['frame_names']))
        for e in video['expressions']:
            target, = e['obj_ids']
            for oracle, splits in scores.items():
                score = known.score(
                    oracle, scene['oracles'][e['exp_id']], ids.index(target))
                for split in ('total', e['type_id'], e['length']):
                    splits.setdefault(split, []).append(score)
    return {oracle: _summary(splits) for oracle, splits in scores.items()}


def _summary(splits: dict[str, list]) -> dict[str, dict[str, float]]:
    out = {}
    for split, values in splits.items():
        j, f, hit = (100 * np.mean(values, axis=0)).tolist()
        out[split] = {'J&F': (j + f) / 2, 'J': j, 'F': f, 'hit': hit}
    parts = [out[t] for t in STATIC3 if t in out]
    if parts:
        out['static3'] = {key: float(np.mean([p[key] for p in parts]))
                          for key in parts[0]}
    return out


def table(columns: dict[str, dict[str, dict[str, float]]]) -> str:
    """Format as text: one line per split; one column of 'J&F / hit' per oracle
    or model."""
    first, *others = columns.values()
    ends = (('total', 'static3'), ('short', 'long'))
    splits = [s for s in (*ends[0], *sorted(set(first).difference(*ends)),
                          *ends[1])
              if s in first and all(s in column for column in others)]
    width = max(13, *(len(name) + 2 for name in columns))
    lines = ['J&F / hit rate' + ''.join(f'{n:>{width}}' for n in columns)]
    for split in splits:
        cells = (f"{c[split]['J&F']:.1f} / {c[split]['hit']:.1f}"
                 for c in columns.values())
        lines.append(f'{split:14}' + ''.join(f'{c:>{width}}' for c in cells))
    return '\n'.join(lines)

"""Expressions of a dataset entry and their attributes."""
from collections.abc import Sequence
from typing import Any

#: entries of a dataset that are copied where present
OPTIONAL_KEYS = ('valid_index', 'valid_span', 'annotator')


def entry_meta(entry: dict,
               frame_inds: Sequence[int],
               optional_keys: Sequence[str] = OPTIONAL_KEYS) -> dict[str, Any]:
    """Collect the meta information of a clip and of its E expressions.

    Pipelines put it into the :class:`~mmrvos.structures.RVOSDataSample`;
    scoring from files builds the same dict without a pipeline.

    Args:
        entry: what ``BaseRVOSDataset.get_data_info`` returns.
        frame_inds: indices of the frames of the clip, in the order of time.
        optional_keys: entries to copy where present.

    Returns:
        ``video_id``, ``frame_names`` (T), and lists of length E: ``exp_ids``,
        ``texts``, ``obj_ids``, ``type_ids``, ``lengths``; ``gt_boxes``, (x1,
        y1, x2, y2) in pixels, where boxes are annotated (RefCOCO); ``spans``,
        lists of (first, last) number of frame, or None (YoURVOS).
    """
    expressions = entry['expressions']
    meta = dict(
        video_id=entry['video_id'],
        frame_names=[entry['frame_names'][i] for i in frame_inds],
        exp_ids=[e['exp_id'] for e in expressions],
        texts=[e['text'] for e in expressions],
        obj_ids=[e['obj_ids'] for e in expressions],
        type_ids=[e['type_id'] for e in expressions],
        lengths=[e['length'] for e in expressions])
    if any('box' in e for e in expressions):
        meta['gt_boxes'] = [e['box'] for e in expressions]
    if any('spans' in e for e in expressions):
        meta['spans'] = [e['spans'] for e in expressions]
    meta.update({key: entry[key] for key in optional_keys if key in entry})
    return meta

from pathlib import Path

from mmrvos.structures import RLEMasks

from ..mevis import MeViSDataset
from .base import ExportedVideo, numbered


def read_mevis(path: Path,
               mask_file: str | Path | None = None) -> list[ExportedVideo]:
    """Read meta_expressions.json and mask_dict.json, by their data set class.

    Args:
        path: meta_expressions.json.
        mask_file: mask_dict.json; None takes the one beside ``path``.

    Raises:
        FileNotFoundError, ValueError: as :class:`MeViSDataset`.
    """
    masks = Path(mask_file or path.parent / 'mask_dict.json')
    dataset = MeViSDataset(
        str(path.resolve()),
        mask_file=str(masks.resolve()),
        test_mode=True,
        lazy_init=True)
    videos = []
    for video in dataset.load_videos():
        source: RLEMasks = video['mask_source']
        name, objects = video['video_id'], tuple(source.rles)
        expressions = [
            dict(exp=e['text'], obj_id=e['obj_ids'])
            for e in video['expressions']
        ]
        videos.append(
            ExportedVideo(
                name, tuple(f'{name}/{f}.jpg' for f in video['frame_names']),
                numbered(expressions, objects, f'{path}: video {name}'),
                source, objects))
    return videos

from pathlib import Path
from typing import Any

from ..annotation_files import entry, expect
from .base import VideoBuilder, sentences_of, video_of


def read_youtube_vis(content: Any, path: Path) -> list[VideoBuilder]:
    """Read a file in the form of YouTube-VIS or OVIS.

    ``videos`` list their ``file_names``; an annotation is an object with one
    of ``segmentations`` per frame, null where it is absent. The id of an
    object is that of its annotation.

    Args:
        content: of the file.
        path: of the file, for messages.

    Raises:
        ValueError: the file has another form.
    """
    videos: dict[int, VideoBuilder] = {}
    files: dict[int, list[str]] = {}
    for video in entry(content, 'videos', list, str(path)):
        number = entry(video, 'id', int, f'{path}: a video')
        place = f'{path}: video {number}'
        if number in videos:
            raise ValueError(f'{place} is listed twice, expected different '
                             'ids')
        names = entry(video, 'file_names', list, place)
        if not names:
            raise ValueError(f'{place} has no file_names')
        files[number] = [expect(n, str, f'{place}: a file') for n in names]
        shape = (entry(video, 'height', int, place),
                 entry(video, 'width', int, place))
        videos[number] = VideoBuilder(
            video_of(names[0], str(video.get('name') or number)), path)
        for name in names:
            videos[number].add_frame(name, shape)
    for annotation in entry(content, 'annotations', list, str(path)):
        obj = entry(annotation, 'id', int, f'{path}: an annotation')
        place = f'{path}: annotation {obj}'
        number = entry(annotation, 'video_id', int, place)
        if number not in videos:
            raise ValueError(f'{place} has video_id {number}, which is not '
                             'the id of a video')
        masks = entry(annotation, 'segmentations', list, place)
        if len(masks) != len(files[number]):
            raise ValueError(
                f'{place} has {len(masks)} segmentations, its video has '
                f'{len(files[number])} frames')
        video = videos[number]
        if str(obj) in video.regions:
            raise ValueError(f'{place} is listed twice in video {number}, '
                             'expected different ids')
        video.regions[str(obj)] = {}
        for file, mask in zip(files[number], masks, strict=True):
            if mask:
                video.add_region(file, str(obj), mask, f'{place}, {file}')
        for text in sentences_of(annotation):
            video.add_sentence(text, str(obj))
    return list(videos.values())

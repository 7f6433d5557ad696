from pathlib import Path
from typing import Any

from ..annotation_files import entry, expect
from .base import VideoBuilder, object_name, sentences_of, video_of

#: keys that give the same number to an object in all frames
TRACK_KEYS = ('track_id', 'instance_id')


def read_coco(content: Any, path: Path) -> list[VideoBuilder]:
    """Read COCO instances whose images are frames of videos.

    A video is the ``video_id`` of its images, else the folder in
    ``file_name``; images without a folder form one video with the name of the
    file. An object is the ``track_id`` or ``instance_id`` of its annotations,
    also in ``attributes`` (CVAT), else the name of the category.

    Args:
        content: of the file.
        path: of the file, for messages.

    Raises:
        ValueError: the file has another form, or a category has several
            annotations in an image and no ``track_id``.
    """
    images = entry(content, 'images', list, str(path))
    names = {
        number: str(video.get('name') or number)
        for number, video in by_id(
            expect(content.get('videos', []), list, f'{path}: videos'),
            f'{path}: a video').items()
    }
    videos: dict[str, VideoBuilder] = {}
    frame_of: dict[int, tuple[VideoBuilder, str]] = {}
    for image in images:
        place = f'{path}: an image'
        file = entry(image, 'file_name', str, place)
        place = f'{path}: image {file}'
        shape = (entry(image, 'height', int, place),
                 entry(image, 'width', int, place))
        name = names.get(image.get('video_id'), video_of(file, path.stem))
        if name not in videos:
            videos[name] = VideoBuilder(name, path)
        videos[name].add_frame(file, shape)
        number = entry(image, 'id', int, place)
        if number in frame_of:
            raise ValueError(f'{place} has id {number}, and so has '
                             f'{frame_of[number][1]}; expected different ids')
        frame_of[number] = videos[name], file
    categories = {
        number: entry(category, 'name', str, f'{path}: category {number}')
        for number, category in by_id(
            entry(content, 'categories', list, str(path)),
            f'{path}: a category').items()
    }
    unique: set[tuple] = set()
    for i, annotation in enumerate(
            entry(content, 'annotations', list, str(path))):
        place = f'{path}: annotation {i} (from 0)'
        image_id = entry(annotation, 'image_id', int, place)
        if image_id not in frame_of:
            raise ValueError(f'{place} has image_id {image_id}, which is not '
                             'the id of an image')
        video, file = frame_of[image_id]
        obj = track_of(annotation)
        if obj is None:
            category = categories.get(annotation.get('category_id'))
            if category is None:
                raise ValueError(
                    f'{place} has category_id '
                    f'{annotation.get("category_id")!r}, which is not the id '
                    'of a category')
            obj = object_name(category)
            if (image_id, obj) in unique:
                raise ValueError(
                    f'{place}: image {file} has several annotations of '
                    f'{category!r} and they have no track_id, so the objects '
                    'cannot be followed over frames: export tracks, or give '
                    'each object a category of its own')
            unique.add((image_id, obj))
        if not annotation.get('segmentation'):
            raise ValueError(f'{place} (image {file}) has no segmentation, '
                             'expected a mask: polygons or an RLE')
        video.add_region(file, obj, annotation['segmentation'], place)
        for text in sentences_of(annotation):
            video.add_sentence(text, obj)
    return list(videos.values())


def by_id(items: list, place: str) -> dict[int, dict]:
    """Index the entries of a list by their ids.

    Args:
        items: dictionaries with an ``id``.
        place: the file and the kind of the entries, for messages.

    Raises:
        ValueError: an entry has no id, or two have the same one.
    """
    found: dict[int, dict] = {}
    for item in items:
        number = entry(item, 'id', int, place)
        if number in found:
            raise ValueError(f'{place} has id {number}, and so has another '
                             'one; expected different ids')
        found[number] = item
    return found


def track_of(annotation: dict) -> str | None:
    """Return the number of an object over frames, None if there is none."""
    attributes = annotation.get('attributes')
    for holder in (annotation, attributes):
        for key in TRACK_KEYS if isinstance(holder, dict) else ():
            if type(holder.get(key)) in (int, str):
                return object_name(str(holder[key]))
    return None

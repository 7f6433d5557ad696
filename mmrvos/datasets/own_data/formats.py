from collections.abc import Callable
from pathlib import Path

from ..annotation_files import load_json
from .base import ExportedVideo, VideoBuilder
from .coco import read_coco
from .label_studio import read_label_studio
from .mevis import read_mevis
from .youtube_vis import read_youtube_vis

#: formats of one annotation file: (content, path) to videos without sentences
#: of a table
READERS: dict[str, Callable[[object, Path], list[VideoBuilder]]] = {
    'coco': read_coco,
    'youtube-vis': read_youtube_vis,
    'label-studio': read_label_studio,
}
FORMATS = (*READERS, 'mevis')


def read_export(
    name: str,
    path: str | Path,
    *,
    mask_file: str | Path | None = None,
    sentences: dict[str, list[dict]] | None = None
) -> list[ExportedVideo]:
    """Read the videos of an annotation file.

    Args:
        name: of the format, one of ``FORMATS``.
        path: the annotation file; of MeViS meta_expressions.json.
        mask_file: mask_dict.json of MeViS; None takes the one beside ``path``.
        sentences: {video: [{exp, obj_id: [object, ...], type_id}, ...]} from
            a table; None takes the sentences of the annotation file. Videos
            without sentences are left out.

    Raises:
        ValueError: the file has another form, no video has a sentence, or a
            sentence names a video or an object that the file does not have.
    """
    path = Path(path)
    if name == 'mevis':
        if sentences is not None:
            raise ValueError(
                'MeViS files contain their sentences, and a table of '
                'sentences is given, too: leave the table out')
        return read_mevis(path, mask_file)
    builders: dict[str, VideoBuilder] = {}
    for builder in READERS[name](load_json(path), path):
        if builder.name in builders:
            raise ValueError(
                f'{path} has two videos with the name {builder.name!r}, which '
                'is the folder of their images: put the images of each video '
                'in a folder of its own')
        builders[builder.name] = builder
    if sentences is not None:
        unknown = [video for video in sentences if video not in builders]
        if unknown:
            raise ValueError(
                f'{path} has no video {unknown[0]!r}, which a sentence names; '
                f'its videos are {", ".join(sorted(builders)[:8])}')
        for video, builder in builders.items():
            builder.expressions = sentences.get(video, [])
    videos = [b.build() for b in builders.values() if b.expressions]
    if not videos:
        raise ValueError(
            f'{path} contains no sentences: write them in a CSV file with the '
            'header video,object,sentence and pass it as --sentences. Its '
            f'videos and objects: {describe(builders.values())}')
    return videos


def describe(builders) -> str:
    """List videos and their objects, for a message."""
    parts = [f'{b.name} ({", ".join(b.objects) or "no object"})'
             for b in builders]
    return '; '.join(parts[:5]) + ('; ...' if len(parts) > 5 else '')

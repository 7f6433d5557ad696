from pathlib import Path

from mmrvos.utils import check_distinct, check_name

from ..annotation_files import check_pixel_value, read_table


def read_sentences(
        path: Path,
        label_maps: bool = True) -> tuple[dict[str, list[dict]],
                                          dict[str, str]]:
    """Read the table of sentences.

    Args:
        path: of the CSV file.
        label_maps: whether object ids are pixel values.

    Returns:
        {video: expressions}, in the order of the file; and {video: split}
        where the table has a column of this name.
    """
    videos: dict[str, list[dict]] = {}
    splits: dict[str, str] = {}
    for where, row in read_table(path, ('video', 'object', 'sentence')):
        if not row['sentence'].strip():
            raise ValueError(f'{where}: the sentence is empty')
        expression = dict(
            exp=row['sentence'].strip(), obj_id=row['object'].split())
        for obj_id in expression['obj_id'] if label_maps else ():
            check_pixel_value(obj_id, where)
        if row.get('type'):
            expression['type_id'] = row['type']
        video = check_name(row['video'].strip(), 'video', where)
        videos.setdefault(video, []).append(expression)
        split = (row.get('split') or '').strip()
        if split and splits.setdefault(
                video, check_name(split, 'split', where)) != split:
            raise ValueError(
                f'{where}: video {video} is in split {split!r}, and in '
                f'{splits[video]!r} in an earlier row; the sentences of a '
                'video stay together')
    if not videos:
        raise ValueError(f'{path} holds no sentences')
    check_distinct(list(videos), 'video', path)
    return videos, splits

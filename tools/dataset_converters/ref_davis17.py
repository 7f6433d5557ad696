"""Convert DAVIS 2017 and its sentences to Ref-DAVIS17.

The result has the layout of Ref-YouTube-VOS. Reads
ROOT/DAVIS/{JPEGImages/480p,Annotations_unsupervised/480p,ImageSets/2017,
davis_semantics.json} and ROOT/davis_text_annotations/*.txt, and writes
{train,valid,meta_expressions} to --out. The folder of DAVIS is not changed.
"""
import argparse
import sys
from pathlib import Path

from mmrvos.datasets.annotation_files import entry, expect, load_json
from mmrvos.datasets.convert import place, staged, write_json
from mmrvos.utils import check_name, clear_errors, read_lines, visible_files

#: the four lists in the order of the annotators, with their encodings
LISTS = (('Davis17_annot1.txt', 'utf-8'),
         ('Davis17_annot1_full_video.txt', 'utf-8'),
         ('Davis17_annot2.txt', 'latin-1'),
         ('Davis17_annot2_full_video.txt', 'latin-1'))
MISSPELT = {
    'clasic-car': 'classic-car',
    'dog-scale': 'dogs-scale',
    'motor-bike': 'motorbike'
}
SPLITS = {'train': 'train.txt', 'valid': 'val.txt'}


def read_list(path: Path, encoding: str) -> dict[str, list[tuple[str, str]]]:
    """Read {video: [(object id, sentence), ...]}, sorted by id as a string.

    A line holds a video, an object id and a sentence in quotes.
    """
    videos: dict[str, list[tuple[str, str]]] = {}
    for number, line in enumerate(
            read_lines(path, encoding), 1):
        fields = line.split()
        if not fields:
            continue
        text = ' '.join(fields[2:])
        if len(text) < 3:
            raise ValueError(
                f'{path}, line {number}: expected a video, an object id and '
                f'a sentence in quotes, got {line!r}')
        video = MISSPELT.get(fields[0], fields[0])
        videos.setdefault(video, []).append((fields[1], text[1:-1]))
    # "10" comes before "2", as in the official conversion
    return {v: sorted(rows, key=lambda r: r[0]) for v, rows in videos.items()}


def expressions_of(video: str, lists: list[dict]) -> dict[str, dict]:
    """Build {expression id: {exp, obj_id}}. The expression id is
    4 * index of the object + annotator."""
    rows = [each.get(video, []) for each in lists]
    counts = [len(r) for r in rows]
    if len(set(counts)) > 1:
        print(
            f'{video}: the annotators describe {counts} objects; the first '
            f'{min(counts)} are taken, as the official conversion does',
            file=sys.stderr)
    if min(counts) == 0:
        raise ValueError(f'{video}: an annotator describes no object of it')
    # zip stops at the shortest list, as the official conversion does
    return {
        str(4 * k + a): dict(exp=text, obj_id=obj_id)
        for k, objects in enumerate(zip(*rows, strict=False))
        for a, (obj_id, text) in enumerate(objects)
    }


def convert(root: Path, out: Path, splits: list[str], link: bool) -> None:
    """Convert the splits, see the top of this file."""
    davis, texts = root / 'DAVIS', root / 'davis_text_annotations'
    needed = [texts / name for name, _ in LISTS]
    needed += [davis / 'ImageSets/2017' / SPLITS[s] for s in splits]
    needed += [
        davis / part / '480p'
        for part in ('JPEGImages', 'Annotations_unsupervised')
    ]
    needed.append(davis / 'davis_semantics.json')
    for path in needed:
        if not path.exists():
            raise FileNotFoundError(
                f'{path} is missing: the conversion needs DAVIS-2017-'
                'Unsupervised-trainval-480p, DAVIS-2017_semantics-480p and '
                'davis_text_annotations, unpacked in one folder')
    lists = [read_list(texts / name, encoding) for name, encoding in LISTS]
    path = davis / 'davis_semantics.json'
    semantics = expect(load_json(path), dict, str(path))

    with staged(out, [*splits, 'meta_expressions']) as stage:
        for split in splits:
            videos, objects = {}, {}
            listed = davis / 'ImageSets/2017' / SPLITS[split]
            for video in ' '.join(read_lines(listed, 'utf-8')).split():
                check_name(video, 'video', listed)
                if video not in semantics:
                    raise ValueError(
                        f'{path} has no video {video}, which {listed} lists; '
                        'both must be of DAVIS 2017')
                images = davis / 'JPEGImages/480p' / video
                place(images, stage / split / 'JPEGImages' / video, link)
                place(davis / 'Annotations_unsupervised/480p' / video,
                      stage / split / 'Annotations' / video, link)
                videos[video] = dict(
                    expressions=expressions_of(video, lists),
                    frames=[
                        p.stem for p in visible_files(images.glob('*.jpg'))
                    ])
                objects[video] = dict(
                    objects={
                        i: dict(category=c)
                        for i, c in entry(semantics, video, dict,
                                          str(path)).items()
                    })
            write_json(stage / split / 'meta.json', dict(videos=objects))
            write_json(
                stage / 'meta_expressions' / split / 'meta_expressions.json',
                dict(videos=videos))
            count = sum(len(v['expressions']) for v in videos.values())
            print(f'{split}: {len(videos)} videos, {count} expressions')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('root', type=Path)
    parser.add_argument('--out', type=Path, help='default: ROOT')
    parser.add_argument(
        '--splits', nargs='+', choices=list(SPLITS), default=list(SPLITS))
    parser.add_argument(
        '--link',
        action='store_true',
        help='link to the folders of DAVIS instead of copying them')
    return parser.parse_args()


@clear_errors
def main() -> None:
    args = parse_args()
    convert(args.root, args.out or args.root, args.splits, args.link)


if __name__ == '__main__':
    main()

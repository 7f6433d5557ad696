"""List the samples of A2D-Sentences and write the ground truth in COCO form.

Reads ROOT/Release/videoset.csv and ROOT/text_annotations, writes
a2d_sentences_single_frame_{train,test}_annotations.json and
a2d_sentences_test_annotations_in_coco_format.json to --out.
"""
import argparse
from collections.abc import Iterable
from pathlib import Path

import h5py
import numpy as np
from mmengine.utils import track_iter_progress

from mmrvos.datasets.a2d_sentences import read_videoset
from mmrvos.datasets.annotation_files import read_table
from mmrvos.datasets.convert import (
    coco_annotation,
    coco_ground_truth,
    write_json,
)
from mmrvos.datasets.mask_sources import own_numbers, read_a2d_frame
from mmrvos.utils import check_name, clear_errors, read_lines, visible_files

SUBSETS = {'train': 0, 'test': 1}


def read_sentences(folder: Path) -> list[tuple[str, int, str]]:
    """Read (video, instance, sentence) of every usable row.

    Videos of the "missed" list have no sentences. One published row has the
    instance id "1 (copy)"; the official code leaves it out, too.
    """
    missed = set(' '.join(read_lines(
        folder / 'a2d_missed_videos.txt')).split())
    rows = []
    table = read_table(folder / 'a2d_annotation.txt',
                       ('video_id', 'instance_id', 'query'))
    for place, row in table:
        instance = row['instance_id'].strip()
        if row['video_id'] not in missed and instance.isdigit():
            video = check_name(row['video_id'], 'video_id', place)
            rows.append((video, int(instance), row['query'].lower()))
    return rows


def list_samples(folder: Path,
                 sentences: Iterable[tuple[str, int, str]]) -> list[list]:
    """List [sentence, video, frame from 1, instance] for every annotated frame
    that shows the instance."""
    present: dict[str, dict[int, set[int]]] = {}
    samples = []
    for video, instance, text in track_iter_progress(list(sentences)):
        if video not in present:
            files = visible_files((folder / video).glob('*.h5'))
            if not files:
                raise FileNotFoundError(
                    f'{folder / video} holds no h5 files, but the video has '
                    'sentences; unpack a2d_annotation_with_instances again')
            present[video] = {
                int(f.stem): set(read_a2d_frame(str(f))[0])
                for f in files
            }
        samples += [[text, video, frame, instance]
                    for frame, there in present[video].items()
                    if instance in there]
    return samples


def ground_truth(folder: Path, samples: list[list]) -> dict:
    """Build the COCO ground truth. Image ids are
    v_<video>_f_<frame>_i_<instance>."""
    images, annotations = [], []
    for _, video, frame, instance in track_iter_progress(samples):
        path = folder / video / f'{frame:05d}.h5'
        instances, masks = read_a2d_frame(str(path))
        place = instances.index(instance)
        with h5py.File(path, 'r') as file:
            boxes = own_numbers(file, 'reBBox')[()]
            corners = np.reshape(boxes, (4, -1))[:, place]
        x1, y1, x2, y2 = corners.astype(float)
        image_id = f'v_{video}_f_{frame}_i_{instance}'
        height, width = masks.shape[1:]
        images.append(dict(id=image_id, height=height, width=width))
        annotations.append(
            coco_annotation(
                len(images), image_id, masks[place],
                (x1, y1, x2 - x1, y2 - y1)))
    return coco_ground_truth(images, annotations)


def convert(root: Path, out: Path) -> None:
    """Write the three files, see the top of this file."""
    texts = root / 'text_annotations'
    masks = texts / 'a2d_annotation_with_instances'
    videoset = root / 'Release/videoset.csv'
    for path in (videoset, texts / 'a2d_annotation.txt',
                 texts / 'a2d_missed_videos.txt', masks):
        if not path.exists():
            raise FileNotFoundError(
                f'{path} is missing: the conversion needs the A2D release and '
                "the sentences' text_annotations under one folder")
    subset_of = {v: i['subset'] for v, i in read_videoset(videoset).items()}
    sentences = read_sentences(texts)
    unknown = sorted({s[0] for s in sentences} - set(subset_of))
    if unknown:
        raise ValueError(
            f'{videoset} does not list {len(unknown)} videos that have '
            f'sentences, e.g. {unknown[0]}')
    samples = {}
    for subset, number in SUBSETS.items():
        samples[subset] = list_samples(
            masks, [s for s in sentences if subset_of[s[0]] == number])
        print(f'\n{subset}: {len(samples[subset])} samples')
    truth = ground_truth(masks, samples['test'])
    for subset, rows in samples.items():
        write_json(
            out / f'a2d_sentences_single_frame_{subset}_annotations.json',
            rows)
    write_json(
        out / 'a2d_sentences_test_annotations_in_coco_format.json', truth)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('root', type=Path)
    parser.add_argument('--out', type=Path, help='default: ROOT')
    return parser.parse_args()


@clear_errors
def main() -> None:
    args = parse_args()
    convert(args.root, args.out or args.root)


if __name__ == '__main__':
    main()

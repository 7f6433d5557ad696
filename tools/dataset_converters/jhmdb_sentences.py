"""Write the ground truth of JHMDB-Sentences in COCO form.

The samples are three frames per video. Published results use the samples of
MTTR and ReferFormer, ROOT/jhmdb_sentences_samples_metadata.json; results on
other frames are not comparable. Without that file, --make-samples SEED draws
other frames and writes them to a file named after the seed.
"""
import argparse
import random
from pathlib import Path

from mmengine.utils import track_iter_progress

from mmrvos.datasets.annotation_files import read_table
from mmrvos.datasets.convert import (
    coco_annotation,
    coco_ground_truth,
    write_json,
)
from mmrvos.datasets.jhmdb_sentences import below_root, read_samples
from mmrvos.datasets.mask_sources import read_puppet_masks
from mmrvos.utils import clear_errors, is_hidden, safe_join, visible_files

SAMPLES = 'jhmdb_sentences_samples_metadata.json'
TRUTH = 'jhmdb_sentences_gt_annotations_in_coco_format.json'
FRAMES_PER_VIDEO = 3


def make_samples(root: Path, seed: int) -> list[list]:
    """Draw rows [video, frame path, mask path, usable frames, sentence]."""
    generator = random.Random(seed)
    folders = {
        p.name: p
        for p in sorted((root / 'Rename_Images').glob('*/*'))
        if not is_hidden(p)
    }
    samples = []
    for _, row in read_table(root / 'jhmdb_annotation.txt',
                             ('video_id', 'query')):
        video = row['video_id']
        if video not in folders:
            raise FileNotFoundError(
                f'{root}/Rename_Images/<action>/{video} is missing, but '
                'jhmdb_annotation.txt has a sentence for it')
        images = folders[video].relative_to(root)
        mask = Path('puppet_mask', *images.parts[1:], 'puppet_mask.mat')
        total = read_puppet_masks(str(root / mask)).shape[2]
        total = min(total, len(visible_files(folders[video].glob('*.png'))))
        frames = sorted(
            generator.sample(range(1, total + 1), FRAMES_PER_VIDEO))
        samples += [[
            video, f'./jhmdb_sentences/{images.as_posix()}/{f:05d}.png',
            f'./jhmdb_sentences/{mask.as_posix()}', total, row['query']
        ] for f in frames]
    return samples


def ground_truth(root: Path, samples: list[list]) -> dict:
    """Build the COCO ground truth. Image ids are v_<video>_f_<frame>."""
    images, annotations = [], []
    for video, image, mask, _, _ in track_iter_progress(samples):
        path = safe_join(root, below_root(image), 'frame', SAMPLES)
        if not path.exists():
            raise FileNotFoundError(
                f'{path} is missing, but the sample file lists it')
        frame = int(path.stem)
        masks = read_puppet_masks(
            str(safe_join(root, below_root(mask), 'mask file', SAMPLES)))
        if frame > masks.shape[2]:
            raise ValueError(
                f'{mask} holds {masks.shape[2]} masks, the sample file lists '
                f'frame {frame} of it')
        image_id = f'v_{video}_f_{frame}'
        height, width = masks.shape[:2]
        images.append(dict(id=image_id, height=height, width=width))
        annotations.append(
            coco_annotation(
                len(images), image_id, masks[..., frame - 1] > 0))
    return coco_ground_truth(images, annotations)


def convert(root: Path, out: Path, seed: int | None) -> None:
    """Write the files, see the top of this file."""
    truth_name, samples_path = TRUTH, root / SAMPLES
    if seed is not None:
        samples_path = out / f'jhmdb_sentences_samples_seed{seed}.json'
        truth_name = f'jhmdb_sentences_gt_seed{seed}_in_coco_format.json'
        write_json(samples_path, make_samples(root, seed))
        print(f'{samples_path}: new samples. Results on them are not '
              'comparable to published ones.')
    elif not samples_path.exists():
        raise FileNotFoundError(
            f'{samples_path} is missing: it is published with MTTR and '
            'ReferFormer; --make-samples SEED draws other frames')
    samples = read_samples(samples_path)
    write_json(out / truth_name, ground_truth(root, samples))
    print(f'\n{len(samples)} samples of {len({s[0] for s in samples})} videos')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('root', type=Path)
    parser.add_argument('--out', type=Path, help='default: ROOT')
    parser.add_argument('--make-samples', type=int, metavar='SEED')
    return parser.parse_args()


@clear_errors
def main() -> None:
    args = parse_args()
    convert(args.root, args.out or args.root, args.make_samples)


if __name__ == '__main__':
    main()

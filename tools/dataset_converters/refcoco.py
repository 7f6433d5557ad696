"""Convert RefCOCO, RefCOCO+ and RefCOCOg to COCO files.

A file has one image entry per sentence.

Reads ROOT/<name>/{instances.json,refs(<by>).p}, writes
ROOT/<name>/instances_<name>_<split>.json.
"""
import argparse
import pickle
from pathlib import Path
from typing import Any

from mmrvos.datasets.annotation_files import load_json
from mmrvos.datasets.convert import write_json
from mmrvos.utils import MAX_ANNOTATION_BYTES, check_file, clear_errors

#: who made the splits, and which there are
SPLITS = {
    'refcoco': ('unc', ('train', 'val', 'testA', 'testB')),
    'refcoco+': ('unc', ('train', 'val', 'testA', 'testB')),
    'refcocog': ('umd', ('train', 'val', 'test'))
}


class PlainUnpickler(pickle.Unpickler):
    """Read lists, dicts, strings and numbers only.

    A pickle may name any Python function and call it. Here every name is
    refused.
    """

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f'it asks for {module}.{name}')


def read_refs(path: Path) -> list[dict]:
    """The referring expressions of a ``refs(...).p``.

    Raises:
        FileNotFoundError, ValueError: it is missing or not such a file.
    """
    if not path.exists():
        raise FileNotFoundError(
            f"{path} is missing: it comes with the data of 'refer'")
    try:
        with open(check_file(path, MAX_ANNOTATION_BYTES), 'rb') as file:
            # some were written by Python 2
            refs = PlainUnpickler(file, encoding='utf-8').load()
    except Exception as error:  # damaged pickles raise errors of any kind
        raise ValueError(
            f'{path} cannot be read ({error}): fetch it again') from None
    if not isinstance(refs, list) or not all(
            isinstance(ref, dict) for ref in refs):
        raise ValueError(f'{path} is not a list of dictionaries: fetch it '
                         'again')
    return refs


def convert_split(name: str, split: str, refs: list[dict],
                  instances: dict) -> dict:
    """Build the content of one file.

    Raises:
        ValueError: an entry is missing, or an expression names an unknown
            object or image.
    """
    images = {i['id']: i for i in instances['images']}
    objects = {a['id']: a for a in instances['annotations']}
    new_images, new_annotations = [], []
    for ref in refs:
        if ref['split'] != split:
            continue
        if ref['ann_id'] not in objects or ref['image_id'] not in images:
            raise ValueError(
                f'{name}: expression {ref["ref_id"]} is about object '
                f'{ref["ann_id"]} of image {ref["image_id"]}, which '
                'instances.json does not hold; both must be of one release')
        image, obj = images[ref['image_id']], objects[ref['ann_id']]
        for sentence in ref['sentences']:
            number = len(new_images) + 1
            new_images.append(
                dict(
                    id=number,
                    file_name=image['file_name'],
                    height=image['height'],
                    width=image['width'],
                    original_id=image['id'],
                    caption=sentence['sent'],
                    dataset_name=name))
            new_annotations.append(
                dict(
                    id=number,
                    image_id=number,
                    original_id=obj['id'],
                    **{
                        key: obj[key]
                        for key in ('segmentation', 'area', 'iscrowd', 'bbox',
                                    'category_id')
                    }))
    return dict(
        images=new_images,
        annotations=new_annotations,
        categories=instances['categories'])


def convert(root: Path, names: list[str]) -> None:
    """Write the files, see the top of this file."""
    for name in names:
        author, splits = SPLITS[name]
        refs = read_refs(root / name / f'refs({author}).p')
        path = root / name / 'instances.json'
        if not path.exists():
            raise FileNotFoundError(
                f"{path} is missing: it comes with the data of 'refer'")
        instances = load_json(path)
        for split in splits:
            try:
                content = convert_split(name, split, refs, instances)
            except (KeyError, TypeError, AttributeError) as error:
                raise ValueError(
                    f'{root / name}: refs({author}).p or instances.json lacks '
                    f'an entry ({error!r}): fetch the files again') from None
            write_json(
                root / name / f'instances_{name}_{split}.json', content)
            print(f'{name} {split}: {len(content["images"])} sentences')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('root', type=Path, help='e.g. data/coco')
    parser.add_argument(
        '--datasets', nargs='+', choices=list(SPLITS), default=list(SPLITS))
    return parser.parse_args()


@clear_errors
def main() -> None:
    args = parse_args()
    convert(args.root, args.datasets)


if __name__ == '__main__':
    main()

"""Draw videos of Moving Shapes and their sentences into one picture."""
import argparse
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from mmrvos.datasets.annotation_files import load_expressions
from mmrvos.utils import check_output_file, clear_errors

NUM_FRAMES = 5
LINE = 15
FONT = ImageFont.load_default(size=11)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('root', help='folder of the data set')
    parser.add_argument('out', help='picture to write')
    parser.add_argument('--subset', choices=['train', 'valid'],
                        default='valid')
    parser.add_argument('--videos', type=int, nargs='+', default=[0, 1, 2, 3],
                        help='indices of the videos')
    return parser.parse_args()


def one_per_type(expressions: dict[str, dict]) -> list[dict]:
    """Return the first sentence of each type."""
    found: dict[str, dict] = {}
    for e in expressions.values():
        found.setdefault(e['type_id'], e)
    return list(found.values())


def draw_video(base: Path, name: str, video: dict) -> Image.Image:
    """Draw some frames and the masks of the last one, sentences below."""
    last = len(video['frames']) - 1
    tiles = [
        Image.open(base / 'JPEGImages' / name / f'{video["frames"][i]}.jpg')
        for i in (last * k // (NUM_FRAMES - 1) for k in range(NUM_FRAMES))]
    masks = Image.open(
        base / 'Annotations' / name / f'{video["frames"][last]}.png')
    tiles.append(masks.convert('RGB'))
    width, height = tiles[0].size
    sentences = one_per_type(video['expressions'])
    sheet = Image.new('RGB', (len(tiles) * (width + 2) - 2,
                              height + LINE * len(sentences) + 8), 'white')
    for k, tile in enumerate(tiles):
        sheet.paste(tile, (k * (width + 2), 0))
    draw = ImageDraw.Draw(sheet)
    palette = masks.getpalette()
    for k, e in enumerate(sentences):
        y = height + 2 + k * LINE
        i = 3 * int(e['obj_id'])
        draw.rectangle((2, y + 2, 12, y + 12), fill=tuple(palette[i:i + 3]))
        draw.text((18, y), e['type_id'], fill='grey', font=FONT)
        draw.text((110, y), e['exp'], fill='black', font=FONT)
    return sheet


def check_out(path: str) -> None:
    """Check that Pillow can write a picture of this name.

    Raises:
        OSError: it cannot be written.
        ValueError: the name has no suffix of a picture.
    """
    check_output_file(path)
    suffix = Path(path).suffix.lower()
    if Image.registered_extensions().get(suffix) not in Image.SAVE:
        raise ValueError(f'{path} ends in {suffix!r}, expected a picture: '
                         '.png or .jpg')


def check_videos(indices: list[int], count: int) -> None:
    """Check the indices of videos.

    Raises:
        ValueError: the data set has no such video.
    """
    for index in indices:
        if not 0 <= index < count:
            raise ValueError(f'--videos {index}: expected 0 to {count - 1}, '
                             f'the subset has {count} videos')


@clear_errors
def main() -> None:
    args = parse_args()
    check_out(args.out)
    root = Path(args.root)
    path = root / 'meta_expressions' / args.subset / 'meta_expressions.json'
    if not path.is_file():
        raise FileNotFoundError(
            f'{path} is missing: '
            'tools/dataset_converters/moving_shapes.py makes it')
    videos = load_expressions(path)
    check_videos(args.videos, len(videos))
    names = sorted(videos)
    parts = [draw_video(root / args.subset, names[i], videos[names[i]])
             for i in args.videos]
    sheet = Image.new('RGB', (max(p.width for p in parts),
                              sum(p.height for p in parts)), 'white')
    top = 0
    for part in parts:
        sheet.paste(part, (0, top))
        top += part.height
    Path(args.out).parent.mkdir(parents=True, exist_ok=True)
    sheet.save(args.out)
    print(f'{args.out}: {len(parts)} videos')


if __name__ == '__main__':
    main()

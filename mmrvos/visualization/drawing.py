"""Masks over frames, captions under them: pure functions on arrays."""
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

# RGB, told apart by the colour-blind too; repeated after the last
PALETTE = ((230, 75, 53), (0, 160, 235), (255, 205, 30), (0, 165, 120),
           (205, 120, 190), (240, 145, 40), (95, 110, 220), (150, 200, 60))


def colour_of(expression: int) -> tuple[int, int, int]:
    return PALETTE[expression % len(PALETTE)]


def draw_masks(frame: np.ndarray,
               masks: np.ndarray,
               alpha: float = 0.45,
               outline_width: int = 2) -> np.ndarray:
    """Tint the masks of several expressions, each in its colour.

    Args:
        frame: (H, W, 3) uint8 RGB.
        masks: (E, H, W) bool; where they overlap the tints mix.
        alpha: share of the colour inside a mask.
        outline_width: in pixels; 0 draws none.

    Returns:
        (H, W, 3) uint8 RGB, a new array.

    Raises:
        ValueError: masks and frame differ in size.
    """
    if masks.shape[1:] != frame.shape[:2]:
        raise ValueError(
            f'masks are {masks.shape[1:]}, the frame is {frame.shape[:2]} '
            '(height, width); they must agree')
    image = frame.copy()
    for e, mask in enumerate(masks):
        tint = np.array(colour_of(e), dtype=np.float32)
        image[mask] = ((1 - alpha) * image[mask] + alpha * tint).round()
    if outline_width:
        for e, mask in enumerate(masks):
            contours, _ = cv2.findContours(
                mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
            cv2.drawContours(image, contours, -1, colour_of(e), outline_width)
    return image


@lru_cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    # ships with matplotlib, which mmengine needs; knows more than ASCII
    path = Path(matplotlib.get_data_path(), 'fonts/ttf/DejaVuSans.ttf')
    return ImageFont.truetype(str(path), size)


def _wrap(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    lines = ['']
    for word in text.split():
        longer = f'{lines[-1]} {word}'.strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def draw_legend(texts: Sequence[str],
                width: int,
                font_size: int = 16) -> np.ndarray:
    """A strip with a line (or more) an expression, in its colour.

    Args:
        texts: the captions, one an expression.
        width: of the strip, in pixels.

    Returns:
        (h, width, 3) uint8 RGB, h as the text needs.
    """
    font = _font(font_size)
    pad, step = font_size // 2, round(font_size * 1.3)
    indent = pad + font_size + pad  # behind the colour square
    blocks = [_wrap(text, font, width - indent - pad) for text in texts]
    height = pad + step * sum(map(len, blocks)) + pad
    strip = Image.new('RGB', (width, height), (24, 24, 24))
    draw = ImageDraw.Draw(strip)
    y = pad
    for e, lines in enumerate(blocks):
        draw.rectangle((pad, y + 2, pad + font_size - 2, y + font_size),
                       fill=colour_of(e))
        for line in lines:
            draw.text((indent, y), line, font=font, fill=(240, 240, 240))
            y += step
    return np.asarray(strip)


def spread_indices(length: int, count: int) -> list[int]:
    """At most ``count`` of ``length`` places, evenly spread, with both ends.
    """
    count = min(count, length)
    return np.linspace(0, length - 1, count).round().astype(int).tolist()


def contact_sheet(images: Sequence[np.ndarray],
                  columns: int = 4,
                  gap: int = 4) -> np.ndarray:
    """Images of one size side by side, row by row.

    Args:
        images: each (h, w, 3) uint8.
        columns: at most; fewer images give fewer.
        gap: white pixels between them.

    Returns:
        (h', w', 3) uint8.
    """
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    height, width = images[0].shape[:2]
    sheet = np.full((rows * (height + gap) - gap,
                     columns * (width + gap) - gap, 3), 255, np.uint8)
    for i, image in enumerate(images):
        y = i // columns * (height + gap)
        x = i % columns * (width + gap)
        sheet[y:y + height, x:x + width] = image
    return sheet


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Write (H, W, 3) RGB or (H, W) uint8 to a PNG; its folder is made.

    Raises:
        OSError: it cannot be written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    if not cv2.imwrite(str(path), image):
        raise OSError(f'{path} cannot be written')

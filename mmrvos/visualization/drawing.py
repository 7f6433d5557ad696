"""Draw masks over frames, and legends under them: functions on arrays."""
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .fonts import font_for

# RGB, distinct for colour-blind readers; repeated after the last
PALETTE = ((230, 75, 53), (0, 160, 235), (255, 205, 30), (0, 165, 120),
           (205, 120, 190), (240, 145, 40), (95, 110, 220), (150, 200, 60))
LIGHT, DARK, GREY = (240, 240, 240), (24, 24, 24), (150, 150, 150)


@dataclass(frozen=True)
class Style:
    """How masks are shown.

    Args:
        fill: share of the expression's colour inside its mask, 0 to 1.
        background: brightness outside of all masks; 1 keeps it.
        outline: draw a line around every mask.
    """
    fill: float = 0.
    background: float = 1.
    outline: bool = True


STYLES = {
    # the object keeps its own colour
    'outline': Style(background=0.7),
    'spotlight': Style(background=0.35),
    'fill': Style(fill=0.45),
}


def colour_of(expression: int) -> tuple[int, int, int]:
    """Return the RGB colour of an expression's index."""
    return PALETTE[expression % len(PALETTE)]


def draw_masks(frame: np.ndarray,
               masks: np.ndarray,
               style: str = 'outline',
               outline_width: int | None = None) -> np.ndarray:
    """Draw the masks of several expressions, each in its colour.

    Lines run outside of the masks. Where lines of several masks coincide,
    their colours alternate, so that two expressions about one object are both
    visible.

    Args:
        frame: (H, W, 3) uint8 RGB.
        masks: (E, H, W) bool.
        style: a key of ``STYLES``.
        outline_width: in pixels; by default 1/150 of the shorter side, at
            least 2.

    Returns:
        (H, W, 3) uint8 RGB, a new array.

    Raises:
        ValueError: masks and frame differ in size, or no such style.
    """
    check_style(style)
    if masks.shape[1:] != frame.shape[:2]:
        raise ValueError(
            f'masks are {masks.shape[1:]}, the frame is {frame.shape[:2]} '
            '(height, width); they must agree')
    look, image = STYLES[style], frame.copy()
    if look.background < 1 and len(masks):
        outside = ~masks.any(axis=0)
        image[outside] = (look.background * image[outside]).round()
    if look.fill:
        for e, mask in enumerate(masks):
            area = area_of(mask)
            part, mask = image[area], mask[area]
            tint = np.array(colour_of(e), dtype=np.float32)
            part[mask] = ((1 - look.fill) * part[mask]
                          + look.fill * tint).round()
    if look.outline and len(masks):
        width = outline_width or max(2, round(min(frame.shape[:2]) / 150))
        draw_outlines(image, masks, width)
    return image


def draw_outlines(image: np.ndarray, masks: np.ndarray, width: int) -> None:
    """Draw lines around masks, with a dark edge outside, in place.

    Args:
        image: (H, W, 3) uint8 RGB.
        masks: (E, H, W) bool.
        width: of the lines, in pixels.
    """
    areas = [area_of(mask, width + 1) for mask in masks]
    lines = [outline(mask[area], width)
             for mask, area in zip(masks, areas, strict=True)]
    shared = np.zeros(masks.shape[1:], dtype=np.uint16)  # lines per pixel
    for line, area in zip(lines, areas, strict=True):
        shared[area] += line
    # an object of the line's own colour shows the line by its dark edge
    for line, area in zip(lines, areas, strict=True):
        if not line.size:
            continue
        near = cv2.dilate(line.astype(np.uint8), np.ones((3, 3)))
        covered = shared[area] + masks[:, *area].any(axis=0)
        image[area][(near > 0) & (covered == 0)] = DARK
    rank = np.zeros_like(shared)
    for e, (line, area) in enumerate(zip(lines, areas, strict=True)):
        # diagonal stripes decide which of the masks that share a pixel
        # colours it
        rows, columns = np.ogrid[area]
        turn = (rows + columns) // (3 * width) % np.maximum(shared[area], 1)
        image[area][line & (rank[area] == turn)] = colour_of(e)
        rank[area] += line


def area_of(mask: np.ndarray, margin: int = 0) -> tuple[slice, slice]:
    """Return the rows and columns of a mask (H, W) with a margin.

    Work on this area is faster than on the frame.
    """
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    if not width:
        return slice(0, 0), slice(0, 0)
    bottom, right = mask.shape
    return (slice(max(0, y - margin), min(y + height + margin, bottom)),
            slice(max(0, x - margin), min(x + width + margin, right)))


def outline(mask: np.ndarray, width: int) -> np.ndarray:
    """Return the pixels around a mask, (H, W) bool.

    Where the mask touches the border of the frame, the line runs inside.
    """
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE,
                                       (2 * width + 1, 2 * width + 1))
    if not mask.size:
        return mask
    line = cv2.dilate(mask.astype(np.uint8), kernel).astype(bool) & ~mask
    for side in (np.s_[:width], np.s_[-width:], np.s_[:, :width],
                 np.s_[:, -width:]):
        line[side] |= mask[side]
    return line


def check_style(style: str) -> None:
    """Check the name of a style.

    Raises:
        ValueError: there is no such style.
    """
    if style not in STYLES:
        raise ValueError(
            f'there is no style {style!r}, expected one of {list(STYLES)}')


def _wrap(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    lines = ['']
    for word in text.split():
        longer = f'{lines[-1]} {word}'.strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append('')
            longer = word
        while font.getlength(longer) > width and len(longer) > 1:
            # a script without blanks is cut anywhere
            count = len(longer)
            while count > 1 and font.getlength(longer[:count]) > width:
                count -= 1
            lines[-1], longer = longer[:count], longer[count:]
            lines.append('')
        lines[-1] = longer
    return lines


def draw_legend(texts: Sequence[str],
                width: int,
                font_size: int = 16,
                faded: Sequence[bool] | None = None,
                height: int | None = None) -> np.ndarray:
    """Draw a strip that explains the colours.

    Args:
        texts: E captions. They are numbered if there are several.
        width: of the strip, in pixels.
        font_size: in pixels.
        faded: (E,), captions that are written in grey with a hollow square:
            their objects are not in the frame.
        height: of the strip; by default what the captions need. Further
            lines are left out.

    Returns:
        (height, width, 3) uint8 RGB.
    """
    fonts = [font_for(text, font_size) for text in texts]
    pad, step = font_size // 2, round(font_size * 1.3)
    box = font_size + 2
    indent = pad + box + pad
    blocks = [
        _wrap(text, font, width - indent - pad)
        for text, font in zip(texts, fonts, strict=True)
    ]
    if height is None:
        height = pad + step * sum(map(len, blocks)) + pad
    strip = Image.new('RGB', (width, height), DARK)
    draw = ImageDraw.Draw(strip)
    y = pad
    for e, lines in enumerate(blocks):
        grey = faded is not None and faded[e]
        draw.rectangle((pad, y, pad + box, y + box),
                       fill=None if grey else colour_of(e),
                       outline=colour_of(e),
                       width=2)
        if len(texts) > 1:
            draw.text((pad + box / 2, y + box / 2), str(e),
                      font=font_for(str(e), font_size - 4),
                      anchor='mm',
                      fill=GREY if grey else ink_on(colour_of(e)))
        for line in lines:
            draw.text((indent, y), line, font=fonts[e],
                      fill=GREY if grey else LIGHT)
            y += step
    return np.asarray(strip)


def ink_on(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return the text colour that is readable on a colour."""
    red, green, blue = colour
    return DARK if 0.3 * red + 0.59 * green + 0.11 * blue > 110 else LIGHT


def draw_tag(image: np.ndarray,
             text: str,
             corner: tuple[int, int] = (0, 0),
             colour: tuple[int, int, int] = DARK,
             font_size: int = 14) -> None:
    """Write a short text in a filled box, in place.

    Args:
        image: (H, W, 3) uint8 RGB.
        corner: (x, y) of the upper left corner of the box.
        colour: of the box.
    """
    font = font_for(text, font_size)
    size = round(font.getlength(text)) + font_size // 2, font_size + 4
    tag = Image.new('RGB', size, colour)
    ImageDraw.Draw(tag).text((size[0] / 2, size[1] / 2), text,
                             font=font, anchor='mm', fill=ink_on(colour))
    x, y = corner
    part = image[y:y + size[1], x:x + size[0]]
    part[:] = np.asarray(tag)[:part.shape[0], :part.shape[1]]


def draw_numbers(image: np.ndarray, masks: np.ndarray) -> None:
    """Write the index of each expression above its mask, in place.

    The number stands above the largest connected part. Numbers that would
    overlap stand side by side.

    Args:
        image: (H, W, 3) uint8 RGB.
        masks: (E, H, W) bool.
    """
    height, width = image.shape[:2]
    size, gap, taken = 18, 5, []
    for e, mask in enumerate(masks):
        area = rows, columns = area_of(mask)
        if not rows.stop:
            continue
        *_, parts, centres = cv2.connectedComponentsWithStats(
            mask[area].astype(np.uint8))
        largest = 1 + parts[1:, cv2.CC_STAT_AREA].argmax()  # 0: background
        x = columns.start + int(centres[largest][0]) - size // 2
        x = min(max(x, 0), width - size)
        top = rows.start + int(parts[largest, cv2.CC_STAT_TOP])
        y = max(top - size - 4, 0)
        row = sorted(u for u, v in taken if abs(y - v) < size)
        for u in row:
            if abs(x - u) < size + gap:
                x = u + size + gap
        taken.append((x, y))
        draw_tag(image, str(e), (max(x, 0), y), colour_of(e))


def spread_indices(length: int, count: int) -> list[int]:
    """Return at most ``count`` evenly spread indices below ``length``.

    The first and the last index are among them.
    """
    count = min(count, length)
    return np.linspace(0, length - 1, count).round().astype(int).tolist()


def contact_sheet(images: Sequence[np.ndarray],
                  columns: int = 4,
                  gap: int = 4) -> np.ndarray:
    """Put images of one size side by side, row by row.

    Args:
        images: each (h, w, 3) uint8.
        columns: images per row, at most.
        gap: white pixels between images.

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
    """Write (H, W, 3) RGB or (H, W) uint8 to an image file.

    The folder is created. The suffix of the path gives the format.

    Raises:
        OSError: the file cannot be written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    if not cv2.imwrite(str(path), image):
        raise OSError(f'{path} cannot be written')

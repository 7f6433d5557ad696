"""Fonts of captions: DejaVu Sans, and installed fonts for what it lacks."""
import warnings
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from PIL import ImageFont

# Functions import matplotlib, which is slow to import. mmengine needs it.


@lru_cache(maxsize=256)
def font_for(text: str, size: int) -> ImageFont.FreeTypeFont:
    """Return a font that has the characters of a text.

    DejaVu Sans, which matplotlib ships, or else the installed font that lacks
    the fewest characters. A warning says that characters are missing in all.

    Args:
        text: of a caption.
        size: in pixels.
    """
    import matplotlib
    own = Path(matplotlib.get_data_path(), 'fonts/ttf/DejaVuSans.ttf')
    found, missing = own, count_missing(text, code_points(own))
    if missing:
        for path in installed_fonts():
            count = count_missing(text, code_points(path))
            if count < missing:
                found, missing = path, count
            if not missing:
                break
    if missing:
        # the same words for all texts, so that Python shows one warning
        warnings.warn(
            'no installed font has all characters of the sentences, so some '
            'are empty boxes in the pictures: install a font of their script '
            '(package fonts-noto-cjk for Chinese, Japanese and Korean, '
            'fonts-noto for others)', stacklevel=1)
    return ImageFont.truetype(str(found), size)


def count_missing(text: str, points: np.ndarray) -> int:
    """Count the visible characters of a text that a font lacks.

    Args:
        text: a caption.
        points: (N,), see :func:`code_points`.
    """
    needed = [ord(c) for c in set(text) if c.isprintable() and c != ' ']
    return int(np.isin(needed, points, invert=True).sum())


@cache
def code_points(path: Path) -> np.ndarray:
    """Return the (N,) int32 code points of the characters of a font.

    Empty for a broken file, and for one without outlines, such as a font of
    coloured pictures, which has one size only.
    """
    from matplotlib.ft2font import FT2Font
    try:
        font = FT2Font(str(path))
        points = font.get_charmap() if font.scalable else ()
    except (OSError, RuntimeError, ValueError):
        points = ()
    return np.fromiter(points, np.int32)


@cache
def installed_fonts() -> tuple[Path, ...]:
    """List the files of installed fonts, upright regular ones first.

    matplotlib's own list is from a cache, which lacks fonts that were
    installed later.
    """
    from matplotlib.font_manager import findSystemFonts
    # LastResort has a box for each character
    paths = sorted(
        path for path in map(Path, findSystemFonts())
        if not path.stem.startswith('LastResort'))
    return tuple(sorted(paths, key=lambda path: 'Regular' not in path.stem))

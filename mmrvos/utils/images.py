"""Read images of bounded size, upright."""
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from .palette_png import palette_indices
from .paths import MAX_IMAGE_BYTES, check_file

#: Largest image that is decoded, in pixels: two frames of 8K video. A file of
#: a few bytes can declare a size that exhausts the memory.
MAX_PIXELS = 2**26

#: EXIF orientation: (transpose, flip rows, flip columns) that make it upright
_UPRIGHT = {
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}
#: first bytes of the formats of frames and masks
_SIGNATURES = {
    b'\xff\xd8': 'JPEG',
    b'\x89PNG': 'PNG',
    b'BM': 'BMP',
    b'RIFF': 'WebP',
    b'II*\0': 'TIFF',
    b'MM\0*': 'TIFF',
}


def check_shape(height: int, width: int, source: str | Path) -> None:
    """Check the number of pixels before an image or mask is decoded.

    Raises:
        ValueError: more than ``MAX_PIXELS``.
    """
    if height * width > MAX_PIXELS:
        raise ValueError(
            f'{source}: {width} x {height} pixels (width x height), expected '
            f'at most {MAX_PIXELS:,} pixels per image')


def image_shape(path: str | Path) -> tuple[int, int]:
    """Return (height, width) of the stored pixels without decoding them.

    Raises:
        FileNotFoundError, ValueError: see :func:`read_image`.
    """
    with _open(path, check_file(path, MAX_IMAGE_BYTES)) as image:
        return image.height, image.width


def read_pixels(path: str | Path, mode: str | None = None) -> np.ndarray:
    """Read the values of an image file as they are stored, e.g. a label map.

    Args:
        path: of the file.
        mode: mode of Pillow to convert to, e.g. 'L'; None converts nothing, so
            that a palette image gives its indices.

    Returns:
        (H, W) or (H, W, C).

    Raises:
        FileNotFoundError, ValueError: see :func:`read_image`.
    """
    content = check_file(path, MAX_IMAGE_BYTES).read_bytes()
    indices = palette_indices(content, MAX_PIXELS) if mode is None else None
    if indices is not None:
        return indices
    with _open(path, io.BytesIO(content)) as image:
        try:
            return np.array(image if mode is None else image.convert(mode))
        except Exception as error:  # Pillow raises many kinds
            raise _broken(path, error) from None


def read_image(
        path: str | Path,
        annotated_shape: Callable[[], tuple[int, int] | None] = lambda: None
) -> np.ndarray:
    """Read an image as (H, W, 3) uint8 RGB.

    The EXIF orientation is applied, as video decoders apply rotation.

    Args:
        path: of the file.
        annotated_shape: returns (height, width) of the annotation of the
            image, or None. It is called for an EXIF orientation that swaps
            rows and columns. If only the stored pixels have this shape, the
            annotation was made on them, and the orientation is ignored.

    Raises:
        FileNotFoundError: the file is missing.
        ValueError: it is no image, is damaged or cut short, has more than
            ``MAX_PIXELS`` pixels or more than ``MAX_IMAGE_BYTES`` bytes.
    """
    try:
        data = np.fromfile(check_file(path, MAX_IMAGE_BYTES), dtype=np.uint8)
    except FileNotFoundError:
        raise FileNotFoundError(
            f'{path} is missing: expected an image file') from None
    with _open(path, io.BytesIO(data)) as header:
        stored = header.height, header.width
        # OpenCV applies the orientation of TIFF in any case
        orientation = 1 if header.format == 'TIFF' else header.getexif().get(
            0x112, 1)
    import cv2  # masks are read without it, and its import takes 0.05 s

    # Not OpenCV's own rotation: it depends on the file format.
    image = cv2.imdecode(
        data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None or _is_cut_short(data):
        raise _broken(path, 'cut short or damaged')
    image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image)
    if orientation not in _UPRIGHT:
        return image
    transpose, rows, columns = _UPRIGHT[orientation]
    if transpose:
        if stored != stored[::-1] and annotated_shape() == stored:
            return image
        image = image.swapaxes(0, 1)
    return np.ascontiguousarray(
        image[::-1 if rows else 1, ::-1 if columns else 1])


def has_orientation(path: str | Path) -> bool:
    """Tell whether an image has an EXIF orientation other than upright."""
    with _open(path, check_file(path, MAX_IMAGE_BYTES)) as image:
        return image.getexif().get(0x112, 1) in _UPRIGHT


def _open(path: str | Path, file: Path | io.BytesIO) -> Image.Image:
    """Read the header of an image; ``path`` is for the message."""
    try:
        image = Image.open(file)
    except Image.DecompressionBombError as error:
        raise ValueError(f'{path}: {error}') from None
    except Exception:  # Pillow raises many kinds on damaged files
        raise _broken(path, _kind(file)) from None
    check_shape(image.height, image.width, path)
    return image


def _kind(file: Path | io.BytesIO) -> str:
    """Describe a file whose header cannot be read."""
    start = (file.read_bytes() if isinstance(file, Path) else
             file.getvalue())[:16]
    if not start:
        return 'it is empty'
    for signature, name in _SIGNATURES.items():
        if start.startswith(signature):
            return f'a {name} file whose header is cut short or damaged'
    return 'no known image format'


def _is_cut_short(data: np.ndarray) -> bool:
    """Tell whether a JPEG ends early, which OpenCV fills with grey."""
    if data[:2].tobytes() != b'\xff\xd8' or data[-2:].tobytes() == b'\xff\xd9':
        return False
    try:  # the end mark may be followed by other bytes: let Pillow find it
        with Image.open(io.BytesIO(data)) as image:
            image.load()
    except OSError:
        return True
    return False


def _broken(path: str | Path, reason: object) -> ValueError:
    return ValueError(
        f'{path} cannot be decoded or is cut short ({reason}): copy it again')

"""The files of predictions, in a folder or a zip."""
import io
import os
import re
import stat
import zipfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Collection
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from mmrvos.utils import (
    MAX_ANNOTATION_BYTES,
    MAX_IMAGE_BYTES,
    MAX_PIXELS,
    check_file,
)
from mmrvos.utils.palette_png import palette_indices


class PredictionError(ValueError):
    """A file of the predictions cannot be used; the message is one line."""


class PredictionFiles:
    """The PNGs of a folder or zip by their relative paths.

    A zip is read in place and never unpacked. An instance may be passed to
    other processes; each of them opens the zip for itself. Links to folders
    are followed once. Hidden files and folders, and what macOS adds to an
    archive, are passed over.

    Args:
        root: the folder or zip.

    Attributes:
        paths: relative paths of all PNGs, sorted.
        others: relative paths of all other files, sorted.

    Raises:
        PredictionError: nothing is there, the file is no zip, or the zip has
            an entry that would be dangerous to unpack.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self._zip: tuple[int, zipfile.ZipFile] | None = None
        self.is_zip = self.root.is_file()
        if not self.is_zip and not self.root.is_dir():
            try:
                check_file(self.root)
            except (OSError, ValueError) as error:
                raise PredictionError(
                    f'{error}; give a folder or a zip of PNGs') from None
        names = self._zip_names() if self.is_zip else self._folder_names()
        names = [name for name in names if not _is_hidden(name)]
        self.paths = sorted(filter(_is_png, names))
        self.others = sorted(set(names) - set(self.paths))
        self._known = set(names)
        self._children: dict[str, set[str]] = defaultdict(set)
        for path in self.paths:
            parts = PurePosixPath(path).with_suffix('').parts
            for depth, part in enumerate(parts):
                self._children['/'.join(parts[:depth])].add(part)

    def __contains__(self, path: str) -> bool:
        return path in self._known

    def __getstate__(self) -> dict:
        return dict(self.__dict__, _zip=None)

    def has_folder(self, path: str) -> bool:
        """Whether there is any PNG under a path."""
        return path in self._children

    def read(self, path: str) -> bytes:
        """Read the content of a file.

        Raises:
            PredictionError: the file is missing or damaged.
        """
        if path not in self._known:
            raise PredictionError(f'{path}: missing')
        try:
            if self.is_zip:
                return self._open_zip().read(path)
            return check_file(
                self.root / path, MAX_ANNOTATION_BYTES).read_bytes()
        except (KeyError, FileNotFoundError):
            raise PredictionError(f'{path}: missing') from None
        except (OSError, ValueError, zipfile.BadZipFile, zlib.error,
                RuntimeError, EOFError, NotImplementedError) as error:
            raise PredictionError(
                f'{path}: cannot be read ({error})') from None

    def image(self, path: str) -> Image.Image:
        """Decode a PNG.

        Raises:
            PredictionError: the file is missing, damaged or no PNG.
        """
        return _decode(self.read(path), path)

    def labels(self, path: str) -> np.ndarray:
        """Read a label map from a palette or grey PNG.

        Returns:
            (H, W) uint8 or bool; pixels are palette indices or grey values.

        Raises:
            PredictionError: as :meth:`image`, or the PNG has another mode.
        """
        content = self.read(path)
        indices = palette_indices(content, MAX_PIXELS)
        if indices is not None:
            return indices
        image = _decode(content, path)
        if image.mode not in ('L', 'P', '1'):
            raise PredictionError(
                f'{path}: mode {image.mode}, expected an 8-bit grey or '
                'palette PNG')
        return np.asarray(image)

    def mask(self, path: str) -> np.ndarray:
        """Read a mask: all pixels but 0, or black in colour, are foreground.

        Returns:
            (H, W) bool. Pixels of a palette PNG count by their index, so that
            an index whose colour is black is foreground.

        Raises:
            PredictionError: as :meth:`image`, or more than 8 bits per pixel.
        """
        content = self.read(path)
        indices = palette_indices(content, MAX_PIXELS)
        if indices is not None:
            return indices != 0
        image = _decode(content, path)
        if image.mode in ('RGB', 'RGBA', 'LA'):
            return np.asarray(image.convert('RGB')).any(axis=-1)
        if image.mode not in ('L', 'P', '1'):
            raise PredictionError(
                f'{path}: mode {image.mode}, expected a PNG of 8 bits per '
                'channel')
        return np.asarray(image) != 0

    def grey(self, path: str) -> np.ndarray:
        """Read a mask as the official scripts do, by OpenCV as grey.

        Returns:
            (H, W) uint8: the grey value of each pixel's COLOUR, also in
            palette PNGs.

        Raises:
            PredictionError: as :meth:`image`.
        """
        content = self.read(path)
        _decode(content, path)  # refuses what is no PNG or too large
        import cv2  # takes 0.05 s
        grey = cv2.imdecode(
            np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
        if grey is None:
            raise PredictionError(f'{path}: OpenCV cannot decode the PNG')
        return grey

    def folders(self) -> list[str]:
        """The folders that hold PNGs directly, sorted."""
        return sorted({path.rpartition('/')[0] for path in self.paths})

    def find_top(self, names: Collection[str], depth: int) -> str:
        """Find the folder in which all predictions lie, '' for the root.

        Submissions may have folders around the predictions. The folder under
        which most of the names are found is taken.

        Args:
            names: names that the dataset knows, which may contain slashes.
            depth: number of path components below a name, the file included.
        """
        places: Counter[tuple[str, ...]] = Counter()
        for path in self.paths:
            parts = PurePosixPath(path).with_suffix('').parts
            places[parts[:len(parts) - depth]] += 1
        tops: Counter[str] = Counter()
        for parts, count in places.items():
            for start in range(len(parts)):
                if '/'.join(parts[start:]) in names:
                    tops['/'.join(parts[:start])] += count
        # the shortest of equally frequent ones
        return max(sorted(tops, key=len), key=tops.get, default='')

    def children(self, top: str) -> set[str]:
        """Names directly under a folder: PNGs without extension, and folders
        that contain PNGs."""
        return set(self._children.get(top, ()))

    def _folder_names(self) -> list[str]:
        names, seen = [], set()
        for folder, folders, files in os.walk(self.root, followlinks=True):
            place = os.stat(folder)
            if (place.st_dev, place.st_ino) in seen:  # a link to a parent
                folders.clear()
                continue
            seen.add((place.st_dev, place.st_ino))
            folders.sort()
            relative = Path(folder).relative_to(self.root)
            for name in files:
                path = (relative / name).as_posix()
                if _is_png(path):
                    self._check_file(path)
                names.append(path)
        return names

    def _check_file(self, path: str) -> None:
        try:
            check_file(self.root / path, MAX_IMAGE_BYTES)
        except (OSError, ValueError) as error:
            raise PredictionError(f'refused: {error}') from None

    def _zip_names(self) -> list[str]:
        names = []
        for info in self._open_zip().infolist():
            _refuse_dangerous(self.root.name, info)
            if not info.is_dir():
                names.append(info.filename)
        repeated = [n for n, times in Counter(names).items() if times > 1]
        if repeated:
            raise PredictionError(
                f'{self.root.name}: holds {repeated[0]} more than once: it is '
                'not clear which one counts')
        return names

    def _open_zip(self) -> zipfile.ZipFile:
        # A file handle from before a fork shares its position with the parent.
        if self._zip is None or self._zip[0] != os.getpid():
            try:
                self._zip = (os.getpid(), zipfile.ZipFile(self.root))
            except (zipfile.BadZipFile, OSError) as error:
                raise PredictionError(
                    f'{self.root}: neither a folder nor a zip that can be '
                    f'read ({error})') from None
        return self._zip[1]


def _is_png(name: str) -> bool:
    return name.lower().endswith('.png') and not _is_hidden(name)


def _is_hidden(name: str) -> bool:
    return any(part.startswith('.') or part == '__MACOSX'
               for part in PurePosixPath(name).parts)


def _decode(content: bytes, path: str) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(content), formats=['PNG'])
        image.load()
    except (OSError, SyntaxError, ValueError,
            Image.DecompressionBombError) as error:
        reason = str(error).splitlines()[0] if str(error) else 'damaged'
        reason = re.sub(r'<_io\.BytesIO[^>]*>', 'the file', reason)
        raise PredictionError(
            f'{path}: cannot be decoded as a PNG ({reason})') from None
    return image


def _refuse_dangerous(archive: str, info: zipfile.ZipInfo) -> None:
    """Refuse entries that would do harm when the zip is unpacked."""
    # zipfile already turned the system's separators into slashes
    name = info.orig_filename.replace('\\', '/')
    if name.startswith('/') or '..' in name.split('/') or re.match(
            r'[A-Za-z]:', name):
        raise PredictionError(
            f'{archive}: refused, the entry {info.orig_filename!r} leads out '
            'of the archive')
    if stat.S_ISLNK(info.external_attr >> 16):
        raise PredictionError(
            f'{archive}: refused, the entry {name!r} is a link; pack the file')
    if info.file_size > MAX_IMAGE_BYTES:
        raise PredictionError(
            f'{archive}: refused, the entry {name!r} unpacks to '
            f'{info.file_size} bytes, more than the {MAX_IMAGE_BYTES} allowed')

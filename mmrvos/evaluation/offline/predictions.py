"""Masks that any method has written, in a folder or a zip."""
import io
import os
import re
import stat
import zipfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from mmrvos.utils import MAX_IMAGE_BYTES, check_file


class PredictionError(ValueError):
    """Something is wrong with a file of the predictions; one line."""


class PredictionFiles:
    """The PNGs of a folder or zip by their paths in it.

    A zip is read in place, never unpacked. It may cross into other processes:
    each opens the file for itself.

    Args:
        root: the folder or zip.

    Attributes:
        paths: relative paths of all PNGs, sorted.
        others: relative paths of all other files, sorted.

    Raises:
        PredictionError: nothing there, no zip, or a zip with an entry that
            would be dangerous to unpack.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self._zip: tuple[int, zipfile.ZipFile] | None = None
        self.is_zip = self.root.is_file()
        if not self.root.exists():
            raise PredictionError(
                f'{self.root} is missing: give a folder or a zip of PNGs')
        names = self._zip_names() if self.is_zip else self._folder_names()
        self.paths = sorted(filter(_is_png, names))
        self.others = sorted(set(names) - set(self.paths))
        self._known = set(names)
        self._children: dict[str, set[str]] = defaultdict(set)
        for path in self.paths:
            parts = _parts(path)
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
        """A file's content.

        Raises:
            PredictionError: it is missing, too large or damaged.
        """
        if path not in self._known:
            raise PredictionError(f'{path}: missing')
        try:
            if not self.is_zip:
                return (self.root / path).read_bytes()
            return self._open_zip().read(path)
        except (KeyError, FileNotFoundError):
            raise PredictionError(f'{path}: missing') from None
        except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError,
                EOFError, NotImplementedError) as error:
            raise PredictionError(
                f'{path}: cannot be read ({error})') from None

    def image(self, path: str) -> Image.Image:
        """A decoded PNG.

        Raises:
            PredictionError: it is missing, damaged or no PNG.
        """
        content = self.read(path)
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

    def labels(self, path: str) -> np.ndarray:
        """The pixel values of a palette or grey PNG, (H, W) uint8 or bool.

        Raises:
            PredictionError: as :meth:`image`, or another mode.
        """
        image = self.image(path)
        if image.mode not in ('L', 'P', '1'):
            raise PredictionError(
                f'{path}: mode {image.mode}, expected an 8-bit grey or '
                'palette PNG')
        return np.asarray(image)

    def find_top(self, names: Iterable[str]) -> str:
        """The folder that holds the given names, '' for the top.

        Submissions come with and without a folder around them; the one under
        which most of the names are found is taken.
        """
        known = set(names)
        tops: Counter[str] = Counter()
        for path in self.paths:
            parts = _parts(path)
            for depth, part in enumerate(parts[:4]):
                if part in known:
                    tops['/'.join(parts[:depth])] += 1
                    break
        return tops.most_common(1)[0][0] if tops else ''

    def children(self, top: str) -> set[str]:
        """The PNGs, without extension, and the folders with PNGs that lie
        directly under a folder."""
        return set(self._children.get(top, ()))

    def _folder_names(self) -> list[str]:
        names = []
        for folder, _, files in os.walk(self.root):
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
        # a file handle that crossed a fork would share its position
        if self._zip is None or self._zip[0] != os.getpid():
            try:
                self._zip = (os.getpid(), zipfile.ZipFile(self.root))
            except (zipfile.BadZipFile, OSError) as error:
                raise PredictionError(
                    f'{self.root}: neither a folder nor a zip that can be '
                    f'read ({error})') from None
        return self._zip[1]


def _is_png(name: str) -> bool:
    # what a Mac packs beside every file, '__MACOSX/a/._b.png', is no picture
    return (name.lower().endswith('.png')
            and not PurePosixPath(name).name.startswith('._'))


def _parts(path: str) -> tuple[str, ...]:
    return PurePosixPath(path).with_suffix('').parts


def _refuse_dangerous(archive: str, info: zipfile.ZipInfo) -> None:
    """Entries that no honest packer makes end the evaluation: whoever unpacks
    this zip is attacked."""
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

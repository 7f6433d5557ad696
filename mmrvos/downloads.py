"""Fetch files of other people: HTTP, Google Drive and the Hugging Face hub.

gdown transfers HTTP and Google Drive, huggingface_hub the hub. This file adds
what both lack: checks of size, hash and content before a file gets its name,
one line per error, and a cache that several processes may use.
"""
import errno
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from .home import home_folder

#: seconds without a byte before a connection counts as lost
TIMEOUT = 30
#: attempts after a lost connection; each continues where the last one ended
RETRIES = 3
#: bytes; a smaller file of a wrong size may be a web page and is looked at
MAX_PAGE = 2**20
DATE = re.compile(r'(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])')
HTML = re.compile(rb'(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html)', re.I)


def is_remote(source: str | Path) -> bool:
    """Tell whether :func:`fetch` takes this address."""
    return str(source).startswith(('http://', 'https://', 'gdrive:', 'hf:'))


def web_page(source: str) -> str:
    """Return the address at which a browser shows or downloads a file."""
    if source.startswith('gdrive:'):
        file_id = source.removeprefix('gdrive:')
        return f'https://drive.google.com/file/d/{file_id}/view'
    if source.startswith('hf:'):
        kind, repo, file = hub_file(source)
        folder = f'{kind}s/' if kind != 'model' else ''
        return f'https://huggingface.co/{folder}{repo}/resolve/main/{file}'
    return source


def hub_file(source: str) -> tuple[str, str, str]:
    """Split ``hf:[spaces/|datasets/]OWNER/REPOSITORY/FILE``.

    Returns:
        The kind of repository ('model', 'space', 'dataset'), OWNER/REPOSITORY
        and the file, which may be in a folder.

    Raises:
        ValueError: a part is missing.
    """
    parts = source.removeprefix('hf:').split('/')
    kind = 'model'
    if parts[0] in ('spaces', 'datasets'):
        kind = parts.pop(0).removesuffix('s')
    if len(parts) < 3 or not all(parts):
        raise ValueError(f'{source}: expected hf:OWNER/REPOSITORY/FILE')
    return kind, '/'.join(parts[:2]), '/'.join(parts[2:])


def local_name(source: str) -> str:
    """Return the file name of a download, unique to its address."""
    name = re.sub(r'^https?://|^hf:', '', source.split('?')[0])
    name = re.sub(r'[^\w.-]+', '_', name.replace('gdrive:', 'gdrive_'))[-200:]
    # addresses may differ in what the name lost: '?id=1', or '/' for '_'
    return f'{hashlib.sha256(source.encode()).hexdigest()[:8]}_{name}'


def hash_in_name(name: str) -> str | None:
    """Return the start of a file's SHA-256 that its name gives.

    >>> hash_in_name('resnet50-0676ba61.pth')
    '0676ba61'
    >>> hash_in_name('model-20240612.pth')  # a date
    """
    found = re.search(r'-([0-9a-f]{8,64})\.', name)
    return found[1] if found and not DATE.fullmatch(found[1]) else None


def fetch(source: str,
          target: Path,
          *,
          sha256: str | None = None,
          size: int | None = None,
          progress: bool = True) -> Path:
    """Download a file, unless it is there already.

    A download that was cut continues where it ended, also in a later call.
    The file gets its name after its content has been checked.

    Args:
        source: ``http(s)://...``, ``gdrive:<id>`` or
            ``hf:[spaces/]<owner>/<repository>/<file>``.
        target: the file to write.
        sha256: expected hash, or its first 8 or more hexadecimal digits.
        size: expected number of bytes.
        progress: show a progress bar on stderr.

    Returns:
        ``target``.

    Raises:
        OSError: the file cannot be downloaded, is a web page, or has another
            size or hash than expected. One line says why. Nothing is kept,
            except the beginning of a file that the server can continue.
        ValueError: ``source`` is no such address.
    """
    if not is_remote(source):
        raise ValueError(f'{source} is no address: expected http(s)://, '
                         'gdrive:ID or hf:OWNER/REPOSITORY/FILE')
    if is_complete(target, size):
        return target
    make_folder(target.parent)
    output = target.with_name(f'{target.name}.unchecked')
    with only_process(target, progress):
        if is_complete(target, size):  # written by the process before
            return target
        transfer = from_hub if source.startswith('hf:') else from_web
        with translated_errors(source, output):
            file = transfer(source, output, size, progress)
        try:
            check_download(file, source, sha256, size)
            os.replace(file, target)
        finally:
            file.unlink(missing_ok=True)
            shutil.rmtree(hub_folder(output), ignore_errors=True)
    return target


def make_folder(folder: Path) -> None:
    """Create the folder of a download.

    Raises:
        OSError: it cannot be created, or does not allow writing.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(
                errno.EACCES, os.strerror(errno.EACCES), str(folder))
    except OSError as error:
        raise OSError(
            f'{folder} cannot hold downloads ({error.strerror}): set '
            f'{variable_of(folder)} to a folder that can be written'
        ) from None


def variable_of(folder: Path) -> str:
    """Name the environment variable that moves a folder of downloads."""
    inside = folder.absolute().is_relative_to(home_folder().absolute())
    return 'MMRVOS_HOME' if inside else 'TORCH_HOME'


def is_complete(path: Path, size: int | None) -> bool:
    return path.is_file() and size in (None, path.stat().st_size)


@contextmanager
def only_process(target: Path, progress: bool) -> Iterator[None]:
    """Let one process at a time write a file.

    Raises:
        OSError: nothing can be written in the home folder.
    """
    home = home_folder()
    locks = home / 'locks'
    name = hashlib.sha256(str(target.absolute()).encode()).hexdigest()[:16]
    lock = FileLock(locks / f'{name}.lock')
    try:
        locks.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        if progress:
            Console(stderr=True).print(
                f'waiting for another process that writes {target}')
        lock.acquire()
    except OSError as error:
        raise OSError(
            f'{home} cannot hold downloads ({error.strerror}): set '
            'MMRVOS_HOME to a folder that can be written') from error
    try:
        yield
    finally:
        lock.release()


# ------------------------------------------------------------------ transfer


def from_web(source: str, output: Path, size: int | None,
             progress: bool) -> Path:
    """Download over HTTP or from Google Drive, see :func:`fetch`."""
    # imported here: most commands do not need it
    import gdown
    from gdown.exceptions import DownloadError

    with progress_bar(source.split('/')[-1], progress) as show:

        def check(done: int, total: int | None) -> None:
            check_total(source, total, size, output.parent, done)
            show(done, total)

        def download() -> None:
            gdown.download(
                url=web_page(source),
                output=str(output),
                quiet=True,
                use_cookies=False,
                resume=True,
                timeout=TIMEOUT,
                retries=RETRIES,
                progress=check)

        output.unlink(missing_ok=True)  # gdown keeps a file that is there
        try:
            download()
        except DownloadError as error:
            if 'byte range' not in str(error) or not partial_files(output):
                raise
            # The server cannot continue the beginning that is here, or its
            # file has changed.
            remove_partial(output)
            download()
    return output


def from_hub(source: str, output: Path, size: int | None,
             progress: bool) -> Path:
    """Download from the Hugging Face hub, see :func:`fetch`."""
    # imported here: most commands do not need it
    from huggingface_hub import hf_hub_download
    from huggingface_hub.utils import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )
    kind, repo, file = hub_file(source)
    check_hub()
    shown = not are_progress_bars_disabled()
    if not progress:
        disable_progress_bars()
    try:
        path = hf_hub_download(
            repo, file, repo_type=kind, local_dir=hub_folder(output))
    finally:
        if shown:
            enable_progress_bars()
    return Path(path)


def check_hub() -> None:
    """Check in one request that the Hugging Face hub can be reached.

    huggingface_hub retries each request for 23 seconds.

    Raises:
        OSError: there is no connection.
    """
    from huggingface_hub import constants, get_session
    try:
        get_session().head(constants.ENDPOINT, timeout=10)
    except Exception as error:  # httpx and its transports have many
        raise OSError(f'{constants.ENDPOINT} cannot be reached from here '
                      f'({error})') from None


def hub_folder(output: Path) -> Path:
    """Folder in which huggingface_hub keeps an unfinished file."""
    return output.with_name(f'{output.name}.hub')


@contextmanager
def progress_bar(name: str,
                 show: bool) -> Iterator[Callable[[int, int | None], None]]:
    columns = (TextColumn('{task.description}'), BarColumn(),
               DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(
            *columns, console=Console(stderr=True),
            disable=not show) as progress:
        task = progress.add_task(name, total=None)
        yield lambda done, total: progress.update(
            task, completed=done, total=total)


# -------------------------------------------------------------------- checks


def check_total(source: str, total: int | None, size: int | None,
                folder: Path, done: int) -> None:
    """Check a size that the server announces, before the transfer.

    Raises:
        OSError: it is not the expected one, or the disk is too small.
    """
    if total is None:
        return
    if size is not None and total != size and total > MAX_PAGE:
        raise WrongFile(
            f'{source}: the server sends {total} bytes, expected {size}; '
            'the published file has changed')
    free = shutil.disk_usage(folder).free
    if total - done > free:
        raise OSError(
            errno.ENOSPC,
            f'{total - done} more bytes are needed, {free} are free in '
            f'{folder}')


def check_download(path: Path,
                   source: str,
                   sha256: str | None = None,
                   size: int | None = None,
                   page: str | None = None) -> None:
    """Check the content of a file.

    Args:
        path: the file.
        source: where it is from, for messages.
        sha256: see :func:`fetch`.
        size: see :func:`fetch`.
        page: where a browser gets the file, by default that of ``source``.

    Raises:
        WrongFile: a web page, or another size or hash than expected.
    """
    with path.open('rb') as file:
        start = file.read(512)
    page = page or web_page(source)
    if HTML.match(start):
        raise WrongFile(
            f'{source}: a web page was sent in place of the file (a quota or '
            f'a login). Open {page} in a browser, and pass the file to '
            '`mmrvos download NAME --from FILE`')
    found = path.stat().st_size
    if not found or size not in (None, found):
        raise WrongFile(f'{source} has {found} bytes, expected '
                        f'{size or "a file"}; fetch it again')
    if sha256 and not (digest := hash_of(path)).startswith(sha256.lower()):
        raise WrongFile(
            f'{source}: the SHA-256 is {digest}, expected {sha256}; the file '
            'was damaged on the way, or the published file has changed')


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    with path.open('rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


class WrongFile(OSError):
    """What was downloaded is not the file that was expected."""


@contextmanager
def translated_errors(source: str, output: Path) -> Iterator[None]:
    """Turn all errors of a transfer into an OSError of one line.

    The beginning of the file stays only where a later call can continue it.
    """
    try:
        yield
    except KeyboardInterrupt:
        kept = discard_unless_resumable(source, output)
        raise KeyboardInterrupt(
            f'{source}: interrupted' +
            (f'; {kept} bytes are kept, the same command continues from there'
             if kept else '')) from None
    except WrongFile:
        remove_partial(output)
        raise
    except Exception as error:
        # many kinds: of requests, of httpx, of gdown, of huggingface_hub
        if getattr(error, 'errno', None) in (errno.ENOSPC, errno.EDQUOT):
            remove_partial(output)
            raise OSError(
                f'{source}: the disk is full ({error.strerror}); '
                f'{variable_of(output.parent)} names another folder') from None
        kept = discard_unless_resumable(source, output)
        raise OSError(f'{source} cannot be downloaded: {reason_of(error)}; '
                      + (f'{kept} bytes are kept, the same command continues '
                         'from there' if kept else
                         f'try again, or fetch {web_page(source)} elsewhere '
                         'and use `mmrvos download NAME --from FILE`')
                      ) from None


def reason_of(error: Exception) -> str:
    """Say in a few words why a transfer failed."""
    response = getattr(error, 'response', None)
    if response is not None and response.status_code >= 400:
        return f'the server answers {response.status_code}'
    text = str(error)
    if 'Failed to retrieve file url' in text:
        return ('Google Drive gives no file (not public, removed, or its '
                'quota of downloads is used up)')
    if 'incomplete' in text or 'IncompleteRead' in text:
        return 'the connection was cut'
    for pattern, reason in (
        ('timed out', f'the server sent nothing for {TIMEOUT} seconds'),
        ('NameResolution|Name or service', 'there is no network'),
        ('refused', 'the connection was refused'),
        ('reset|aborted|without response', 'the connection was cut')):
        if re.search(pattern, text):
            return reason
    return text.strip().splitlines()[0] if text.strip() else repr(error)


def partial_files(output: Path) -> list[Path]:
    """List the unfinished files of a download: gdown adds 8 characters."""
    pattern = re.compile(re.escape(output.name) + r'.{8}\.part')
    return [p for p in output.parent.iterdir() if pattern.fullmatch(p.name)]


def remove_partial(output: Path) -> None:
    """Delete all that an unfinished download has left."""
    for path in partial_files(output):
        path.unlink()
    shutil.rmtree(hub_folder(output), ignore_errors=True)


def discard_unless_resumable(source: str, output: Path) -> int:
    """Delete the beginning of a file that the server cannot continue.

    Returns:
        Number of bytes that are kept.
    """
    hub = hub_folder(output).rglob('*.incomplete')
    kept = sum(p.stat().st_size for p in (*partial_files(output), *hub))
    if not kept or (source.startswith('http') and not has_ranges(source)):
        remove_partial(output)
        return 0
    return kept


def has_ranges(url: str) -> bool:
    """Tell whether a server sends parts of a file; True if it is down."""
    import requests
    try:
        with requests.get(
                url, headers={'Range': 'bytes=0-0'}, stream=True,
                timeout=5) as response:
            return response.status_code == 206
    except requests.RequestException:
        return True

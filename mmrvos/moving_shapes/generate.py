"""Moving Shapes on disk, in the layout of Ref-YouTube-VOS."""
import contextlib
import ctypes
import fcntl
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from PIL import Image

from .videos import SIZES, SPLITS, Made, make_video

# raise it whenever the arrays or sentences of a video change: older trees are
# then made anew on first use
VERSION = 2
VERSION_FILE = 'moving_shapes.json'
LOCK_FILE = '.lock'
_PALETTE = [0, 0, 0, 236, 95, 103, 249, 145, 87, 250, 200, 99, 153, 199, 148,
            98, 179, 178, 102, 153, 204]


def video_name(split: str, index: int) -> str:
    return f'shapes_{split}_{index:04d}'


def frame_names(count: int) -> list[str]:
    return [f'{t:05d}' for t in range(count)]


def _write_video(root: Path, split: str, index: int, made: Made) -> None:
    name = video_name(split, index)
    images = root / split / 'JPEGImages' / name
    masks = root / split / 'Annotations' / name
    images.mkdir(parents=True)
    masks.mkdir(parents=True)
    for t, stem in enumerate(frame_names(made.scene.num_frames)):
        Image.fromarray(made.video.frames[t]).save(
            images / f'{stem}.jpg', quality=95, subsampling=0)
        label = Image.fromarray(made.video.labels[t], mode='P')
        label.putpalette(_PALETTE)
        label.save(masks / f'{stem}.png')


def _bits(bits: int) -> list[str]:
    """Object ids of a bit set."""
    return [str(i + 1) for i in range(bits.bit_length()) if bits >> i & 1]


def _describe(made: Made) -> dict:
    """What the three JSON files say about a video."""
    frames = frame_names(made.scene.num_frames)
    objects, looks = {}, {}
    for i, obj in enumerate(made.scene.objects):
        seen = made.facts.areas[i] > 0
        objects[str(i + 1)] = {
            'category': obj.shape,
            'frames': [f for f, s in zip(frames, seen, strict=True) if s]}
        looks[str(i + 1)] = list(obj.look.words)
    expressions, oracles = {}, {}
    for number, e in enumerate(made.expressions):
        expressions[str(number)] = {
            'exp': e.text, 'obj_id': str(e.meaning.target + 1),
            'type_id': e.meaning.type_id, 'length': e.length}
        oracles[str(number)] = {
            'static': _bits(e.oracles.static), 'set': _bits(e.oracles.set),
            'position': _bits(e.oracles.position)}
    return {'meta': {'objects': objects},
            'expressions': {'expressions': expressions, 'frames': frames},
            'scene': {'looks': looks, 'oracles': oracles}}


def _make(task: tuple[str, int], size: str, seed: int, root: Path) -> tuple:
    split, index = task
    made = make_video(SIZES[size], split, index, seed)
    _write_video(root, split, index, made)
    return split, video_name(split, index), _describe(made)


def _write_json(path: Path, content: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, separators=(',', ':')) + '\n')


def _run(function: Callable, tasks: list, workers: int) -> Iterable:
    if workers == 1:
        yield from map(function, tasks)
        return
    with ProcessPoolExecutor(
            workers, initializer=_die_with, initargs=(os.getpid(), )) as pool:
        yield from pool.map(function, tasks, chunksize=4)


def _die_with(parent: int) -> None:
    """End this worker when its parent ends, also by SIGKILL.

    A worker that Linux forks inherits the locks of its parent and would hold
    them for ever. Other systems start workers without them.
    """
    if sys.platform == 'linux':
        set_death_signal = 1  # PR_SET_PDEATHSIG of prctl(2)
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before the call
            os._exit(1)


def generate(size: str, out: str | Path, workers: int = 2,
             progress: bool = True, seed: int = 0,
             splits: Sequence[str] = SPLITS) -> None:
    """Write a data set; the folder appears only when it is complete.

    Args:
        size: 'mini', 'small' or 'full'.
        out: folder to make; it must not exist, or be empty.
        workers: number of processes; the result does not depend on it.
        progress: show a bar on stderr.
        seed: at least 0. The benchmark is seed 0; others give fresh videos
            of the same kind.
        splits: 'train' and 'valid', or one of them. A video does not depend
            on the other split.

    Raises:
        ValueError: ``size`` or a split is unknown, ``workers`` is below 1, or
            ``seed`` is negative.
        FileExistsError: ``out`` holds something else.
    """
    if size not in SIZES:
        raise ValueError(f'size {size!r} is unknown; choose from '
                         f'{list(SIZES)}')
    if not splits or set(splits) - set(SPLITS):
        raise ValueError(f'splits={list(splits)}: expected some of '
                         f'{list(SPLITS)}')
    if workers < 1:
        raise ValueError(f'workers={workers}: expected at least 1 process')
    if seed < 0:
        raise ValueError(f'seed={seed}: expected at least 0')
    out = Path(out)
    _check_empty(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(out)
    with tempfile.TemporaryDirectory(
            prefix=f'.{out.name}.making-',
            dir=out.parent,
            ignore_cleanup_errors=True) as folder, _locked(
                Path(folder, LOCK_FILE)):
        making = Path(folder, out.name)
        making.mkdir()
        _fill(size, seed, making, workers, progress, splits)
        if _version(out) == dict(version=VERSION, size=size, seed=seed,
                                 splits=sorted(splits)):
            return  # another process was faster
        _check_empty(out)
        if out.exists():
            out.rmdir()
        making.rename(out)


def _check_empty(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(
            f'{out} is not empty: name another folder, or remove it first')


def _remove_leftovers(out: Path) -> None:
    """Remove partial folders of makers that were killed.

    A maker that runs holds a lock in its folder.
    """
    for lock in out.parent.glob(f'.{out.name}.making-*/{LOCK_FILE}'):
        with contextlib.suppress(OSError), _locked(lock, wait=False):
            shutil.rmtree(lock.parent)


@contextlib.contextmanager
def _locked(path: Path, wait: bool = True) -> Iterator[None]:
    """Hold the lock of a file.

    Raises:
        BlockingIOError: another process holds it, and ``wait`` is False.
    """
    with open(path, 'w') as file:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield


def _version(root: Path) -> dict | None:
    """Read version, size, seed and splits of a data set, or return None.

    Raises:
        ValueError: the file is damaged.
    """
    path = root / VERSION_FILE
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text())
        return dict(
            version=int(found['version']),
            size=str(found['size']),
            seed=int(found.get('seed', 0)),
            splits=sorted(found.get('splits', SPLITS)))
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f'{path} is damaged ({type(error).__name__}: {error}): expected '
            f'a version and a size. Remove {root} to make it again') from None


def ensure(root: str | Path, size: str, workers: int = 2,
           splits: Sequence[str] = SPLITS) -> Path:
    """Make the data set on first use, or again when the generator changed.

    A data set that lacks one of the splits is made again with both.

    A data set of another seed, which :func:`generate` makes, is used as it
    is, and made again with its seed.

    Several processes may call this at once: one makes it, the others wait.

    Args:
        root: folder of the data set.
        size: 'mini', 'small' or 'full'.
        workers: number of processes, if it must be made.
        splits: that are needed.

    Returns:
        ``root`` as a path.

    Raises:
        FileExistsError: the folder holds something that is not Moving Shapes.
        ValueError: the folder holds another size or a newer version, which
            are kept, or its version file is damaged.
    """
    root = Path(root)
    if _is_current(_version(root), size, splits):
        return root
    root.parent.mkdir(parents=True, exist_ok=True)
    with _locked(root.parent / f'.{root.name}.lock'):
        found = _version(root)
        if _is_current(found, size, splits):
            return root
        seed = 0
        if found is not None:
            seed, splits = found['seed'], SPLITS
            wanted = dict(version=VERSION, size=size, seed=seed,
                          splits=sorted(splits))
            _check_replaceable(root, found, wanted)
            print(f'{root} holds {found}, this needs {wanted}: made anew',
                  file=sys.stderr)
            # renamed first: a process that is killed leaves no half of it
            old = Path(tempfile.mkdtemp(
                prefix=f'.{root.name}.making-', dir=root.parent))
            (old / LOCK_FILE).touch()
            root.rename(old / root.name)
            shutil.rmtree(old, ignore_errors=True)
        generate(size, root, workers, seed=seed, splits=splits)
    return root


def _is_current(found: dict | None, size: str, splits: Sequence[str]) -> bool:
    return (found is not None
            and (found['version'], found['size']) == (VERSION, size)
            and set(splits) <= set(found['splits']))


def _check_replaceable(root: Path, found: dict, wanted: dict) -> None:
    if found['size'] != wanted['size'] or found['version'] > VERSION:
        message = (f'{root} holds Moving Shapes of {found}, expected {wanted}'
                   ': name another folder (data_root=DIR), or remove this one')
        if found['size'] in SIZES and found['size'] != wanted['size']:
            message += (
                f'. If the size {found["size"]} is meant, set it in the '
                f'config: train_dataloader.dataset.size={found["size"]}, and '
                'the same of val_dataloader and test_dataloader')
        raise ValueError(message)
    others = {path.name for path in root.iterdir()} - {
        *SPLITS, 'meta_expressions', VERSION_FILE}
    if others:
        raise FileExistsError(
            f'{root} holds an old version of Moving Shapes, which would be '
            f'replaced, and other files ({sorted(others)[0]}): move them away')


def _fill(size: str, seed: int, root: Path, workers: int, progress: bool,
          splits: Sequence[str]) -> None:
    counts = {'train': SIZES[size].train, 'valid': SIZES[size].valid}
    tasks = [(split, i) for split in splits for i in range(counts[split])]
    found: dict[str, dict[str, dict]] = {split: {} for split in splits}
    start = time.monotonic()
    for done, (split, name, said) in enumerate(
            _run(partial(_make, size=size, seed=seed, root=root), tasks,
                 workers), 1):
        found[split][name] = said
        if progress and (done % 20 == 0 or done == len(tasks)):
            _show(done, len(tasks), time.monotonic() - start)
    for split, videos in found.items():
        def part(key: str, videos: dict = videos) -> dict:
            return {'videos': {n: v[key] for n, v in videos.items()}}
        _write_json(root / split / 'meta.json', part('meta'))
        _write_json(root / split / 'scenes.json', part('scene'))
        _write_json(
            root / 'meta_expressions' / split / 'meta_expressions.json',
            part('expressions'))
    mark = {'version': VERSION, 'size': size}
    if seed:
        mark['seed'] = seed
    if set(splits) != set(SPLITS):
        mark['splits'] = list(splits)
    _write_json(root / VERSION_FILE, mark)


def _show(done: int, total: int, seconds: float) -> None:
    width = 40 * done // total
    end = '\n' if done == total else ''
    print(f'\rMoving Shapes [{"=" * width:40}] {done}/{total} videos, '
          f'{seconds:.0f} s', end=end, file=sys.stderr, flush=True)

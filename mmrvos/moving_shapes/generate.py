"""Moving Shapes on disk, in the layout of Ref-YouTube-VOS."""
import fcntl
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from PIL import Image

from .videos import SIZES, SPLITS, Made, make_video

# raise it whenever the arrays or sentences of a video change: older trees are
# then made anew on first use
VERSION = 2
VERSION_FILE = 'moving_shapes.json'
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


def _make(task: tuple[str, int], size: str, root: Path) -> tuple:
    split, index = task
    made = make_video(SIZES[size], split, index)
    _write_video(root, split, index, made)
    return split, video_name(split, index), _describe(made)


def _write_json(path: Path, content: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, separators=(',', ':')) + '\n')


def _run(function: Callable, tasks: list, workers: int) -> Iterable:
    if workers <= 1:
        yield from map(function, tasks)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(function, tasks, chunksize=4)


def generate(size: str, out: str | Path, workers: int = 2,
             progress: bool = True) -> None:
    """Write a whole tree; the folder appears only when it is complete.

    Args:
        size: 'mini', 'small' or 'full'.
        out: folder to make; it must not exist, or be empty.
        workers: number of processes; the result does not depend on it.
        progress: show a bar on stderr.

    Raises:
        ValueError: unknown size.
        FileExistsError: ``out`` holds something else.
    """
    if size not in SIZES:
        raise ValueError(f'size {size!r} is unknown; choose from '
                         f'{list(SIZES)}')
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(
            f'{out} is not empty: name another folder, or remove it first')
    out.parent.mkdir(parents=True, exist_ok=True)
    making = out.parent / f'.{out.name}.making-{os.getpid()}'
    making.mkdir()
    try:
        _fill(size, making, workers, progress)
        if out.exists():
            out.rmdir()
        making.rename(out)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _version(root: Path) -> dict | None:
    path = root / VERSION_FILE
    return json.loads(path.read_text()) if path.is_file() else None


def ensure(root: str | Path, size: str, workers: int = 2) -> Path:
    """Make the tree on first use, or again when the generator has changed.

    Several processes may call this at once: one makes, the others wait.

    Args:
        root: folder of the tree.
        size: 'mini', 'small' or 'full'.

    Returns:
        ``root`` as a path.

    Raises:
        FileExistsError: the folder holds something that is not Moving Shapes.
    """
    root = Path(root)
    wanted = {'version': VERSION, 'size': size}
    if _version(root) == wanted:
        return root
    root.parent.mkdir(parents=True, exist_ok=True)
    with open(root.parent / f'.{root.name}.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = _version(root)
        if found == wanted:
            return root
        if found is not None:
            print(f'{root} holds {found}, this needs {wanted}: made anew',
                  file=sys.stderr)
            shutil.rmtree(root)
        generate(size, root, workers)
    return root


def _fill(size: str, root: Path, workers: int, progress: bool) -> None:
    counts = {'train': SIZES[size].train, 'valid': SIZES[size].valid}
    tasks = [(split, i) for split in SPLITS for i in range(counts[split])]
    found: dict[str, dict[str, dict]] = {split: {} for split in SPLITS}
    start = time.monotonic()
    for done, (split, name, said) in enumerate(
            _run(partial(_make, size=size, root=root), tasks, workers), 1):
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
    _write_json(root / VERSION_FILE, {'version': VERSION, 'size': size})


def _show(done: int, total: int, seconds: float) -> None:
    width = 40 * done // total
    end = '\n' if done == total else ''
    print(f'\rMoving Shapes [{"=" * width:40}] {done}/{total} videos, '
          f'{seconds:.0f} s', end=end, file=sys.stderr, flush=True)

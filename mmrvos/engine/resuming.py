"""What ``--resume`` goes on from."""
from pathlib import Path


def latest_checkpoint(work_dir: str | Path) -> str:
    """Find the checkpoint that a work dir names as its latest.

    Raises:
        FileNotFoundError: there is none; names the folder and what could be
            used instead.
    """
    work_dir = Path(work_dir)
    pointer = work_dir / 'last_checkpoint'
    saved = sorted(
        work_dir.glob('*.pth'), key=lambda path: path.stat().st_mtime)
    if pointer.is_file():
        path = Path(pointer.read_text().strip())
        if path.is_file():
            return str(path)
        found = f'{pointer} names {str(path)!r}, which is missing'
    else:
        found = f'{work_dir} has no checkpoint to resume from'
    if saved:
        raise FileNotFoundError(
            f'{found}: the newest file there is {saved[-1]}, pass --resume '
            f'{saved[-1]}')
    raise FileNotFoundError(
        f'{found}: check --work-dir, or leave out --resume to start from the '
        'beginning')

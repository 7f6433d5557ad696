"""The folder of results: checked first, cleared of an earlier run's files."""
import re
from collections.abc import Collection
from pathlib import Path

from mmrvos.utils import check_output_folder, load_json

OUTPUTS = ('overlay', 'masks', 'json')
RESULT = 'result.json'


def earlier_files(folder: Path) -> list[Path]:
    """List the files that an earlier run has written into a folder.

    ``result.json`` says which. Other files are never listed.
    """
    try:
        content = load_json(folder / RESULT)
        frames = list(map(str, content['frames']))
        num = len(content['expressions'])
    except (OSError, ValueError, KeyError, TypeError):
        return []
    masks = folder / 'masks'
    candidates = [
        folder / RESULT, folder / 'overlay.mp4', folder / 'overlay.png', *[
            masks / str(e) / f'{name}.png' for e in range(num)
            for name in frames if re.fullmatch(r'[^/\\]+', name)
        ]
    ]
    return [path for path in candidates if path.is_file()]


def check_folder(folder: str | Path, outputs: Collection[str]) -> Path:
    """Check that results can be written into a folder.

    Returns:
        The folder.

    Raises:
        FileExistsError: it holds masks that no ``result.json`` lists, which
            would mix with the new ones.
        OSError: it cannot be written, or the path is empty.
        TypeError: it is no path.
        ValueError: an unknown kind of output.
    """
    if unknown := set(outputs) - set(OUTPUTS):
        raise ValueError(f'outputs has {sorted(unknown)}, expected some '
                         f'of {OUTPUTS}')
    folder = check_output_folder(folder)
    for name in ('masks', 'result.json', 'overlay.mp4', 'overlay.png'):
        path = folder / name
        if path.exists() and path.is_dir() != (name == 'masks'):
            raise FileExistsError(
                f'{path} is a {"folder" if path.is_dir() else "file"}, '
                f'expected a {"folder" if name == "masks" else "file"}: '
                'choose another out_dir')
    known = earlier_files(folder)
    if 'masks' in outputs and not known:
        found = next((folder / 'masks').glob('*/*.png'), None)
        if found is not None:
            raise FileExistsError(
                f'{found} exists, but no {RESULT} of an earlier run lists '
                'it: choose another out_dir, or delete the masks')
    return folder

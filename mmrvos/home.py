"""The folder of downloaded files, and where checkpoints are looked up."""
import os
from pathlib import Path


def home_folder() -> Path:
    """Return the folder of downloaded and converted files.

    ``MMRVOS_HOME`` names it; the default is ``~/.cache/mmrvos``. Checkpoints
    are in its folder ``checkpoints``.
    """
    home = os.environ.get('MMRVOS_HOME') or '~/.cache/mmrvos'
    return Path(home).expanduser()


def find_checkpoint(path: str | Path) -> Path:
    """Look up a checkpoint file.

    Configs name checkpoints 'checkpoints/<name of the model>.pth'. Such a
    relative path is looked up in the current folder, where a training step
    wrote it, and then in the home folder, where ``mmrvos download`` writes.

    Args:
        path: of the checkpoint.

    Returns:
        The path of the file; ``path`` itself if there is no such file.
    """
    path = Path(path)
    at_home = home_folder() / path  # an absolute path stays the same
    return at_home if not path.exists() and at_home.is_file() else path

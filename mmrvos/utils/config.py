"""Config files are read, changed by options, and checked."""
import ast
import re
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmrvos import registry

from .config_keys import (
    FOREIGN_KEYS,
    PLAIN_DICTS,
    REGISTRIES,
    RUNNER_KEYS,
    ConfigError,
    check_keys,
    known_keys,
    paths_of,
    refuse,
    similar_names,
)
from .config_values import check_values
from .paths import check_file

__all__ = [
    'PLAIN_DICTS', 'REGISTRIES', 'RUNNER_KEYS', 'ConfigError',
    'apply_options', 'default_work_dir', 'load_config',
    'needs_checkpoint', 'weights_from_checkpoint', 'without_downloads'
]
# Parts of a config whose paths begin with data_root.
DATA_PARTS = [
    f'{split}_{part}' for split in ('train', 'val', 'test')
    for part in ('dataloader', 'evaluator')
]


def load_config(path: str | Path,
                options: Mapping[str, Any] | None = None) -> Config:
    """Read a config file, change some of its values and check all its keys.

    A file may set ``data_root`` for the data set, loaders and evaluators of
    its bases, see :func:`set_data_root`.

    Args:
        path: the config file.
        options: dotted key to value, e.g. ``{'optim_wrapper.optimizer.lr':
            1e-4}``, as ``--cfg-options`` gives them.

    Raises:
        FileNotFoundError: no such file.
        ConfigError: not a Python file, or it does not run, or nothing reads
            one of its keys or of the options; names similar keys.
    """
    path = Path(path)
    try:
        check_file(path)
    except FileNotFoundError:
        raise FileNotFoundError(
            f'{path} is missing: expected a config file, e.g. '
            'configs/referformer/tiny_shapes.py') from None
    if path.suffix != '.py':
        # MMEngine runs Python code that a YAML file contains
        raise ConfigError(f'{path}: expected a config file ending in .py')
    cfg = read_config(path)
    check_helpers(cfg, path)
    check_keys(cfg)
    apply_options(cfg, options or {})
    return cfg


def read_config(path: Path) -> Config:
    """Read a config file and its bases.

    Raises:
        ConfigError: one of the files does not run: names file and line.
    """
    for file in _chain(path):  # MMEngine would wait for a pipe
        if file.error is not None and file.path.exists():
            raise ConfigError(f'{path} cannot be read: '
                              f'{_reason(path, file.error)}')
    try:
        return Config.fromfile(path)
    except SystemExit as stop:
        raise ConfigError(
            f'{path} cannot be read: it ends the program ({stop.code})'
        ) from None
    except Exception as error:
        raise ConfigError(f'{path} cannot be read: '
                          f'{_reason(path, error)}') from error


def _reason(path: Path, error: Exception) -> str:
    """Return what is wrong in a config file, with its place if known."""
    for file in _chain(path):
        if isinstance(file.error, SyntaxError):
            return f'{file.error.msg} ({file.path}, line {file.error.lineno})'
        if file.error is not None:
            return str(file.error)
    if isinstance(error.__cause__, ImportError):  # of custom_imports
        return (f'{error.__cause__}, which custom_imports names; PYTHONPATH '
                'must contain its folder')
    files = {str(file.path.resolve()) for file in _chain(path)}
    lines = [
        f' ({frame.filename}, line {frame.lineno})'
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename in files
    ]
    message = str(error).strip() or 'no message'
    return (f'{type(error).__name__}: {message.splitlines()[0]}'
            + ''.join(lines[-1:]))


class ConfigFile:
    """The source of a config file: its bases and variables.

    Attributes:
        error: why the file could not be parsed, or None.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tree, self.error = ast.parse(''), None
        try:
            self.text = check_file(path).read_text(encoding='utf-8')
            if path.suffix == '.py':
                self.tree = ast.parse(self.text)
        except (OSError, SyntaxError, ValueError) as error:
            self.text, self.error = '', error

    @property
    def bases(self) -> list[Path]:
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and '_base_' in _targets(node):
                try:
                    found = ast.literal_eval(node.value)
                except ValueError:
                    return []
                found = [found] if isinstance(found, str) else found
                return [
                    self.path.parent / name for name in found
                    if '::' not in name  # a file of an installed package
                ]
        return []

    @cached_property
    def variables(self) -> list[str]:
        """Variables that the file sets, except its private ones."""
        return [
            name for node in self.tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for name in _targets(node) if not name.startswith('_')
        ]

    @property
    def dumped(self) -> bool:
        """Whether MMEngine has written the file, as into a work dir.

        It writes the values of a config and its bases with sorted keys. The
        variables that the bases have used are among them.
        """
        return (not self.bases and self.variables == sorted(self.variables)
                and {'default_scope', 'model'} <= set(self.variables))

    @cached_property
    def unread(self) -> list[str]:
        """Variables that the file sets and does not read."""
        read = {
            node.id
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }
        return [name for name in self.variables if name not in read]

    @cached_property
    def read_of_bases(self) -> set[str]:
        """Variables of the bases that the file reads."""
        return set(re.findall(r'_base_(?:\.|\[[\'"])(\w+)', self.text))


def _targets(node: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [
        name.id for target in targets for name in ast.walk(target)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
    ]


def _chain(path: Path) -> Iterator[ConfigFile]:
    """A config file after all its bases."""
    file = ConfigFile(path)
    for base in file.bases:
        yield from _chain(base)
    yield file


def check_helpers(cfg: Config, path: Path) -> None:
    """Check the helper variables of a config: keys that the runner ignores.

    ``data_root`` is passed on to loaders and evaluators.

    Raises:
        ConfigError: a helper variable is a misspelt key or one of another
            toolbox, or changes a variable that a base file has already used.
    """
    *bases, leaf = _chain(path)
    if leaf.dumped:
        return
    helpers = set(cfg) - RUNNER_KEYS
    for key in sorted(helpers):
        if similar := similar_names(key, RUNNER_KEYS, cutoff=0.8):
            raise ConfigError(f'{path} sets {key!r}, which nothing reads; did '
                              f'you mean {similar[0]!r}?')
    read = set().union(*(file.read_of_bases for file in (*bases, leaf)))
    unread = {key for file in bases for key in file.unread} - read
    unread |= set(leaf.unread) if path.suffix == '.py' else helpers
    for key in sorted(unread & helpers):
        if key in FOREIGN_KEYS:
            raise ConfigError(f'{path} sets {key!r}, which nothing reads: set '
                              f'{FOREIGN_KEYS[key]} instead')
    of_bases = {key for file in bases for key in file.variables}
    for key in set(leaf.unread) & helpers - {'custom_imports', 'data_root'}:
        message = f'{path} sets {key!r}, which nothing reads.'
        if key in of_bases:
            raise ConfigError(
                f'{message} The base file has already used its own value: '
                'set the keys that are built from it.' + paths_of(cfg, key))
        if meant := paths_of(cfg, key):
            raise ConfigError(message + meant)
        if similar := similar_names(
                key, of_bases | set(FOREIGN_KEYS), cutoff=0.8):
            raise ConfigError(f'{message} Is {similar[0]!r} meant?')
        warnings.warn(message, stacklevel=3)
    for file in (*bases, leaf):
        if 'data_root' in file.unread and (
                file is leaf or file.bases and 'data_root' not in read):
            roots = [read_config(base).get('data_root') for base in file.bases]
            old = next((root for root in roots if root), None)
            set_data_root(cfg, cfg.data_root, old)


def set_data_root(cfg: Config, new: str, old: str | None = None) -> None:
    """Change the data folder in all loaders and evaluators of a config.

    Args:
        cfg: changed in place.
        new: the folder to use.
        old: every path that begins with this folder is changed; None stands
            for the only ``data_root`` of the loaders.

    Raises:
        ConfigError: the loaders have several folders and ``old`` is None, or
            no path begins with ``old``.
    """
    roots = dict(_data_roots({k: cfg[k] for k in DATA_PARTS if k in cfg}))
    if old is None and len(set(roots.values())) == 1:
        old = next(iter(roots.values()))
    if not isinstance(new, str):
        raise ConfigError(f'data_root is {new!r}, expected a folder')
    changed = old is not None and sum(
        _replace_root(cfg[part], old.rstrip('/'), new.rstrip('/') or new)
        for part in DATA_PARTS if cfg.get(part))
    if not changed:
        listed = ', '.join(f'{at}={root}' for at, root in roots.items())
        raise ConfigError(
            f'data_root={new} cannot replace one folder, because the config '
            f'has several or none: set each one ({listed or "none"})')
    cfg.data_root = new


def _data_roots(node: Any, at: str = '') -> Iterator[tuple[str, str]]:
    """Dotted paths and values of all keys ``data_root``."""
    if isinstance(node, Mapping):
        for key, child in node.items():
            path = f'{at}.{key}'.lstrip('.')
            if key == 'data_root' and isinstance(child, str):
                yield path, child
            else:
                yield from _data_roots(child, path)
    elif isinstance(node, (list, tuple)):
        for i, child in enumerate(node):
            yield from _data_roots(child, f'{at}.{i}')


def _replace_root(node: Any, old: str, new: str) -> int:
    """Change all paths below a folder in place; returns their number."""
    children = node.items() if isinstance(node, Mapping) else enumerate(node)
    changed = 0
    for key, child in list(children):
        if isinstance(child, str):
            is_root = key == 'data_root' and child.rstrip('/') == old
            if is_root or old and f'{child}/'.startswith(f'{old}/'):
                node[key] = new + child[len(old):]
                changed += 1
        elif isinstance(child, Mapping | list):
            changed += _replace_root(child, old, new)
    return changed


def apply_options(cfg: Config, options: Mapping[str, Any]) -> None:
    """Change values of a config in place.

    Args:
        cfg: the config.
        options: dotted key to value. ``data_root`` changes the folder of all
            loaders and evaluators, before all other options.

    Raises:
        ConfigError: a key that does not exist, with similar ones.
    """
    init_default_scope(cfg.get('default_scope', 'mmrvos'))
    options = dict(options)
    if 'data_root' in options:
        set_data_root(cfg, options.pop('data_root'), cfg.get('data_root'))
    for key, value in options.items():  # a type may come before its keys
        _check_option(cfg, key)
        cfg.merge_from_dict({key: value})
    check_keys(cfg)
    check_values(cfg)


def without_downloads(model: dict, vocabulary: Sequence[str]) -> None:
    """Change the config of a model, in place, so that it downloads nothing.

    The whole config is searched. Pretrained weights of an ``init_cfg`` become
    random ones. A class with more to change has a class method
    ``without_downloads(cfg, vocabulary)``: text encoders and propagators.

    Args:
        model: the config of a model, or of a part.
        vocabulary: the words that a text encoder must know; may repeat.
    """
    vocabulary = sorted(set(vocabulary))
    for node in list(_mappings(model)):
        init_cfg = node.get('init_cfg') or ()
        steps = [init_cfg] if isinstance(init_cfg, Mapping) else init_cfg
        if any(step.get('type') == 'Pretrained' for step in steps):
            node['init_cfg'] = None
        kind = node.get('type')
        if isinstance(kind, str):
            kind = (registry.MODELS.get(kind)
                    or registry.TASK_UTILS.get(kind))
        if hasattr(kind, 'without_downloads'):
            kind.without_downloads(node, vocabulary)


def weights_from_checkpoint(model: dict) -> None:
    """Change the config of a model, in place, so that it loads no weights.

    For a model that gets all its weights from a checkpoint. Parts whose class
    has a class method ``weights_from_checkpoint(cfg)`` are changed: text
    encoders, which load pretrained weights when they are built.
    """
    for node in list(_mappings(model)):
        kind = node.get('type')
        if isinstance(kind, str):
            kind = registry.MODELS.get(kind)
        if hasattr(kind, 'weights_from_checkpoint'):
            kind.weights_from_checkpoint(node)


def needs_checkpoint(model: dict) -> bool:
    """Return whether a model has weights of ours.

    A class with ``needs_checkpoint = False`` loads published models itself.

    Args:
        model: the config of a model.
    """
    kind = registry.MODELS.get(model['type'])
    return getattr(kind, 'needs_checkpoint', True)


def _mappings(node: Any) -> Iterator[dict]:
    """All mappings of a nested config."""
    if isinstance(node, Mapping):
        yield node
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for child in node:
            yield from _mappings(child)


def default_work_dir(path: str | Path) -> str:
    """Return work_dirs/<method>/<name of the config>.

    The method is the config's folder, for an ablation that of 'ablations'.
    """
    path = Path(path).resolve()
    folders = [p.name for p in path.parents if p.name != 'ablations']
    return str(Path('work_dirs', folders[0], path.stem))


def _check_option(cfg: Config, key: str) -> None:
    """Check that a key exists, or that the class that receives it has a
    parameter of that name."""
    *parents, last = key.split('.')
    top = key.split('.')[0]
    if top in cfg and top not in RUNNER_KEYS:
        raise ConfigError(
            f'{key}: {top!r} is a helper variable of the config file, '
            'changing it now changes nothing.' + paths_of(cfg, last))
    if top in FOREIGN_KEYS and top not in cfg and top not in RUNNER_KEYS:
        raise ConfigError(f'nothing reads {top!r}: set '
                          f'{FOREIGN_KEYS[top]} instead')
    node, at = cfg, ''
    for name in parents:
        if not _has(node, name):
            refuse(cfg, node, at, name)
        node = _get(node, name)
        at = f'{at}.{name}'.lstrip('.')
    if not _has(node, last) and last not in known_keys(node, at)[0]:
        refuse(cfg, node, at, last)


def _has(node: Any, name: str) -> bool:
    if isinstance(node, (list, tuple)):
        return name.isdigit() and int(name) < len(node)
    return isinstance(node, Mapping | Config) and name in node


def _get(node: Any, name: str) -> Any:
    return node[int(name) if isinstance(node, (list, tuple)) else name]

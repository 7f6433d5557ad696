"""Versions of the OpenMMLab packages that mmrvos runs on."""
from collections.abc import Callable
from importlib import metadata

from packaging.specifiers import SpecifierSet

# import name: ((distribution, versions), ...), the tested one first; the
# second is the upstream project, whose resume needs torch < 2.6
SUPPORTED = {
    'mmcv': (('onedl-mmcv', '>=2.3.6,<2.4'), ('mmcv', '>=2.1.0,<2.2')),
    'mmengine':
    (('onedl-mmengine', '>=0.10.12,<0.11'), ('mmengine', '>=0.10.7,<0.11')),
    'mmdet': (('onedl-mmdetection', '>=3.5.1,<3.6'),
              ('mmdet', '>=3.3.0,<3.4')),
}


def installed_version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def check_dependencies(
        version_of: Callable[[str], str | None] = installed_version) -> None:
    """Check that one distribution of each package is there and fits.

    Args:
        version_of: gives the installed version of a distribution, or None.

    Raises:
        ImportError: says what is installed and what to install.
    """
    for name, distributions in SUPPORTED.items():
        found = {d: version_of(d) for d, _ in distributions if version_of(d)}
        wanted = ' or '.join(d + v for d, v in distributions)
        if not found:
            raise ImportError(
                f'{name} is not installed: mmrvos needs {wanted}. '
                '`make install` sets everything up; docs/get_started.md '
                'shows the steps.')
        if len(found) > 1:
            raise ImportError(
                f'{" and ".join(found)} are both installed and overwrite each '
                f'other\'s files: uninstall both, then install '
                f'{distributions[0][0]}{distributions[0][1]}.')
        (distribution, version), = found.items()
        if version not in SpecifierSet(dict(distributions)[distribution]):
            raise ImportError(
                f'{distribution} {version} is installed, but mmrvos needs '
                f'{wanted}.')

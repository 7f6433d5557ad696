"""Package metadata, and the wheel's copy of configs, tools and demo.

Dependencies are split as in the OpenMMLab projects: torch, mmcv, mmengine and
mmdet are installed first (``make install``), because mmcv's ops have to be
compiled against the torch that is there; ``mmrvos/__init__.py`` checks them.
"""
import os
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
MIM_FILES = ('configs', 'tools', 'demo', 'model-index.yml')


class BuildWithMim(build_py):
    """Put ``MIM_FILES`` into ``mmrvos/.mim``, where MMEngine looks for them.

    A wheel gets copies, an editable install gets links. Checkpoints are not
    copied, so that the wheel stays small; ``find_weights`` names their place.
    """

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            self._fill(ROOT / 'mmrvos' / '.mim', self._link)
        else:
            self._fill(Path(self.build_lib, 'mmrvos', '.mim'), self._copy)

    @staticmethod
    def _fill(folder: Path, put) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in MIM_FILES:
            put(ROOT / name, folder / name)

    @staticmethod
    def _link(source: Path, target: Path) -> None:
        target.symlink_to(os.path.relpath(source, target.parent))

    @staticmethod
    def _copy(source: Path, target: Path) -> None:
        if source.is_file():
            shutil.copyfile(source, target)
        else:
            shutil.copytree(
                source,
                target,
                ignore=shutil.ignore_patterns('output', '__pycache__',
                                              '*.pth'))


def version() -> str:
    scope: dict = {}
    exec((ROOT / 'mmrvos' / 'version.py').read_text(), scope)
    return scope['__version__']


def requirements(name: str) -> list[str]:
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    return [line for line in lines if line and not line.startswith('#')]


setup(
    name='mmrvos',
    version=version(),
    description='A toolbox for referring video object segmentation',
    long_description=(ROOT / 'README.md').read_text(),
    long_description_content_type='text/markdown',
    author='mmrvos contributors',
    license='Apache-2.0',
    keywords='referring video object segmentation, computer vision',
    classifiers=[
        'Development Status :: 4 - Beta',
        'Intended Audience :: Science/Research',
        'Operating System :: POSIX :: Linux',
        'Programming Language :: Python :: 3',
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Programming Language :: Python :: 3.13',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
        'Topic :: Scientific/Engineering :: Image Recognition',
        'Typing :: Typed',
    ],
    packages=find_packages(include=('mmrvos', 'mmrvos.*')),
    package_data={'mmrvos': ['py.typed', '**/*.pyi']},
    python_requires='>=3.11,<3.14',
    entry_points={'console_scripts': ['mmrvos = mmrvos.cli:main']},
    install_requires=requirements('runtime'),
    extras_require={
        'mim': requirements('mminstall'),
        'optional': requirements('optional'),
        'docs': requirements('docs'),
        'tests': requirements('tests'),
    },
    cmdclass={'build_py': BuildWithMim},
    zip_safe=False)

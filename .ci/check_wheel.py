"""Build the wheel from the source archive, and run it outside the checkout.

    python .ci/check_wheel.py FOLDER
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: runs in a folder of its own, where only the wheel can be imported
PROGRAM = """
import importlib, pkgutil, sys
import mmrvos
assert mmrvos.__path__[0].startswith(sys.argv[1]), mmrvos.__path__
modules = [m.name for m in pkgutil.walk_packages(mmrvos.__path__, 'mmrvos.')
           if not m.name.endswith('__main__')]
for name in modules:
    importlib.import_module(name)
print(f'{len(modules)} modules of mmrvos {mmrvos.__version__} imported')

from pathlib import Path
from PIL import Image
from mmrvos.cli import main
for t in range(2):
    Image.new('RGB', (96, 64), (40 * t, 0, 0)).save(f'{t}.png')
sys.argv[1:] = ['infer', 'referformer_tiny_shapes', '[0-9].png',
                'the red circle', '--weights', sys.argv[2],
                '--out-dir', 'out']
main()
assert len(list(Path('out/masks').glob('*/*.png'))) == 2
assert Path('out/overlay.mp4').is_file()
"""


def run(step: str, *command: str, **options) -> str:
    """Return what a command prints; its errors are shown if it fails."""
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, **options)
    if done.returncode:
        print(done.stdout, done.stderr, sep='\n', file=sys.stderr)
        sys.exit(f'make wheel: {step} fails, see above')
    return done.stdout


def main() -> None:
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob('mmrvos-*'):
        old.unlink()
    python = sys.executable
    run('the source archive', python, '-c',
        'import sys; from setuptools import build_meta; '
        'build_meta.build_sdist(sys.argv[1])', str(folder),
        cwd=ROOT)
    archive, = folder.glob('mmrvos-*.tar.gz')
    run('the wheel', python, '-m', 'pip', 'wheel', '-q',
        '--disable-pip-version-check', '--no-deps', '--no-build-isolation',
        '-w', str(folder), str(archive))
    wheel, = folder.glob('mmrvos-*.whl')
    with tempfile.TemporaryDirectory() as outside:
        site = os.path.join(outside, 'site')
        run('the installation', python, '-m', 'pip', 'install', '-q',
            '--no-deps', '--no-index', '--disable-pip-version-check',
            '--target', site, str(wheel))
        options = dict(
            cwd=outside, env=dict(os.environ, PYTHONPATH=site))
        models = run('mmrvos list', python, '-m', 'mmrvos', 'list', **options)
        print(f'{len(models.splitlines()) - 1} models are listed')
        output = run(
            'the program', python, '-c', PROGRAM, site,
            str(ROOT / 'demo/referformer_tiny_shapes.pth'), **options)
        print(output.splitlines()[0])  # progress bars follow
    print(f'{wheel.relative_to(ROOT)}: {wheel.stat().st_size / 1e6:.1f} MB')


if __name__ == '__main__':
    main()

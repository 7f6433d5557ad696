"""--help and imports must not wait for PyTorch."""
import subprocess
import sys
from importlib import import_module

import pytest

from .running import ROOT

LAZY = ('apis', 'conversion', 'structures', 'utils', 'visualization')

SHOW_HELP = '''
import contextlib, io, runpy, sys
for name in sys.argv[1:]:
    sys.argv = [name, '--help']
    sys.path[0] = name.rpartition('/')[0]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        try:
            runpy.run_path(name, run_name='__main__')
        except SystemExit as end:
            assert end.code == 0, name
    assert 'usage:' in out.getvalue(), name
    assert 'torch' not in sys.modules, name
'''

def test_help_imports_no_torch():
    tools = [str(p) for folder in ('demo', 'tools', 'tools/*', 'mmrvos')
             for p in ROOT.glob(f'{folder}/*.py')
             if '__main__' in p.read_text() and p.name != '__main__.py']
    assert len(tools) > 15
    subprocess.run([sys.executable, '-c', SHOW_HELP, *tools], check=True)


@pytest.mark.parametrize('package', LAZY)
def test_public_names(package):
    module = import_module(f'mmrvos.{package}')
    assert set(module.__all__) <= set(dir(module))
    for name in module.__all__:
        assert getattr(module, name) is not None
    assert not hasattr(module, 'no_such_name')


def test_imports_without_torch():
    modules = [f'mmrvos.{name}' for name in (
        *LAZY, 'cli', 'commands.infer', 'commands.eval', 'commands.list',
        'commands.download', 'commands.table', 'commands.reproduce',
        'datasets', 'evaluation')]
    subprocess.run([
        sys.executable, '-c',
        f'import sys, {", ".join(modules)}; assert "torch" not in sys.modules'
    ], check=True)

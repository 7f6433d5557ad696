"""Navigation of the site, workflow, forms and stubs."""
import importlib
import importlib.util
import re
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
STUBS = sorted(ROOT.glob('mmrvos/**/*.pyi'))


def load(path: str, monkeypatch):
    monkeypatch.setattr(sys, 'path', sys.path.copy())
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_new_page_is_in_the_last_section(monkeypatch):
    navigation = load('docs/_extensions/navigation.py', monkeypatch)
    found = navigation.sections(
        ['docs/new', 'docs/b', 'docs/a', 'configs/x/README'],
        {'Start': ['docs/b', 'docs/[ab]'], 'Models': ['configs/*/README'],
         'Empty': ['docs/none']})
    assert found == {'Start': ['docs/b', 'docs/a'],
                     'Models': ['configs/x/README'], 'More': ['docs/new']}


def test_every_page_is_in_the_navigation_once(monkeypatch):
    navigation = load('docs/_extensions/navigation.py', monkeypatch)
    patterns = load('docs/conf.py', monkeypatch).navigation
    pages = [
        path.relative_to(ROOT).with_suffix('').as_posix()
        for pattern in ('docs/**/*.md', 'configs/*/README.md',
                        'demo/README.md', 'C*.md')
        for path in ROOT.glob(pattern)
    ]
    found = navigation.sections(pages, patterns)
    assert sorted(sum(found.values(), [])) == sorted(pages)
    assert found['Start'][0] == 'docs/get_started'
    assert 'configs/soc/README' in found['Models']


def test_workflow_runs_what_a_build_machine_runs():
    workflow = yaml.safe_load((ROOT / '.github/workflows/ci.yml').read_text())
    steps = workflow['jobs']['all']['steps']
    assert '.ci/run' in [step.get('run') for step in steps]
    script = (ROOT / '.ci/run').read_text()
    targets = re.search(r'^\.PHONY: (.*)$', (ROOT / 'Makefile').read_text(),
                        re.M)[1].split()
    called = re.findall(r'^(?:exec )?make (\w+)', script, re.M)
    assert {'lint', 'docs', 'wheel', 'test'} <= set(called) <= set(targets)


@pytest.mark.parametrize(
    'path', sorted(ROOT.glob('.github/ISSUE_TEMPLATE/*.yml')),
    ids=lambda path: path.stem)
def test_issue_forms(path):
    """GitHub shows a form only if it is complete."""
    form = yaml.safe_load(path.read_text())
    if path.stem == 'config':
        return
    assert form['name'] and form['description']
    ids = [item['id'] for item in form['body'] if item['type'] != 'markdown']
    assert ids and len(set(ids)) == len(ids)
    for item in form['body']:
        assert item['type'] in ('markdown', 'textarea', 'input', 'checkboxes')
        assert item['attributes'].get('label', item['type'] == 'markdown')


@pytest.mark.parametrize(
    'stub', STUBS, ids=lambda path: path.parent.name)
def test_stub_lists_the_exports(stub):
    """``__all__`` of a stub is what the package exports, and all exist."""
    text = stub.read_text()
    name = '.'.join(stub.parent.relative_to(ROOT).parts)
    package = importlib.import_module(name)
    scope: dict = {}
    exec(text[text.index('__all__'):], scope)
    assert sorted(package.__all__) == scope['__all__'], (
        f'{stub.relative_to(ROOT)}: list every import in __all__, sorted')
    for attribute in package.__all__:
        assert hasattr(package, attribute)

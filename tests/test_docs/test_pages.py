"""Links, snippets and commands of all pages."""
import ast
import functools
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mmrvos.model_index import read_model_index

ROOT = Path(__file__).parents[2]
PAGES = sorted([
    *ROOT.glob('*.md'), *ROOT.glob('docs/**/*.md'),
    *ROOT.glob('configs/*/README.md'), ROOT / 'demo/README.md',
    *ROOT.glob('.github/**/*.md')
])
BLOCK = re.compile(r'^( *)```(\w*)\n(.*?)^ *```$', re.M | re.S)
#: parts of a path that stand for a value of the reader
PLACEHOLDER = re.compile(r'[A-Z]{2}|[$\[\]{}*<>]')
NAMES = {
    name for entry in read_model_index(ROOT).values()
    for name in (entry.name, *entry.aliases)
}


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


every_page = pytest.mark.parametrize('page', PAGES, ids=name_of)


def blocks(page: Path, *languages: str) -> list[str]:
    """Return the code blocks of a page in one of the languages."""
    return [
        re.sub(rf'^{indent}', '', code, flags=re.M)
        for indent, language, code in BLOCK.findall(page.read_text())
        if language in languages
    ]


def without_code(page: Path) -> str:
    return re.sub(r'`[^`\n]+`', 'code', BLOCK.sub('', page.read_text()))


@functools.cache
def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub and MyST give to the headings."""
    found = set()
    for title in re.findall(r'^#+ (.*)$', BLOCK.sub('', page.read_text()),
                            re.M):
        title = re.sub(r'\[([^\]]*)\]\([^)]*\)', r'\1', title)
        slug = re.sub(r'[^\w\- ]', '', title.lower()).replace(' ', '-')
        copies = sum(re.fullmatch(rf'{slug}(-\d+)?', a) is not None
                     for a in found)
        found.add(f'{slug}-{copies}' if copies else slug)
    return found


@every_page
def test_links_and_anchors_exist(page):
    for target in re.findall(r'\]\(([^)\s]+)\)', without_code(page)):
        if re.match(r'https?://|mailto:', target):
            continue
        path, _, anchor = target.partition('#')
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f'{target} is missing'
        assert file.is_relative_to(ROOT), f'{target} leaves the repository'
        if anchor:
            assert anchor in anchors(file), f'{target}: no such heading'


def test_every_method_has_a_citation():
    """The page of a method has BibTeX of its paper, as the metafile names it.
    """
    collections = [
        collection for path in sorted(ROOT.glob('configs/*/metafile.yml'))
        for collection in yaml.safe_load(path.read_text())['Collections']
    ]
    assert collections
    for collection in collections:
        page = ROOT / collection['README']
        text = '\n'.join(blocks(page, 'bibtex'))
        assert f'title = {{{collection["Paper"]["Title"]}}}' in text, (
            f'{collection["README"]} has no BibTeX of {collection["Name"]}')
        assert text.count('{') == text.count('}')
        for entry in text.split('\n@'):
            assert re.search(r'author = \{.+\}', entry)
            assert re.search(r'year = \{\d{4}\}', entry)


@every_page
def test_python_parses(page):
    for code in blocks(page, 'python'):
        ast.parse(code)


@every_page
def test_names_of_models_exist(page):
    code = '\n'.join(blocks(page, 'python', 'bash', ''))
    named = re.findall(r"RVOSInferencer\(\s*'([\w/-]+)'", code)
    named += re.findall(r'mmrvos (?:download|reproduce|infer) ([a-z]\S+)',
                        code)
    for name in named:
        written = f'# file: {name}' in page.read_text()  # by the page
        assert name in NAMES or (ROOT / name).is_file() or written, name


def test_imports_of_mmrvos_exist():
    """Every ``from mmrvos... import name`` of all pages."""
    wanted = set()
    for page in PAGES:
        for code in blocks(page, 'python'):
            wanted |= {(node.module, alias.name)
                       for node in ast.walk(ast.parse(code))
                       if isinstance(node, ast.ImportFrom)
                       and (node.module or '').startswith('mmrvos')
                       for alias in node.names}
    assert wanted
    for module, name in sorted(wanted):
        found = __import__(module, fromlist=[name])
        assert hasattr(found, name), f'from {module} import {name}'


@every_page
def test_shell_parses(page):
    code = '\n'.join(blocks(page, 'bash', 'shell', 'sh'))
    done = subprocess.run(['bash', '-n'], input=code, text=True,
                          capture_output=True, check=False)
    assert not done.stderr, done.stderr


def commands(page: Path) -> list[list[str]]:
    """Return the words of every command of a page that this project has."""
    found = []
    for code in blocks(page, 'bash'):
        for line in code.replace('\\\n', ' ').splitlines():
            words = shlex.split(line, comments=True)
            while words and re.fullmatch(r'[A-Z_]+=.*|\w+:', words[0]):
                words = words[1:]
            program = words[1:] if words[:1] in (['python'], ['bash']) \
                else words
            if program and (program[0] in ('mmrvos', 'make') or re.match(
                    r'(tools|demo)/', program[0])):
                found.append(program)
    return found


@functools.cache
def help_of(*program: str) -> str:
    """Return what a program prints for --help."""
    start = [sys.executable]
    start += ['-m', 'mmrvos', *program[1:]] if program[0] == 'mmrvos' \
        else [str(ROOT / program[0]), *program[1:]]
    done = subprocess.run([*start, '--help'], capture_output=True, text=True,
                          check=False, cwd=ROOT)
    assert done.returncode == 0, f'{" ".join(program)}: {done.stderr}'
    return done.stdout


def check_command(program: list[str]) -> None:
    """Compare a command with the files and the options that exist."""
    name, *words = program
    if name == 'make':
        targets = re.search(r'^\.PHONY: (.*)$',
                            (ROOT / 'Makefile').read_text(), re.M)[1].split()
        assert {w for w in words if '=' not in w} <= set(targets)
        return
    for word in words:
        if word.startswith('configs/') and not PLACEHOLDER.search(word):
            assert (ROOT / word).exists(), f'{word} is missing'
    if name != 'mmrvos':
        assert (ROOT / name).is_file(), f'{name} is missing'
    shell = re.fullmatch(r'tools/(dist|slurm)_(train|test)\.sh', name)
    name = f'tools/{shell[2]}.py' if shell else name
    text = help_of(name)
    # a command of a program, such as 'benchmark.py infer'
    listed = re.search(r'\{([\w,]+)\}', text)
    known = set(listed[1].split(',')) if listed else set()
    known |= set(re.findall(r'^ {2,4}(\w+) {2,}', text, re.M))
    if words and words[0] in known:
        text += help_of(name, words[0])
    for word in words:
        option = re.match(r'\[?(--[a-z][\w-]*)', word)
        if option:
            assert re.search(rf'{option[1]}\b', text), \
                f'{name} has no option {option[1]}'


ALL = sorted({tuple(c) for page in PAGES for c in commands(page)})


def test_commands_exist():
    """Files, sub-commands and options of all commands of all pages."""
    assert len(ALL) > 50
    wrong = []
    for command in ALL:
        try:
            check_command(list(command))
        except AssertionError as error:
            wrong.append(f'{shlex.join(command)}: {str(error)[:200]}')
    assert not wrong, '\n'.join(wrong)

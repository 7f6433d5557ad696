"""The picture of docs/design.md against the imports of the package."""
import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: modules that utils may import
BELOW_UTILS = {'command_line', 'downloads', 'home', 'registry'}
LEFT_OUT = {'registry', 'utils', 'version', 'dependencies'}


def imported(path: Path) -> set[str]:
    """Names of the sub-packages of mmrvos that a file imports."""
    folder = ('mmrvos', *path.relative_to(ROOT / 'mmrvos').parts[:-1])
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name.split('.') for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = list(folder[:len(folder) - node.level + 1]
                        ) if node.level else []
            base += node.module.split('.') if node.module else []
            names = [[*base, alias.name] for alias in node.names]
        else:
            continue
        found |= {n[1] for n in names if n[0] == 'mmrvos' and len(n) > 1}
    return found


def arrows_of_the_code() -> set[tuple[str, str]]:
    arrows = set()
    for path in (ROOT / 'mmrvos').rglob('*.py'):
        source = path.relative_to(ROOT / 'mmrvos').parts[0]
        if '.mim' in path.parts or source.endswith('.py'):
            continue
        arrows |= {(source, target) for target in imported(path)
                   if target != source and target not in LEFT_OUT
                   and (ROOT / 'mmrvos' / target).is_dir()}
    return arrows


def test_picture_shows_the_imports():
    page = (ROOT / 'docs' / 'design.md').read_text()
    picture = re.search(r'```mermaid\nflowchart TD\n(.*?)```', page, re.S)[1]
    drawn = set(re.findall(r'(\w+) --> (\w+)', picture))
    code = arrows_of_the_code()
    assert drawn == code, (
        f'missing in docs/design.md: {sorted(code - drawn)}; '
        f'no longer in the code: {sorted(drawn - code)}')


def test_arrows_go_one_way():
    """No two packages import each other, directly or through others."""
    arrows = arrows_of_the_code()
    above: dict[str, set[str]] = {}
    for source, target in arrows:
        above.setdefault(source, set()).add(target)

    def reachable(start: str) -> set[str]:
        seen, todo = set(), [start]
        while todo:
            for target in above.get(todo.pop(), ()):
                if target not in seen:
                    seen.add(target)
                    todo.append(target)
        return seen

    assert not [name for name in above if name in reachable(name)]
    assert not above.get('moving_shapes')
    for path in (ROOT / 'mmrvos/utils').glob('*.py'):
        assert imported(path) <= {'utils', *BELOW_UTILS}, path
    for name in BELOW_UTILS:
        path = ROOT / f'mmrvos/{name}.py'
        assert imported(path) <= BELOW_UTILS - {name}, path


def test_named_classes_exist():
    page = (ROOT / 'docs' / 'design.md').read_text()
    table = page.split('### Contracts')[1].split('###')[0]
    code = '\n'.join(
        path.read_text() for path in (ROOT / 'mmrvos').rglob('*.py'))
    names = re.findall(r'^\| `(\w+)` \|', table, flags=re.M)
    assert len(names) >= 8
    for name in names:
        assert re.search(rf'^class {name}\(|^class {name}:', code, re.M), name

"""Every row of docs/reliability.md names tests that exist."""
import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
COLUMNS = ['Input', 'Check', 'Result', 'Test']


def table_rows() -> list[list[str]]:
    text = (ROOT / 'docs/reliability.md').read_text()
    rows = [[cell.strip() for cell in re.split(r'(?<!\\)\|', line)[1:-1]]
            for line in text.splitlines() if line.startswith('|')]
    return [row for row in rows if not set(''.join(row)) <= set('-: ')]


def functions(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    }


def test_every_row_names_a_test_that_exists():
    rows = table_rows()
    assert rows[0] == COLUMNS
    for row in rows:
        assert len(row) == len(COLUMNS), row
        if row == COLUMNS:
            continue
        tests = re.findall(r'`(tests/[\w/]+\.py)::(test_\w+)`', row[-1])
        assert tests, f'{row[0]}: no test is named'
        for path, name in tests:
            assert name in functions(ROOT / path), f'{path}::{name}'

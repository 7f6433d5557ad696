import argparse
from pathlib import Path

import pytest

from mmrvos.utils import KeyValueAction

ROOT = Path(__file__).parents[2]


def parse(*values: str) -> dict:
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=KeyValueAction)
    return parser.parse_args(['--cfg-options', *values]).cfg_options


def test_values_are_those_of_mmengine():
    assert parse('a.b=1', 'c=x=y', 'd=[1,(2,3)]', 'e=', 'f=None') == {
        'a.b': 1, 'c': 'x=y', 'd': [1, (2, 3)], 'e': '', 'f': None}


@pytest.mark.parametrize('value, expected', [
    ('window', 'expected KEY=VALUE'),
    ('=3', 'expected KEY=VALUE'),
    ('window=(3,4', 'its brackets do not match'),
])
def test_other_arguments_are_refused_in_one_line(value, expected, capsys):
    with pytest.raises(SystemExit) as stop:
        parse('a=1', value)
    assert stop.value.code == 2
    *usage, line = capsys.readouterr().err.splitlines()
    assert line.endswith(f'error: --cfg-options {value}: {expected}')
    assert all('error' not in line for line in usage)


def test_every_program_uses_it():
    users = [
        path for folder in ('mmrvos', 'tools', 'demo')
        for path in (ROOT / folder).rglob('*.py')
        if "'--cfg-options'" in path.read_text()
    ]
    assert len(users) >= 12
    for path in users:
        assert 'action=KeyValueAction' in path.read_text(), path

"""The option ``--cfg-options`` of the programs."""
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from mmengine.config import DictAction


class KeyValueAction(DictAction):
    """Read KEY=VALUE arguments as a dictionary, see MMEngine's DictAction.

    A value that is not KEY=VALUE, or whose brackets do not match, ends the
    program with status 2 and one line.
    """

    def __call__(self,
                 parser: ArgumentParser,
                 namespace: Namespace,
                 values: Sequence[str],
                 option_string: str | None = None) -> None:
        for value in values:
            if not value.partition('=')[0].strip() or '=' not in value:
                parser.error(f'{option_string} {value}: expected KEY=VALUE')
            try:
                self._parse_iterable(value.partition('=')[2])
            except AssertionError:
                parser.error(f'{option_string} {value}: its brackets do not '
                             'match')
        super().__call__(parser, namespace, values, option_string)

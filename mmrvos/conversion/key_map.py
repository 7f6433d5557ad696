"""Rename the keys of a checkpoint by a table in which each key has one rule.
"""
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Rule:
    """Keys that match ``pattern`` as a whole get the name ``target``.

    Args:
        pattern: regular expression.
        target: replacement (or function of the match); None drops the key.
        why: for a dropped key, the reason, shown in the report.
        optional: the rule may stay unused.
        value: what becomes of the tensor; None keeps it.
    """
    pattern: str
    target: str | Callable[[re.Match], str] | None
    why: str = ''
    optional: bool = False
    value: Callable[[Tensor], Tensor] | None = None


@dataclass(frozen=True)
class Report:
    """What became of every key.

    Args:
        renamed: {official key: our key}.
        dropped: {official key: reason}.
    """
    renamed: dict[str, str]
    dropped: dict[str, str]

    def __str__(self) -> str:
        rows = [*self.renamed.items()]
        rows += [(k, f'(dropped: {why})') for k, why in self.dropped.items()]
        width = max(len(key) for key, _ in rows)
        return '\n'.join(f'{key:<{width}}  ->  {new}' for key, new in rows)


def convert_keys(state_dict: dict[str, Tensor], rules: Sequence[Rule],
                 method: str) -> tuple[dict[str, Tensor], Report]:
    """Apply a table of rules.

    Args:
        state_dict: official names and weights.
        rules: the table.
        method: name for messages.

    Returns:
        Our names with their weights, and the report.

    Raises:
        ValueError: a key that no rule or more than one rule matches, two keys
            with the same new name, or a rule that is not optional and that
            matches nothing. All of them are listed.
    """
    renamed, values, dropped, problems = {}, {}, {}, []
    unused = {rule.pattern for rule in rules if not rule.optional}
    for key in state_dict:
        hits = [(rule, match) for rule in rules
                if (match := re.fullmatch(rule.pattern, key))]
        if len(hits) != 1:
            problems.append(f'{key}: {len(hits)} rules match, expected 1')
            continue
        rule, match = hits[0]
        unused.discard(rule.pattern)
        if rule.target is None:
            dropped[key] = rule.why
            continue
        renamed[key] = (
            rule.target(match)
            if callable(rule.target) else match.expand(rule.target))
        values[key] = rule.value
    seen = {}
    for key, new in renamed.items():
        if new in seen:
            problems.append(f'{key} and {seen[new]} both become {new}')
        seen[new] = key
    problems += [f'no key matches {pattern}' for pattern in sorted(unused)]
    if problems:
        raise ValueError(
            f'this is not a checkpoint of {method} as it was published:\n  ' +
            '\n  '.join(problems))
    weights = {
        new: values[key](state_dict[key]) if values[key] else state_dict[key]
        for key, new in renamed.items()
    }
    return weights, Report(renamed, dropped)


def shifted(target: str, **offsets: int) -> Callable[[re.Match], str]:
    """A target with named groups, some of them numbers that are shifted.

    ``shifted('blocks.{k}.{rest}', k=-1)`` counts levels from 0 where the
    official names count from 1.
    """

    def expand(match: re.Match) -> str:
        groups = match.groupdict()
        for name, offset in offsets.items():
            groups[name] = int(groups[name]) + offset
        return target.format(**groups)

    return expand

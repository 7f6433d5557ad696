"""Rename the keys of a checkpoint by a table with one rule per key."""
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

#: problems that an error lists
MAX_PROBLEMS = 20


@dataclass(frozen=True)
class Rule:
    """Rename the keys that match ``pattern`` completely to ``target``.

    Args:
        pattern: regular expression.
        target: replacement (or function of the match); None drops the key.
        why: for a dropped key, the reason, shown in the report.
        optional: the rule may stay unused.
        value: function that converts the tensor; None keeps the tensor.
    """
    pattern: str
    target: str | Callable[[re.Match], str] | None
    why: str = ''
    optional: bool = False
    value: Callable[[Tensor], Tensor] | None = None


@dataclass(frozen=True)
class Report:
    """The result for every key.

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
    """Rename all keys by a table of rules.

    Args:
        state_dict: official keys and weights.
        rules: the table.
        method: name of the method, for messages.

    Returns:
        Our keys with their weights, and the report.

    Raises:
        ValueError: a key matches no rule or several rules, two keys get the
            same new name, a rule that is not optional matches no key, or a
            tensor has another shape than the published one. Lists the first
            of these problems.
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
        more = len(problems) - MAX_PROBLEMS
        raise ValueError(
            f'this is not a checkpoint of {method} as it was published:\n  ' +
            '\n  '.join(problems[:MAX_PROBLEMS]) +
            (f'\n  ... and {more} more' if more > 0 else ''))
    weights = {}
    for key, new in renamed.items():
        try:
            convert = values[key] or (lambda value: value)
            weights[new] = convert(state_dict[key])
        except (IndexError, RuntimeError):
            raise ValueError(
                f'{key} has the shape {tuple(state_dict[key].shape)}, which '
                f'is not that of {method}: the file is damaged') from None
    return weights, Report(renamed, dropped)


def shifted(target: str, **offsets: int) -> Callable[[re.Match], str]:
    """Make a target with named groups, and add offsets to some numbers.

    ``shifted('blocks.{k}.{rest}', k=-1)`` counts blocks from 0 where the
    official keys count from 1.
    """

    def expand(match: re.Match) -> str:
        groups = match.groupdict()
        for name, offset in offsets.items():
            groups[name] = int(groups[name]) + offset
        return target.format(**groups)

    return expand

from typing import Any

from mmengine.runner import LogProcessor

from mmrvos.registry import LOG_PROCESSORS

#: values about the run, which follow the table
TIMES = ('time', 'data_time')


@LOG_PROCESSORS.register_module()
class TableLogProcessor(LogProcessor):
    """Log the metrics of validation and testing as a table by split.

    MMEngine logs all metrics in one line. Arguments are those of
    :class:`LogProcessor`.
    """

    def get_log_after_epoch(self, runner: Any, batch_idx: int, mode: str,
                            **kwargs: Any) -> tuple[dict, str]:
        """See the base class; the second value is the table."""
        tag, line = super().get_log_after_epoch(runner, batch_idx, mode,
                                                **kwargs)
        numbers = {
            key: value for key, value in tag.items()
            if key not in TIMES and isinstance(value, int | float)
        }
        others = [
            f'{key}: {value:.4f}' if isinstance(value, float) else
            f'{key}: {value}' for key, value in tag.items()
            if key not in numbers
        ]
        head = '  '.join([line.partition('  ')[0], *others])
        return tag, '\n'.join([head, *split_tables(numbers)])


def split_tables(metrics: dict[str, float]) -> list[str]:
    """Format metrics as one table per prefix.

    Args:
        metrics: 'prefix/measure' or 'prefix/measure/split' to value.

    Returns:
        Lines. A table has a row for the total and one per split, and a column
        per measure that has splits. Measures without splits follow in lines
        of four.
    """
    prefixes: dict[str, dict[str, dict[str, float]]] = {}
    for key, value in metrics.items():
        prefix, _, rest = key.partition('/')
        if not rest:
            prefix, rest = '', key
        measure, _, split = rest.partition('/')
        prefixes.setdefault(prefix, {}).setdefault(measure, {})[split] = value
    lines = []
    for prefix, measures in prefixes.items():
        split = {name: v for name, v in measures.items() if set(v) != {''}}
        rows = list(dict.fromkeys(s for v in split.values() for s in v))
        table = [(prefix, *split)]
        table += [(row or 'total', *(number(v.get(row)) for v in
                                     split.values())) for row in rows]
        lines += aligned(table) if split else [prefix]
        single = [f'{name} {number(v[""])}' for name, v in measures.items()
                  if name not in split]
        lines += ['  ' + '  '.join(single[i:i + 4])
                  for i in range(0, len(single), 4)]
    return [line for line in lines if line]


def number(value: float | None) -> str:
    """Format a value of a table; '-' if there is none."""
    return '-' if value is None else f'{value:.2f}'


def aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """Align the columns of a table, the first one to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        '  '.join([row[0].ljust(widths[0]),
                   *(text.rjust(width) for text, width in zip(
                       row[1:], widths[1:], strict=True))])
        for row in rows
    ]

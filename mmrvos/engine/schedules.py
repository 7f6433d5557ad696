"""Compare schedules of the learning rate with the length of a training."""
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

#: Types of schedulers that warm up: before their end the rate is reduced.
WARM_UPS = ('Linear', 'Constant')


def cut_schedules(schedulers: Any, epochs: int,
                  iterations: int) -> Iterator[tuple[int, str]]:
    """Describe the schedulers that a training ends before.

    Milestones are compared if they are epochs. Those in iterations are not:
    that of SAMWISE is after the end of its shorter trainings.

    Args:
        schedulers: ``param_scheduler`` of a config, one or a list. Built
            schedulers are not compared.
        epochs, iterations: length of the training.

    Yields:
        At most one level of logging and line per scheduler; none for an end
        or a milestone that is the length of the training. A decay that is
        cut is no warning, because a training that another one continues has
        it.
    """
    if not isinstance(schedulers, Sequence):
        schedulers = [schedulers]
    for i, scheduler in enumerate(schedulers):
        if not isinstance(scheduler, Mapping) or 'type' not in scheduler:
            continue
        kind = scheduler['type']
        kind = getattr(kind, '__name__', kind)
        unit, length = ('epoch', epochs) if scheduler.get(
            'by_epoch', True) else ('iteration', iterations)
        begin, end = scheduler.get('begin', 0), scheduler.get('end', length)
        late = [m for m in scheduler.get('milestones', ()) if m > length]
        level = logging.WARNING
        if begin >= length:
            fault = f'begins at {unit} {begin}'
        elif end > length:
            fault = f'ends at {unit} {end}'
            if not kind.startswith(WARM_UPS):
                level = logging.INFO
        elif late and unit == 'epoch':
            fault = f'has milestones at epoch {", ".join(map(str, late))}'
        else:
            continue
        yield level, (
            f'param_scheduler.{i}: {kind} {fault}, this training has '
            f'{length}. Change it, or the length of the training (train_cfg)')

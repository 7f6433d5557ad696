"""Rules for predictions that are missing or cannot be used."""
from dataclasses import dataclass, replace
from enum import Enum

#: names of the ``missing`` option of metrics and of ``eval_masks.py``
MISSING = ('zero', 'official')


class Fault(Enum):
    """Stands in the place of a predicted mask that cannot be scored."""
    MISSING = 'missing'
    UNUSABLE = 'damaged, or of another size'


class Effect(Enum):
    """What a fault does to the score; the value completes a message."""
    ZERO_FRAME = 'the frame counts 0'
    EMPTY_FRAME = 'the frame counts as an empty mask'
    SKIPPED_FRAME = 'the frame is not counted'
    ZERO = 'the expression counts 0'
    LEFT_OUT = 'the expression is left out'


@dataclass(frozen=True)
class MissingRule:
    """The effect of each kind of fault.

    The default is the rule for benchmarks without an official one: nothing
    that is missing can raise the score.

    Args:
        video: no expression of a video has a prediction.
        expression: no frame of an expression has a prediction, though other
            expressions of the video have.
        frame: a frame has no prediction.
        first_frame: the first frame has none; None takes ``frame``.
        unusable: the prediction of a frame is damaged or has another size
            than the ground truth.
        needed_frame: name of a file that each expression must hold, without
            extension; an expression without the file has no prediction.
    """
    video: Effect = Effect.ZERO
    expression: Effect = Effect.ZERO
    frame: Effect = Effect.ZERO_FRAME
    first_frame: Effect | None = None
    unusable: Effect = Effect.ZERO_FRAME
    needed_frame: str | None = None

    def effect(self, fault: Fault, frame: int) -> Effect:
        """The effect of a fault in one frame of a predicted expression."""
        if fault is Fault.UNUSABLE:
            return self.unusable
        if frame == 0 and self.first_frame is not None:
            return self.first_frame
        return self.frame

    def counting_zero(self) -> 'MissingRule':
        """The same rule, but what it leaves out counts 0 instead."""
        effects = {
            name: Effect.ZERO
            for name in ('video', 'expression', 'frame', 'first_frame',
                         'unusable')
            if getattr(self, name) is Effect.LEFT_OUT
        }
        if self.frame is Effect.SKIPPED_FRAME:
            effects['frame'] = Effect.ZERO_FRAME
        return replace(self, needed_frame=None, **effects)

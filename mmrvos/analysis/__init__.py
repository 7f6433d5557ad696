"""What the tools that measure models share."""
from .flops import FlopCounter
from .made_up import (
    SENTENCE,
    build_model,
    made_up_frames,
    made_up_sample,
)
from .meter import METHOD_PARTS, Meter, clock, watch
from .official_way import official_way
from .turns import Measured, device_name, peak_memory, serve, take_turns

__all__ = [
    'METHOD_PARTS', 'SENTENCE', 'FlopCounter', 'Measured', 'Meter',
    'build_model', 'clock', 'device_name', 'made_up_frames', 'made_up_sample',
    'official_way', 'peak_memory', 'serve', 'take_turns', 'watch'
]

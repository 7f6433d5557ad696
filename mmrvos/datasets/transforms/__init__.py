from .expressions import CleanText, SampleExpressions
from .formatting import PackRVOSInputs
from .geometric import (
    CheckValid,
    ClipFlip,
    ClipRandomCrop,
    ClipRandomZoom,
    ClipResize,
)
from .loading import LoadClipMasks, LoadFrames
from .photometric import ClipChannelGain, ClipNoise, ClipPhotometricDistort
from .pseudo_video import ImageToClip
from .reverse import ClipReverse
from .sampling import (
    SampleAllFrames,
    SampleCentredFrames,
    SampleConsecutiveFrames,
    SampleLocalGlobalFrames,
    SampleNearbyFrames,
    SampleSpreadFrames,
)

__all__ = [
    'CheckValid', 'CleanText', 'ClipChannelGain', 'ClipFlip', 'ClipNoise',
    'ClipPhotometricDistort', 'ClipRandomCrop', 'ClipRandomZoom',
    'ClipResize', 'ClipReverse', 'ImageToClip', 'LoadClipMasks', 'LoadFrames',
    'PackRVOSInputs', 'SampleAllFrames', 'SampleCentredFrames',
    'SampleConsecutiveFrames', 'SampleExpressions', 'SampleLocalGlobalFrames',
    'SampleNearbyFrames', 'SampleSpreadFrames'
]

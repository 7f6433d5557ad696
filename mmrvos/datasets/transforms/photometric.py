# ruff: noqa: NPY002  MMEngine seeds the global generators of its workers
"""Colours; masks and boxes stay as they are."""
import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from mmrvos.registry import TRANSFORMS

#: channel orders, in the official sequence
PERMUTATIONS = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1),
                (2, 1, 0))

CHUNK_PIXELS = 1 << 18


def distort(frame: np.ndarray,
            brightness: float | None = None,
            contrast: float | None = None,
            contrast_first: bool = True,
            saturation: float | None = None,
            hue: float | None = None,
            scratch: np.ndarray | None = None) -> np.ndarray:
    """The official colour distortion with given parameters, before the cast
    and the permutation of the channels.

    The HSV conversion reads the RGB frame as BGR, as the official code does;
    saturation and hue mean the same in both, up to the sense of the turn.

    Args:
        frame: (H, W, 3) uint8 RGB.
        brightness: added; None leaves a part out, here and below.
        contrast: factor, before or after saturation and hue.
        saturation: factor, not clipped.
        hue: degrees added.
        scratch: (2, H, W, 3) float32, memory to work in.

    Returns:
        (H, W, 3) float32, not clipped: the first half of ``scratch``.
    """
    if scratch is None:
        scratch = np.empty((2, *frame.shape), dtype=np.float32)
    out, hsv = scratch
    np.copyto(out, frame)
    if brightness is not None:
        out += np.float32(brightness)
    if contrast is not None and contrast_first:
        out *= np.float32(contrast)
    # a negative pixel does not come back from HSV as it went
    negative = brightness is not None and brightness < 0
    if saturation is not None or hue is not None or negative:
        cv2.cvtColor(out, cv2.COLOR_BGR2HSV, dst=hsv)
        if saturation is not None:
            hsv[..., 1] *= np.float32(saturation)
        if hue is not None:
            # OpenCV goes round the circle upwards only
            hsv[..., 0] += np.float32(hue % 360)
        cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR, dst=out)
    if contrast is not None and not contrast_first:
        out *= np.float32(contrast)
    return out


def to_uint8(values: np.ndarray,
             out: np.ndarray | None = None) -> np.ndarray:
    """Truncate to 0 .. 255, in place, into ``out`` if given. The official
    cast wraps round."""
    np.clip(values, 0, 255, out=values)
    if out is None:
        return values.astype(np.uint8)
    np.copyto(out, values, casting='unsafe')
    return out


def distort_channels(frame: np.ndarray,
                     brightness: float | None = None,
                     contrast: float | None = None,
                     out: np.ndarray | None = None) -> np.ndarray:
    """:func:`distort` and the cast for contrast and positive brightness alone:
    a table of the 256 levels does it. (H, W, 3) uint8 to the same."""
    levels = np.arange(256, dtype=np.uint8)[None, :, None]
    table = to_uint8(distort(levels, brightness, contrast))
    return cv2.LUT(frame, table, out)


def distort_saturation(frame: np.ndarray,
                       saturation: float,
                       brightness: float | None = None,
                       contrast: float | None = None,
                       out: np.ndarray | None = None,
                       planes: np.ndarray | None = None) -> np.ndarray:
    """:func:`distort` and the cast without a turn of the hue, three times as
    fast as through HSV.

    With V the largest channel of a pixel, saturation s turns a channel c into
    V + s (c - V); contrast commutes with that. Where brightness makes V
    negative, the sign of HSV's saturation is turned, and of s here.

    Args:
        frame: (H, W, 3) uint8 RGB.
        saturation, brightness, contrast: as in :func:`distort`.
        out: (H, W, 3) uint8, where to write.
        planes: (5, H, W) uint8, memory to work in.
    """
    if planes is None:
        planes = np.empty((5, *frame.shape[:2]), dtype=np.uint8)
    *channels, top, other = planes
    shift = 0. if brightness is None else brightness
    gain = 1. if contrast is None else contrast
    cv2.split(frame, channels)
    cv2.max(channels[0], channels[1], dst=top)
    cv2.max(top, channels[2], dst=top)
    negative = top < -shift if shift < 0 else None
    # addWeighted rounds: less a half, that is truncation
    offset = gain * shift - 0.499

    def blend(channel: np.ndarray, s: float, dst: np.ndarray) -> None:
        cv2.addWeighted(top, gain * (1 - s), channel, gain * s, offset, dst)

    for channel in channels:
        if negative is not None:
            blend(channel, -saturation, other)
        blend(channel, saturation, channel)
        if negative is not None:
            np.copyto(channel, other, where=negative)
    return cv2.merge(channels, out)


def permute(image: np.ndarray,
            permutation: int,
            out: np.ndarray | None = None,
            planes: np.ndarray | None = None) -> np.ndarray:
    """Channels of (H, W, 3) in the order ``PERMUTATIONS[permutation]``, into
    ``out`` if given; ``planes`` (3, H, W) is memory to work in."""
    channels = cv2.split(image, None if planes is None else list(planes))
    return cv2.merge([channels[c] for c in PERMUTATIONS[permutation]], out)


def distort_uint8(frame: np.ndarray, params: dict, out: np.ndarray,
                  scratch: np.ndarray, planes: np.ndarray) -> None:
    """:func:`distort`, the cast and :func:`permute` by the quickest way.

    Args:
        frame: (H, W, 3) uint8 RGB.
        params: what :meth:`ClipPhotometricDistort.draw` drew.
        out: (H, W, 3) uint8, where to write.
        scratch, planes: (2, H, W, 3) float32 and (5, H, W) uint8, memory to
            work in.
    """
    params = dict(params)
    permutation = params.pop('permutation', None)
    if 'hue' in params:
        to_uint8(distort(frame, **params, scratch=scratch), out)
    else:  # contrast before or after saturation: the same
        params.pop('contrast_first', None)
        if params.get('brightness', 0) < 0:
            params.setdefault('saturation', 1.)
        if 'saturation' in params:
            distort_saturation(frame, **params, out=out, planes=planes)
        else:
            distort_channels(frame, **params, out=out)
    if permutation is not None:
        permute(out, permutation, out, planes[:3])


@TRANSFORMS.register_module()
class ClipPhotometricDistort(BaseTransform):
    """Brightness, contrast, saturation, hue and channel order.

    Drawn anew for every frame, as the official ReferFormer does, each part
    with probability one half; ``per_clip=True`` draws once for all frames.
    Values saturate at 0 and 255.

    Required and modified keys: ``frames``.

    Args:
        brightness: largest shift.
        contrast, saturation: ranges of the factors.
        hue: largest turn in degrees.
        permute: permute the channels.
        per_clip: one draw for the clip.
    """

    def __init__(self,
                 brightness: float = 32,
                 contrast: tuple[float, float] = (0.5, 1.5),
                 saturation: tuple[float, float] = (0.5, 1.5),
                 hue: float = 18,
                 permute: bool = True,
                 per_clip: bool = False) -> None:
        self.brightness = brightness
        self.contrast = tuple(contrast)
        self.saturation = tuple(saturation)
        self.hue = hue
        self.permute = permute
        self.per_clip = per_clip

    @cache_randomness
    def draw(self) -> dict:
        """Arguments of :func:`distort` and :func:`permute`, drawn in the
        official order."""
        params: dict = {}

        def contrast() -> None:
            if np.random.randint(2):
                params['contrast'] = np.random.uniform(*self.contrast)

        if np.random.randint(2):
            params['brightness'] = np.random.uniform(-self.brightness,
                                                     self.brightness)
        params['contrast_first'] = bool(np.random.randint(2))
        if params['contrast_first']:
            contrast()
        if np.random.randint(2):
            params['saturation'] = np.random.uniform(*self.saturation)
        if np.random.randint(2):
            params['hue'] = np.random.uniform(-self.hue, self.hue)
        if not params['contrast_first']:
            contrast()
        if self.permute and np.random.randint(2):
            params['permutation'] = np.random.randint(len(PERMUTATIONS))
        return params

    def transform(self, results: dict) -> dict:
        frames = results['frames']
        height, width = frames.shape[1:3]
        out = np.empty(frames.shape, dtype=np.uint8)
        # fresh arrays as large as a frame cost more than the arithmetic
        rows = min(height, max(1, CHUNK_PIXELS // width))
        scratch = np.empty((2, rows, width, 3), dtype=np.float32)
        planes = np.empty((5, rows, width), dtype=np.uint8)
        for t, frame in enumerate(frames):
            if t == 0 or not self.per_clip:
                params = self.draw()
            for top in range(0, height, rows):
                part = frame[top:top + rows]
                distort_uint8(part, params, out[t, top:top + rows],
                              scratch[:, :len(part)], planes[:, :len(part)])
        results['frames'] = out
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(brightness={self.brightness}, '
                f'contrast={self.contrast}, saturation={self.saturation}, '
                f'hue={self.hue}, permute={self.permute}, '
                f'per_clip={self.per_clip})')


@TRANSFORMS.register_module()
class ClipChannelGain(BaseTransform):
    """Multiply every colour channel by its own factor, one for the clip.

    Args:
        gain: factors lie in 1 - gain .. 1 + gain.
    """

    def __init__(self, gain: float = 0.15) -> None:
        self.gain = gain

    @cache_randomness
    def draw(self) -> np.ndarray:
        return np.random.uniform(1 - self.gain, 1 + self.gain, 3)

    def transform(self, results: dict) -> dict:
        # one table look-up per channel: no float copy of the clip
        values = np.arange(256)[:, None] * self.draw()
        table = to_uint8(values + 0.5)
        results['frames'] = np.stack(
            [table[results['frames'][..., c], c] for c in range(3)], axis=-1)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(gain={self.gain})'


@TRANSFORMS.register_module()
class ClipNoise(BaseTransform):
    """Gaussian noise of a strength drawn for the clip, anew in every pixel.

    Args:
        max_std: strengths lie in 0 .. max_std, in grey levels.
    """

    def __init__(self, max_std: float = 8) -> None:
        self.max_std = max_std

    @cache_randomness
    def draw(self) -> float:
        return np.random.uniform(0, self.max_std)

    def transform(self, results: dict) -> dict:
        frames, std = results['frames'], self.draw()
        # drawing is slow: a long stretch of noise is shifted for each frame
        frame_size = frames[0].size
        noise = np.random.standard_normal(2 * frame_size).astype(np.float32)
        out = np.empty(frames.shape, dtype=np.uint8)
        for t, frame in enumerate(frames):
            shift = np.random.randint(frame_size)
            field = noise[shift:shift + frame_size].reshape(frame.shape)
            out[t] = to_uint8(frame + std * field + 0.5)
        results['frames'] = out
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(max_std={self.max_std})'

"""Render a scene: background, shaded and textured shapes, masks."""
import math
from dataclasses import dataclass

import numpy as np

from .random_stream import RandomStream
from .scenes import Object, Scene
from .shapes import coverage, direction, outer_radius, signed_distance

COLOURS = {
    'red': (222, 40, 44),
    'orange': (250, 140, 24),
    'yellow': (246, 226, 60),
    'green': (48, 178, 64),
    'cyan': (60, 220, 228),
    'blue': (48, 84, 226),
    'purple': (150, 50, 190),
    'pink': (252, 152, 206),
}


@dataclass(frozen=True)
class Video:
    """A rendered video.

    Args:
        frames: (T, H, W, 3) uint8 RGB.
        labels: (T, H, W) uint8, 0 for background, i + 1 for object i.
        amodal_masks: (N, T, H, W) bool, masks without occlusion.
    """
    frames: np.ndarray
    labels: np.ndarray
    amodal_masks: np.ndarray


def _smooth_noise(rng: RandomStream, height: int, width: int,
                  cell: int) -> np.ndarray:
    """Interpolate random grid points to (height, width, 3) float32 in
    [-1, 1]."""
    rows, cols = height // cell + 2, width // cell + 2
    grid = rng.bytes(rows, cols, 3).astype(np.float32) / 127.5 - 1
    y = np.arange(height, dtype=np.float32) / np.float32(cell)
    x = np.arange(width, dtype=np.float32) / np.float32(cell)
    iy, ix = y.astype(int), x.astype(int)
    fy, fx = (y - iy)[:, None, None], (x - ix)[None, :, None]
    fy, fx = fy * fy * (3 - 2 * fy), fx * fx * (3 - 2 * fx)
    rows_ = grid[iy] * (1 - fy) + grid[iy + 1] * fy
    return rows_[:, ix] * (1 - fx) + rows_[:, ix + 1] * fx


def _clutter(rng: RandomStream, field: np.ndarray, height: int) -> None:
    """Add a patch of small greyish blocks to the background."""
    size = height // 4
    top = rng.integer(field.shape[0] - size)
    left = rng.integer(field.shape[1] - size)
    side = max(2, height // 24)
    for _ in range(14):
        y = top + rng.integer(size - side)
        x = left + rng.integer(size - side)
        grey = 40 + rng.integer(130)
        tint = rng.bytes(3).astype(np.float32) / 8 - 16
        field[y:y + side, x:x + side + rng.integer(side + 1)] = grey + tint


def background(rng: RandomStream, num_frames: int, height: int,
               width: int) -> np.ndarray:
    """Make coloured noise under a slowly moving camera, (T, H, W, 3)
    float32."""
    margin = height // 12 + 2
    shape = (height + 2 * margin, width + 2 * margin)
    base = 60 + rng.integer(90)
    tint = rng.bytes(3).astype(np.float32) / 8 - 16
    field = (base + tint + 20 * _smooth_noise(rng, *shape, height // 2)
             + 14 * _smooth_noise(rng, *shape, height // 8))
    for _ in range(rng.choice([0, 0, 0, 1, 2])):
        _clutter(rng, field, height)
    field = np.minimum(np.maximum(field, 0), 255)
    # positions are multiples of 1/16 pixel, exact in float32
    speed = [rng.uniform(-1, 1) * height / 12 for _ in range(2)]
    out = np.empty((num_frames, height, width, 3), np.float32)
    for t in range(num_frames):
        part = t / (num_frames - 1) - 0.5
        (y, fy), (x, fx) = (
            divmod(math.floor(16 * (margin + v * part)), 16) for v in speed)
        fy, fx = np.float32(fy / 16), np.float32(fx / 16)
        rows = (field[y:y + height] * (1 - fy)
                + field[y + 1:y + height + 1] * fy)
        out[t] = (rows[:, x:x + width] * (1 - fx)
                  + rows[:, x + 1:x + width + 1] * fx)
    return out


def _texture(obj: Object, u: np.ndarray, v: np.ndarray,
             unit: float) -> np.ndarray:
    """Return the fraction of dark colour at pixels (u, v), in [0, 1]."""
    if obj.texture == 'plain':
        return np.zeros_like(u)
    if obj.texture == 'striped':
        period = 0.07 * unit
        phase = u / period
        away = np.abs(phase - np.floor(phase + 0.5)) * period
        return coverage(away - 0.22 * period)
    period = 0.075 * unit
    row = np.floor(v / period + 0.5)
    column = u / period + 0.5 * (row - 2 * np.floor(row / 2))
    du = (column - np.floor(column + 0.5)) * period
    dv = v - row * period
    return coverage(np.sqrt(du * du + dv * dv) - 0.27 * period)


def _paint_object(obj: Object, canvas: np.ndarray, labels: np.ndarray,
                  amodal_mask: np.ndarray, number: int, pad: int,
                  unit: float) -> None:
    """Paint one object over the canvas, all frames at once."""
    path = obj.path
    frames = np.flatnonzero(path.present)
    radius = path.scales[frames] * obj.radius * outer_radius(obj.shape) * unit
    half = int(math.ceil(radius.max())) + 2
    centres = path.centres[frames] * unit + pad
    limit = np.array([canvas.shape[2], canvas.shape[1]]) - half - 2
    centres = np.minimum(np.maximum(centres, half + 1), limit)
    corner = np.floor(centres).astype(int) - half
    offsets = np.arange(2 * half + 1)
    rows = (corner[:, 1, None] + offsets)[:, :, None]
    cols = (corner[:, 0, None] + offsets)[:, None, :]
    # pixel k covers [k, k + 1), so its centre is k + 1/2
    dx = cols + 0.5 - centres[:, 0, None, None]
    dy = rows + 0.5 - centres[:, 1, None, None]
    cos, sin = direction(obj.tilt)
    u, v = dx * cos + dy * sin, dy * cos - dx * sin
    covered = coverage(
        signed_distance(obj.shape, u, v, radius[:, None, None]))
    cos, sin = direction(obj.texture_turn)
    ink = _texture(obj, u * cos + v * sin, v * cos - u * sin, unit)
    light = 1 + 0.12 * (dx * obj.light[0] + dy * obj.light[1]) / (
        radius[:, None, None])
    shade = (light * (1 - 0.72 * ink))[..., None]
    colour = np.array(COLOURS[obj.colour], float) + np.array(obj.tint, float)
    index = (frames[:, None, None], rows, cols)
    alpha = covered[..., None]
    canvas[index] = canvas[index] * (1 - alpha) + shade * colour * alpha
    inside = covered > 0.5
    labels[index] = np.where(inside, number, labels[index])
    amodal_mask[index] = inside


def render(scene: Scene, height: int, width: int) -> Video:
    """Render a scene; the arrays are equal on every machine."""
    num_frames = scene.num_frames
    pad = height // 2  # objects may be outside of the frame
    rng = RandomStream(*scene.key, 1)
    canvas = np.zeros(
        (num_frames, height + 2 * pad, width + 2 * pad, 3), np.float32)
    inner = np.s_[:, pad:pad + height, pad:pad + width]
    canvas[inner] = background(rng, num_frames, height, width)
    labels = np.zeros(canvas.shape[:3], np.uint8)
    amodal_masks = np.zeros((len(scene.objects), *canvas.shape[:3]), bool)
    order = sorted(range(len(scene.objects)),
                   key=lambda i: scene.objects[i].depth)
    for i in order:  # the farthest object first
        _paint_object(scene.objects[i], canvas, labels, amodal_masks[i], i + 1,
                      pad, height)
    frames = canvas[inner]
    noise = rng.bytes(2, num_frames, height, width, 3)
    noise = (noise[0].astype(np.int16) + noise[1]) - 255  # triangular
    frames = np.floor(frames + noise * np.float32(scene.noise / 255) + 0.5)
    frames = np.minimum(np.maximum(frames, 0), 255).astype(np.uint8)
    return Video(frames, labels[inner],
                 amodal_masks[:, :, pad:pad + height, pad:pad + width])

"""Which frames of a video make the clip."""
import random
from abc import abstractmethod

import numpy as np
from mmcv.transforms import BaseTransform

from mmrvos.registry import TRANSFORMS


def local_global_indices(key_frame: int,
                         num_total: int,
                         num_frames: int,
                         redraw: bool = False) -> list[int]:
    """ReferFormer's clip: a key frame, its two neighbours, and others.

    The neighbours lie 1 to 3 frames before and after; further frames come
    from outside that stretch. Python's ``random`` is called in the official
    order (randint, randint, sample), so that seeds reproduce official clips.
    The last frame of the stretch counts as outside and can appear twice.

    Args:
        key_frame: index of the frame that must be there.
        num_total: frames of the video.
        num_frames: T. With T = 2 three indices come back.
        redraw: for a video with fewer than T - 3 frames, draw each further
            frame independently (SAMWISE on MeViS). False repeats the video
            (ReferFormer).

    Returns:
        Sorted indices: T of them, but 3 for T = 2.
    """
    if num_frames == 1:
        return [key_frame]
    before, after = random.randint(1, 3), random.randint(1, 3)
    inds = [
        key_frame,
        max(0, key_frame - before),
        min(num_total - 1, key_frame + after)
    ]
    rest = num_frames - 3
    if rest > 0:
        everything = list(range(num_total))
        outside = everything[:min(inds)] + everything[max(inds):]
        if len(outside) > rest:
            inds += random.sample(outside, rest)
        elif num_total >= rest:
            inds += random.sample(everything, rest)
        elif redraw:
            # choices() would consume random numbers in another way
            inds += [random.choice(everything) for _ in range(rest)]
        else:
            # the official draw fails when the video has less than half of
            # the missing frames; whole repetitions make up for it
            repeats, left = divmod(rest, num_total)
            inds += random.sample(everything, left) + everything * repeats
    return sorted(inds)


def nearby_indices(key_frame: int, num_total: int,
                   num_frames: int) -> list[int]:
    """SAMWISE's clip on Ref-YouTube-VOS: frames around a key frame.

    Up to T // 2 of the T frames before the key frame and up to T // 2 of the
    T frames from it on are drawn without repetition. Near the ends of a video
    the missing ones come from within 2T frames, and at last from the whole
    video with repetition. The key frame is sure to be there only where frames
    are missing. Python's ``random`` is called in the official order, so that
    seeds reproduce official clips.

    Args:
        key_frame: index of the frame in the middle.
        num_total: frames of the video.
        num_frames: T.

    Returns:
        T sorted indices.
    """
    half = num_frames // 2
    inds = random.sample(
        range(max(0, key_frame - num_frames), key_frame),
        min(half, key_frame))
    inds += random.sample(
        range(key_frame, min(num_total, key_frame + num_frames)),
        min(half, num_total - key_frame - 1))
    if len(inds) < num_frames and key_frame not in inds:
        inds.append(key_frame)
    pool = range(
        max(0, key_frame - 2 * num_frames),
        min(num_total, key_frame + 2 * num_frames))
    for _ in range(3 * len(pool)):
        if len(inds) >= num_frames:
            break
        drawn = random.choice(pool)
        if drawn not in inds:
            inds.append(drawn)
    while len(inds) < num_frames:
        inds.append(random.randrange(num_total))
    return sorted(inds)


def centred_window(centre: int, num_total: int, num_frames: int) -> list[int]:
    """T consecutive indices around one, clamped to the video.

    >>> centred_window(0, 9, 5)
    [0, 0, 0, 1, 2]
    """
    start = centre - num_frames // 2
    return np.clip(np.arange(start, start + num_frames), 0,
                   num_total - 1).tolist()


def consecutive_window(start: int, num_total: int,
                       num_frames: int) -> list[int]:
    """T consecutive indices from ``start`` on (MTTR's and SOC's windows).

    A window that runs over the end becomes the last T frames, or, when the
    video is shorter, repeats its last frame.
    """
    start = max(0, min(start, num_total - num_frames))
    return np.minimum(
        np.arange(start, start + num_frames), num_total - 1).tolist()


class FrameSampler(BaseTransform):
    """Base of the samplers.

    Required keys: ``frame_names``; ``key_frame`` where a rule starts from it.

    Added keys: ``frame_inds`` (T,) int64.

    Args:
        num_frames: T.
    """

    def __init__(self, num_frames: int) -> None:
        if num_frames < 1:
            raise ValueError(
                f'{type(self).__name__} got num_frames={num_frames}, expected '
                'at least 1')
        self.num_frames = num_frames

    @abstractmethod
    def sample(self, key_frame: int, num_total: int) -> list[int]:
        """T indices for a key frame in a video of ``num_total`` frames."""

    def transform(self, results: dict) -> dict:
        num_total = len(results['frame_names'])
        if num_total == 0:
            raise ValueError(f'video {results["video_id"]} has no frames')
        inds = self.sample(results['key_frame'], num_total)
        results['frame_inds'] = np.array(inds, dtype=np.int64)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(num_frames={self.num_frames})'


@TRANSFORMS.register_module()
class SampleLocalGlobalFrames(FrameSampler):
    """ReferFormer's training clip, :func:`local_global_indices`.

    Args:
        num_frames: T.
        locate_key: also set ``valid_index``, the first position of the key
            frame in the clip: A2D-Sentences, where only that one is annotated.
        redraw: how to fill the clip from a video of fewer than T - 3 frames,
            see :func:`local_global_indices`.
    """

    def __init__(self,
                 num_frames: int = 5,
                 locate_key: bool = False,
                 redraw: bool = False) -> None:
        super().__init__(num_frames)
        self.locate_key = locate_key
        self.redraw = redraw

    def sample(self, key_frame: int, num_total: int) -> list[int]:
        inds = local_global_indices(key_frame, num_total, self.num_frames,
                                    self.redraw)
        return inds[:self.num_frames]

    def transform(self, results: dict) -> dict:
        results = super().transform(results)
        if self.locate_key:
            inds = results['frame_inds'].tolist()
            results['valid_index'] = inds.index(results['key_frame'])
        return results


@TRANSFORMS.register_module()
class SampleNearbyFrames(FrameSampler):
    """SAMWISE's training clip on Ref-YouTube-VOS, :func:`nearby_indices`."""

    def sample(self, key_frame: int, num_total: int) -> list[int]:
        return nearby_indices(key_frame, num_total, self.num_frames)


@TRANSFORMS.register_module()
class SampleCentredFrames(FrameSampler):
    """The annotated frame in the middle of its neighbours (A2D, JHMDB).

    Added keys: ``valid_index``, where the annotated frame is.

    Args:
        num_frames: T.
        middle: how to point at the annotated frame among the copies that
            clamping makes: False takes the first (ReferFormer), True position
            T // 2 (MTTR, SOC). Both are the same picture, but not to a
            backbone that sees time.
    """

    def __init__(self, num_frames: int = 5, middle: bool = False) -> None:
        super().__init__(num_frames)
        self.middle = middle

    def sample(self, key_frame: int, num_total: int) -> list[int]:
        return centred_window(key_frame, num_total, self.num_frames)

    def transform(self, results: dict) -> dict:
        results = super().transform(results)
        inds = results['frame_inds'].tolist()
        results['valid_index'] = (
            self.num_frames // 2
            if self.middle else inds.index(results['key_frame']))
        return results


@TRANSFORMS.register_module()
class SampleConsecutiveFrames(FrameSampler):
    """MTTR's and SOC's training clip, :func:`consecutive_window`.

    Use the same ``num_frames`` in the data set: its entries start there.
    Windows without the object are left out by ``CheckValid``.
    """

    def sample(self, key_frame: int, num_total: int) -> list[int]:
        return consecutive_window(key_frame, num_total, self.num_frames)


@TRANSFORMS.register_module()
class SampleSpreadFrames(FrameSampler):
    """One frame, drawn at random, from each of T equal parts of the video.

    Few frames then show the whole course of events. Not part of any official
    recipe; a video shorter than T gives some frames several times.
    """

    def sample(self, key_frame: int, num_total: int) -> list[int]:
        ends = [num_total * t // self.num_frames
                for t in range(self.num_frames + 1)]
        return [
            random.randint(first, max(first, last - 1))
            for first, last in zip(ends[:-1], ends[1:], strict=True)
        ]


@TRANSFORMS.register_module()
class SampleAllFrames(BaseTransform):
    """The whole video, as inference takes it."""

    def transform(self, results: dict) -> dict:
        num_total = len(results['frame_names'])
        if num_total == 0:
            raise ValueError(f'video {results["video_id"]} has no frames')
        results['frame_inds'] = np.arange(num_total)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'

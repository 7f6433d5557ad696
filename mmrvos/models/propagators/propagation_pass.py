from abc import ABCMeta, abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor


@dataclass
class ObjectGroup:
    """Objects with one key frame, whose masks must not overlap.

    Args:
        objects: k indices of objects, for the caller.
        key_frame: index of the frame.
        prompts: masks (k, H, W) bool, or boxes (k, 4) float (x1, y1, x2, y2)
            in pixels of the original size.
    """
    objects: list[int]
    key_frame: int
    prompts: Tensor


class PropagationPass(metaclass=ABCMeta):
    """State of one pass over a video, forwards or backwards.

    A subclass implements :meth:`step`. It keeps what later frames of the pass
    need, and no frames.
    """

    def __init__(self) -> None:
        self.started: list[ObjectGroup] = []

    @abstractmethod
    def step(self, t: int, frame: Tensor, prompts: Sequence[Tensor],
             last: bool) -> list[Tensor]:
        """Segment the next frame of the pass.

        Args:
            t: index of the frame in the video. The indices of consecutive
                steps differ by 1.
            frame: (3, h, w), normalised with ImageNet's mean and standard
                deviation, without padding.
            prompts: of each group whose key frame this is, see
                :class:`ObjectGroup`.
            last: no frame follows in this pass.

        Returns:
            (k, H, W) bool of each group, in the order in which the groups
            started; those of ``prompts`` come last.
        """

    def run(self,
            frames: Sequence[Tensor] | Mapping[int, Tensor],
            times: Iterable[int],
            groups: Iterable[ObjectGroup],
            end: int | None = None) -> Iterator[tuple[int, list[int], Tensor]]:
        """Segment some consecutive frames of the pass.

        Frames before the first key frame are skipped.

        Args:
            frames: by index.
            times: indices of the frames, in the order of the pass.
            groups: those whose key frame is among ``times``.
            end: index of the last frame of the pass; None if unknown.

        Yields:
            Index of a frame, indices of the objects of a group, and their
            masks (k, H, W) bool. The key frame is omitted if masks were
            given.
        """
        starting = defaultdict(list)
        for group in groups:
            starting[group.key_frame].append(group)
        for t in times:
            new = starting[t]
            before = len(self.started)
            self.started += new
            if not self.started:
                continue
            found = self.step(t, frames[t], [g.prompts for g in new],
                              last=t == end)
            for i, (group, masks) in enumerate(
                    zip(self.started, found, strict=True)):
                if i < before or group.prompts.ndim == 2:
                    yield t, group.objects, masks

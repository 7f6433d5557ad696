from collections.abc import Sequence

import numpy as np
from torch import Tensor

from .drawing import draw_legend

#: Taller legends are cut: the codec limits the height of a video.
MAX_HEIGHT = 1024


class Legend:
    """Captions under the frames of one video, all of one height.

    Args:
        texts: E sentences.
        width: of the frames, in pixels.
    """

    def __init__(self, texts: Sequence[str], width: int) -> None:
        self.texts = texts
        self.width = width
        # the longest caption that a sentence can have
        longest = [caption_of(text, 0, found=False) for text in texts]
        self.height = min(len(draw_legend(longest, width)), MAX_HEIGHT)
        self.drawn: dict[tuple, np.ndarray] = {}

    def draw(self, scores: Tensor, found: np.ndarray,
             present: np.ndarray) -> np.ndarray:
        """Draw the captions for a frame.

        Args:
            scores: (E,).
            found: (E,) bool, expressions with a mask anywhere.
            present: (E,) bool, expressions with a mask in this frame.

        Returns:
            (height, width, 3) uint8 RGB.
        """
        captions = tuple(
            map(caption_of, self.texts, scores.tolist(), found.tolist()))
        key = captions, tuple(present.tolist())
        if key not in self.drawn:
            if key[0] not in {k[0] for k in self.drawn}:
                self.drawn.clear()  # captions of an earlier window
            self.drawn[key] = draw_legend(
                captions, self.width, faded=~present, height=self.height)
        return self.drawn[key]


def caption_of(text: str, score: float, found: bool) -> str:
    """Format the score and the sentence: '0.87 the small red circle'."""
    return f'{score:.2f} {text}' + ('' if found else ' (not found)')

from collections.abc import Sequence
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import (
    AutoConfig,
    AutoModelForZeroShotObjectDetection,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from mmrvos.registry import TASK_UTILS

from ..hugging_face import check_source, load_published, tokenize
from ..text_encoders.tokenizers import word_tokenizer
from .base import TextDetector


@TASK_UTILS.register_module()
class HuggingFaceGrounder(TextDetector):
    """Detect with Grounding DINO or MM-Grounding-DINO of transformers.

    The score of a box is the largest probability over the tokens of the
    expression, as in ``post_process_grounded_object_detection``.

    Args:
        weights: name of a Hugging Face model, or a folder; read when first
            needed. None keeps random ones.
        config: ``model_type`` ('grounding-dino' or 'mm-grounding-dino') and
            keys of its configuration, for random weights.
        vocabulary: the words of the tokenizer, with a ``config``.
        threshold: a box with a lower score is not found.
        size: of the network's input, (shorter side, limit of the longer).

    Raises:
        ValueError: there are both ``weights`` and a ``config``, or a config
            without vocabulary.
        OSError: when first used, the model can neither be found nor
            downloaded.
    """

    def __init__(self,
                 *,
                 weights: str | None = 'IDEA-Research/grounding-dino-tiny',
                 config: dict | None = None,
                 vocabulary: Sequence[str] | None = None,
                 threshold: float = 0.3,
                 size: tuple[int, int] = (800, 1333)) -> None:
        check_source(type(self).__name__, weights, config)
        if weights is None and not (config and vocabulary):
            raise ValueError(
                'HuggingFaceGrounder without weights needs a config and a '
                'vocabulary')
        self.weights = weights
        self.config = config
        self.vocabulary = vocabulary
        self.threshold = threshold
        self.size = tuple(size)

    @cached_property
    def network(self) -> PreTrainedModel:
        if self.weights is None:
            network = AutoModelForZeroShotObjectDetection.from_config(
                AutoConfig.for_model(**self.config))
            return network.eval().requires_grad_(False)
        return load_published(AutoModelForZeroShotObjectDetection,
                              self.weights, 'model.detector.weights')

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        if self.weights is None:
            return word_tokenizer(self.vocabulary)
        return AutoTokenizer.from_pretrained(
            self.weights, trust_remote_code=False)

    def check(self, texts: Sequence[str]) -> None:
        """See :meth:`TextDetector.check`; long expressions are named."""
        limit = self.network.config.max_text_len
        for text in texts:
            tokenize(self.tokenizer, phrase(text), limit)

    def __call__(self, frame: Tensor,
                 texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """See :meth:`TextDetector.__call__`."""
        self.network.to(frame.device)
        image = F.interpolate(
            frame[None],
            input_size(tuple(frame.shape[-2:]), *self.size),
            mode='bilinear',
            align_corners=False,
            antialias=True)
        # One expression at a time: the tokens of others would attend to it.
        found = [self.detect(image, text) for text in texts]
        boxes, scores = (torch.stack(part) for part in zip(*found,
                                                           strict=True))
        return boxes, scores * (scores > self.threshold)

    def detect(self, image: Tensor, text: str) -> tuple[Tensor, Tensor]:
        """Find the best box for one expression.

        Args:
            image: (1, 3, H, W), resized.

        Returns:
            The box, (4,), and its score, ().
        """
        # the largest number of tokens is reported by check()
        tokens = self.tokenizer(
            phrase(text),
            truncation=True,
            max_length=self.network.config.max_text_len,
            return_token_type_ids=True,
            return_tensors='pt').to(image.device)
        with torch.no_grad():
            output = self.network(pixel_values=image, **tokens)
        scores = output.logits[0].float().sigmoid().amax(-1)
        best = scores.argmax()
        x, y, width, height = output.pred_boxes[0, best].float()
        box = torch.stack([
            x - width / 2, y - height / 2, x + width / 2, y + height / 2])
        return box.clamp(0, 1), scores[best]


def phrase(text: str) -> str:
    """Convert a sentence to the form of Grounding DINO's training."""
    return text.lower().strip().rstrip('.').strip() + '.'


def input_size(shape: tuple[int, int], shorter: int,
               longest: int) -> tuple[int, int]:
    """Return (height, width) of an image after its resize.

    As transformers' image processors compute it: the shorter side gets
    ``shorter`` unless the longer one would exceed ``longest``.
    """
    small, large = sorted(shape)
    exact = float(shorter)
    if large / small * shorter > longest:
        exact = longest * small / large
    sides = round(exact), int(exact * large / small)
    if small == large:
        sides = (sides[0], ) * 2
    return sides if shape[0] <= shape[1] else sides[::-1]

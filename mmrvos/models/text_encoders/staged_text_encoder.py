from collections.abc import Sequence

import torch
from torch import Tensor
from transformers.masking_utils import create_bidirectional_mask

from mmrvos.registry import MODELS

from ..features import TextFeatures
from .hugging_face_text_encoder import HuggingFaceTextEncoder


@MODELS.register_module()
class StagedTextEncoder(HuggingFaceTextEncoder):
    """Run the layers of a RoBERTa group by group (SAMWISE).

    :meth:`encode` runs the embeddings and the first layers. The segmentor
    calls :meth:`run_layers` for the others and changes the words in between.
    There is neither a projection nor a pooler.

    Args:
        first_layers: layers that :meth:`encode` runs; the segmentor sets
            them.
        name, pretrained, config, vocabulary, tokenizer, max_length, frozen:
            see :class:`HuggingFaceTextEncoder`.

    Raises:
        ValueError: the text model does not have the layout of RoBERTa.
    """

    def __init__(self,
                 *,
                 first_layers: int = 4,
                 name: str | None = None,
                 pretrained: bool = True,
                 config: dict | None = None,
                 vocabulary: str | Sequence[str] | None = None,
                 tokenizer: str | None = None,
                 max_length: int | None = None,
                 frozen: bool = True,
                 init_cfg: dict | None = None) -> None:
        super().__init__(
            out_channels=None,
            name=name,
            pretrained=pretrained,
            config=config,
            vocabulary=vocabulary,
            tokenizer=tokenizer,
            max_length=max_length,
            frozen=frozen,
            pooler=False,
            init_cfg=init_cfg)
        if not hasattr(getattr(self.model, 'encoder', None), 'layer'):
            raise ValueError(
                f'{type(self.model).__name__} has no encoder.layer: '
                'StagedTextEncoder takes RoBERTa and models of its layout')
        self.first_layers = first_layers

    @property
    def width(self) -> int:
        """D, channels of the words."""
        return self.model.config.hidden_size

    @property
    def num_layers(self) -> int:
        """Layers of the text model."""
        return len(self.model.encoder.layer)

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None,
                video_index: Tensor) -> TextFeatures:
        """Encode the tokens of P expressions with the first layers.

        Args:
            input_ids: (P, L).
            attention_mask: (P, L), 0 where padded; None without padding.
            video_index: (P,), index of the video of each expression.
        """
        padding = None if attention_mask is None else attention_mask != 1
        with torch.set_grad_enabled(torch.is_grad_enabled()
                                    and not self.frozen):
            words = self.model.embeddings(input_ids)
            if padding is not None:
                # fairseq sets padded embeddings to zero, transformers not
                words = words.masked_fill(padding[..., None], 0.)
            words = self.run_layers(words, padding, 0, self.first_layers)
        return TextFeatures(
            words=words,
            padding=padding,
            sentence=None,
            positions=None,
            video_index=video_index)

    def run_layers(self, words: Tensor, padding: Tensor | None, start: int,
                   stop: int) -> Tensor:
        """Run the layers ``start`` to ``stop - 1``.

        Args:
            words: (P, L, D).
            padding: (P, L) bool, True where padded, or None.
        """
        mask = create_bidirectional_mask(
            self.model.config, words,
            None if padding is None else (~padding).long())
        for layer in self.model.encoder.layer[start:stop]:
            words = layer(words, mask)
        return words

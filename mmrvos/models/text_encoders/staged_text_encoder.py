from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from transformers.masking_utils import create_bidirectional_mask

from mmrvos.registry import MODELS

from ..features import TextFeatures
from .hugging_face_text_encoder import HuggingFaceTextEncoder
from .verbs import find_verbs, load_pipeline


@dataclass
class StagedTextFeatures(TextFeatures):
    """Words between two groups of layers; no sentence, no positions.

    Args:
        verbs: (P, L) bool, tokens of verbs; None if they are not looked for.
    """
    verbs: Tensor | None = None


@MODELS.register_module()
class StagedTextEncoder(HuggingFaceTextEncoder):
    """Run the layers of a RoBERTa group by group (SAMWISE).

    :meth:`encode` runs the embeddings and the first layers. The segmentor
    calls :meth:`run_layers` for the others and changes the words in between.
    There is neither a projection nor a pooler.

    Args:
        first_layers: layers that :meth:`encode` runs; the segmentor sets
            them.
        verbs: name or folder of the spaCy pipeline that marks the verbs of
            the expressions, such as 'en_core_web_sm'; None marks none.
        name, pretrained, config, vocabulary, tokenizer, max_length, frozen:
            see :class:`HuggingFaceTextEncoder`.

    Raises:
        ValueError: the text model does not have the layout of RoBERTa, or
            verbs are to be marked and the tokenizer has no offsets, or the
            pipeline no parts of speech.
        ImportError, OSError: spaCy or its pipeline is not installed.
    """

    def __init__(self,
                 *,
                 first_layers: int = 4,
                 verbs: str | None = None,
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
        parts = sorted(name for name, _ in self.model.named_children())
        if parts != ['embeddings', 'encoder'] or [
                name for name, _ in self.model.encoder.named_children()
        ] != ['layer']:
            raise ValueError(
                f'{type(self.model).__name__} does not consist of embeddings '
                'and encoder.layer: StagedTextEncoder takes RoBERTa and '
                'models of its layout')
        if verbs is not None:
            load_pipeline(verbs)  # fails here, before any work
            if not self.tokenizer.is_fast:
                raise ValueError(
                    f'text_encoder.verbs={verbs!r} needs a tokenizer with '
                    f'offsets, which {type(self.tokenizer).__name__} lacks')
        self.first_layers = first_layers
        self.verbs = verbs

    @property
    def width(self) -> int:
        """D, channels of the words."""
        return self.model.config.hidden_size

    @property
    def num_layers(self) -> int:
        """Layers of the text model."""
        return len(self.model.encoder.layer)

    def encode(self, expressions: Sequence[Sequence[str]]
               ) -> StagedTextFeatures:
        """See the base class; marks the verbs if the config asks for it."""
        text = super().encode(expressions)
        if self.verbs is None:
            return text
        marks = self.mark_verbs(
            [sentence for video in expressions for sentence in video])
        return replace(text, verbs=marks.to(text.words.device))

    def mark_verbs(self, texts: Sequence[str]) -> Tensor:
        """Mark the tokens of verbs.

        Args:
            texts: P expressions.

        Returns:
            (P, L) bool on the CPU.
        """
        offsets = self.tokenizer(
            list(texts),
            padding='longest',
            truncation=self.max_length is not None,
            max_length=self.max_length,
            return_offsets_mapping=True,
            return_tensors='pt')['offset_mapping']
        marks = torch.zeros(offsets.shape[:2]).bool()
        for row, text in enumerate(texts):
            for start, stop in find_verbs(load_pipeline(self.verbs), text):
                # start and end tokens and padding have the offsets (0, 0)
                marks[row] |= ((offsets[row, :, 0] < stop)
                               & (offsets[row, :, 1] > start))
        return marks

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None,
                video_index: Tensor) -> StagedTextFeatures:
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
        return StagedTextFeatures(
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

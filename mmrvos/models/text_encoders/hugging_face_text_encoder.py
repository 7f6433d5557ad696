from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer, RobertaConfig, RobertaModel

from mmrvos.registry import MODELS

from ..features import TextFeatures
from ..layers import sine_word_positions
from .tokenizers import SPECIAL_TOKENS, word_tokenizer


@MODELS.register_module()
class HuggingFaceTextEncoder(BaseModule):
    """A Hugging Face text model and a projection to the model's width.

    The last hidden states are the words, the pooler's output is the sentence
    (without a pooler, the first word is); both pass through the same
    projection (Linear, LayerNorm, Dropout).

    Give either ``name`` or ``config`` with ``vocabulary``:

    - ``name='roberta-base'`` or a local folder: model and tokenizer are loaded
      from there. ``roberta-base`` has no pooler weights: they start random
      and come from the checkpoint that is loaded afterwards.
    - ``config=dict(hidden_size=..., ...)``: a RoBERTa with random weights
      and a tokenizer of whole words; nothing is downloaded.

    Args:
        out_channels: C, the width of words and sentence.
        name: model name or folder.
        config: keys of ``transformers.RobertaConfig``; ``vocab_size`` follows
            from the vocabulary.
        vocabulary: the words that the tokenizer knows, with ``config``; a
            string is split at blanks.
        tokenizer: name or folder, where it is not ``name``.
        frozen: no gradients for the text model. Its dropout stays active in
            training, as officially (the projection is always trained).
        dropout: of the projection.
        pooler: build the text model with its pooler.

    Raises:
        ValueError: neither or both of ``name`` and ``config`` are given.
        OSError: the model can neither be found nor downloaded.
    """

    def __init__(self,
                 *,
                 out_channels: int = 256,
                 name: str | None = None,
                 config: dict | None = None,
                 vocabulary: str | Sequence[str] | None = None,
                 tokenizer: str | None = None,
                 frozen: bool = True,
                 dropout: float = 0.1,
                 pooler: bool = True,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        if (name is None) == (config is None):
            raise ValueError(
                'the text encoder takes either name (a Hugging Face model or '
                f'a folder) or config (a RoBERTa from scratch), got {name=}, '
                f'{config=}')
        if config is None:
            self.tokenizer, self.model = load_pretrained(
                name, tokenizer or name, pooler)
        else:
            self.tokenizer, self.model = build_from_config(
                config, vocabulary, tokenizer, pooler)
        self.frozen = frozen
        if frozen:
            self.model.requires_grad_(False)
        self.projection = nn.Sequential(
            nn.Linear(self.model.config.hidden_size, out_channels),
            nn.LayerNorm(out_channels, eps=1e-12), nn.Dropout(dropout))

    def init_weights(self) -> None:
        """Nothing to do: torch's and Hugging Face's own initialisation."""

    def encode(self, expressions: Sequence[Sequence[str]]) -> TextFeatures:
        """Encode all expressions of a batch.

        Args:
            expressions: for each of B videos, its expressions.

        Raises:
            ValueError: a video has none, or one is empty.
        """
        counts = torch.tensor([len(video) for video in expressions])
        if not counts.all():
            raise ValueError('every video needs an expression at least, got '
                             f'{counts.tolist()}')
        ids, mask = self.tokenize(
            [text for video in expressions for text in video])
        videos = torch.arange(len(counts)).repeat_interleave(counts)
        device = next(self.parameters()).device
        return self(
            ids.to(device), None if mask.all() else mask.to(device),
            videos.to(device))

    def tokenize(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Token ids and attention mask, (P, L) each on the CPU, padded to the
        longest.

        Raises:
            ValueError: an expression is empty.
        """
        for text in texts:
            if not text.strip():
                raise ValueError(
                    f'one of the expressions {list(texts)} is empty: each '
                    'must say which object to segment')
        tokens = self.tokenizer(
            list(texts), padding='longest', return_tensors='pt')
        return tokens['input_ids'], tokens['attention_mask']

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None,
                video_index: Tensor) -> TextFeatures:
        """Encode tokens.

        Args:
            input_ids: (P, L).
            attention_mask: (P, L), 0 where padded; None without padding.
            video_index: (P,), the video of each expression.
        """
        with torch.set_grad_enabled(torch.is_grad_enabled()
                                    and not self.frozen):
            output = self.model(
                input_ids=input_ids, attention_mask=attention_mask)
        words = self.projection(output.last_hidden_state)
        sentence = words[:, 0] if output.pooler_output is None else (
            self.projection(output.pooler_output))
        if attention_mask is None:
            padding = None
            positions = sine_word_positions(
                torch.zeros_like(input_ids[:1]).bool(),
                words.shape[-1]).expand_as(words)
        else:
            padding = attention_mask != 1
            positions = sine_word_positions(padding, words.shape[-1])
        return TextFeatures(
            words=words,
            padding=padding,
            sentence=sentence,
            positions=positions.to(words.dtype),
            video_index=video_index)


def load_pretrained(name: str, tokenizer: str, pooler: bool) -> tuple:
    """Tokenizer and model by name or from a folder."""
    # only some kinds of models have the option
    options = {} if pooler else dict(add_pooling_layer=False)
    try:
        return (AutoTokenizer.from_pretrained(tokenizer),
                AutoModel.from_pretrained(name, **options))
    except OSError as error:
        raise OSError(
            f'the text encoder {name!r} is neither a folder nor to be '
            'downloaded from here: fetch it where there is a network '
            f"(AutoModel.from_pretrained('{name}').save_pretrained(FOLDER), "
            'the tokenizer too) and pass --cfg-options '
            'model.text_encoder.name=FOLDER. First cause: '
            f'{str(error).splitlines()[0]}') from None


def build_from_config(config: dict, vocabulary: str | Sequence[str] | None,
                      tokenizer: str | None, pooler: bool) -> tuple:
    """A random RoBERTa with its own tokenizer.

    Raises:
        ValueError: there is neither a vocabulary nor a tokenizer, or
            ``config`` has a key that RoBERTa does not know.
    """
    # transformers itself stores any key without a word
    known = {*RobertaConfig().to_dict(), 'attn_implementation'}
    if unknown := set(config) - known:
        raise ValueError(f'RobertaConfig has no {sorted(unknown)}; see its '
                         'page in the documentation of transformers')
    if vocabulary is not None:
        if isinstance(vocabulary, str):
            vocabulary = vocabulary.split()
        tokenizer = word_tokenizer(vocabulary)
    elif tokenizer is not None:
        tokenizer = AutoTokenizer.from_pretrained(tokenizer)
    else:
        raise ValueError('a text encoder from a config needs a vocabulary '
                         '(its words) or a tokenizer (name or folder)')
    settings = dict(
        vocab_size=len(tokenizer),
        bos_token_id=SPECIAL_TOKENS.index('<s>'),
        pad_token_id=SPECIAL_TOKENS.index('<pad>'),
        eos_token_id=SPECIAL_TOKENS.index('</s>'))
    return tokenizer, RobertaModel(
        RobertaConfig(**(settings | config)), add_pooling_layer=pooler)

from collections import Counter
from collections.abc import Sequence

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

SPECIAL_TOKENS = ('<s>', '<pad>', '</s>', '<unk>')  # RoBERTa's ids 0 to 3


def word_tokenizer(vocabulary: Sequence[str]) -> PreTrainedTokenizerFast:
    """Build a tokenizer with one token per word from a closed vocabulary.

    Sentences become ``<s> words </s>``, with RoBERTa's ids for the special
    tokens. Words outside the vocabulary become ``<unk>``.

    Args:
        vocabulary: distinct words in lower case.

    Raises:
        ValueError: a word occurs twice.
    """
    twice = sorted(w for w, n in Counter(vocabulary).items() if n > 1)
    if twice:
        raise ValueError(f'the vocabulary lists words more than once: {twice}')
    ids = {w: i for i, w in enumerate((*SPECIAL_TOKENS, *vocabulary))}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token='<unk>'))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single='<s> $A </s>',
        special_tokens=[('<s>', ids['<s>']), ('</s>', ids['</s>'])])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token='<s>',
        eos_token='</s>',
        pad_token='<pad>',
        unk_token='<unk>')

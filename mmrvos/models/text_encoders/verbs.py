"""Verbs of sentences, found by spaCy, which is imported on first use."""
from collections.abc import Callable, Iterator
from functools import lru_cache


@lru_cache
def load_pipeline(name: str) -> Callable:
    """Load a pipeline of spaCy once per process.

    Args:
        name: of an installed pipeline, or its folder.

    Raises:
        ImportError: spaCy is not installed.
        OSError: the pipeline is not installed.
        ValueError: it does not assign parts of speech.
    """
    try:
        import spacy
    except ImportError:
        raise ImportError(
            f'text_encoder.verbs={name!r} needs spaCy: pip install spacy; '
            f'python -m spacy download {name}') from None
    try:
        pipeline = spacy.load(name)
    except OSError:
        raise OSError(
            f'text_encoder.verbs={name!r} is neither an installed pipeline of '
            'spaCy nor its folder: python -m spacy download '
            'en_core_web_sm') from None
    if not pipeline('the dog runs').has_annotation('POS'):
        raise ValueError(
            f'text_encoder.verbs={name!r}: this pipeline assigns no parts of '
            'speech; en_core_web_sm does')
    return pipeline


def find_verbs(pipeline: Callable, text: str) -> Iterator[tuple[int, int]]:
    """Yield the first character of each verb and the one behind its last.

    Args:
        pipeline: of spaCy; it assigns parts of speech. Auxiliary verbs are
            no verbs.
        text: a sentence.
    """
    for token in pipeline(text):
        if token.pos_ == 'VERB':
            yield token.idx, token.idx + len(token)

"""Pretrained models of transformers, loaded safely and strictly."""
import re
import warnings
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from huggingface_hub import try_to_load_from_cache
from huggingface_hub.errors import HFValidationError
from transformers import (
    BatchEncoding,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from mmrvos.downloads import check_hub
from mmrvos.utils import MAX_WEIGHTS_BYTES, check_file, check_finite

#: Licences of weights at the hub, by the start of the name.
LICENCES = {
    'facebook/sam3': 'the SAM License; gated: accept it on the page of the '
    'model, then run `hf auth login`',
    'facebook/sam2': 'Apache-2.0',
    'IDEA-Research/grounding-dino': 'Apache-2.0',
    'yonigozlan/EdgeTAM': 'Apache-2.0',
}


def load_hugging_face(kind: type,
                      name: str,
                      optional: str = r'$^',
                      **options: Any) -> PreTrainedModel:
    """Load a model by name or from a folder.

    Python files of the folder are not run, and pickled weights may hold
    tensors only. transformers warns about missing weights and makes random
    ones; here they are refused.

    Args:
        kind: the model's class or an ``Auto`` class.
        name: name at the Hugging Face hub, or a folder.
        optional: regular expression of weights that may be missing.
        options: of ``from_pretrained``.

    Raises:
        OSError: there is no such folder, and no model to download.
        ValueError: the files would run code, weights are missing or not
            finite, or a file of the folder is a pipe or device.
    """
    check_model_folder(name)
    try:
        model, info = kind.from_pretrained(
            name,
            trust_remote_code=False,
            weights_only=True,
            output_loading_info=True,
            **options)
    except (UnpicklingError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(
            f'the weights of {name!r} cannot be read ({reason}); expected a '
            'model.safetensors, or a pickle of tensors only') from None
    missing = sorted(
        key for key in info['missing_keys'] if not re.search(optional, key))
    if missing:
        raise ValueError(
            f'{name!r} lacks {len(missing)} weights of '
            f'{type(model).__name__}, e.g. {missing[0]}: fetch it again')
    check_finite(model, name)
    return model


def check_model_folder(name: str) -> None:
    """Refuse a folder with a pipe or device, whose reading would never end.

    Args:
        name: name at the Hugging Face hub, or a folder.

    Raises:
        ValueError: names the file.
    """
    folder = Path(name)
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.exists() and not path.is_dir():
            check_file(path, MAX_WEIGHTS_BYTES)


def announce_download(name: str) -> None:
    """Print the licence of weights that have to be downloaded.

    Nothing is printed for a folder, and for weights in the local cache.

    Args:
        name: name at the Hugging Face hub, or a folder.

    Raises:
        OSError: the hub has to be asked and cannot be reached.
    """
    if Path(name).is_dir():
        return
    try:
        cached = try_to_load_from_cache(name, 'config.json')
    except HFValidationError:
        raise OSError(f'there is no folder {name}') from None
    if isinstance(cached, str):
        return
    check_hub()
    print(f'{name}: downloading from https://huggingface.co/{name}. '
          f'Licence: {licence_of(name)}', flush=True)


def licence_of(name: str) -> str:
    """Return the licence of weights, and what has to be done if gated."""
    return next(
        (text for start, text in LICENCES.items() if name.startswith(start)),
        'not known here, see the page')


def load_published(kind: type, weights: str, option: str) -> PreTrainedModel:
    """Load published weights for inference; print their licence first.

    Args:
        kind: the model's class or an ``Auto`` class.
        weights: name at the Hugging Face hub, or a folder.
        option: key of the config that names the weights, for the error.

    Returns:
        The model, in inference mode and without gradients.

    Raises:
        OSError: the model can neither be found nor downloaded.
        ImportError: the model needs timm, which is not installed.
    """
    try:
        announce_download(weights)
        model = load_hugging_face(kind, weights)
    except OSError as error:
        gated = ('' if 'gated' not in licence_of(weights) else
                 ' The weights are gated: accept their licence at '
                 f'https://huggingface.co/{weights} and log in with '
                 '`hf auth login`.')
        raise OSError(
            f'{weights!r} is not a folder and cannot be downloaded from '
            f'here: fetch it where there is a network ({kind.__name__}'
            f".from_pretrained('{weights}').save_pretrained(FOLDER)) and "
            f'set {option}=FOLDER.{gated} First cause: '
            f'{str(error).splitlines()[0]}') from None
    except ImportError as error:
        if 'timm' not in str(error):
            raise
        raise ImportError(
            f'the backbone of {weights!r} is a model of timm, which is not '
            'installed: pip install timm') from None
    return model.eval().requires_grad_(False)


def check_source(part: str, weights: str | None, config: dict | None) -> None:
    """Check that a part has weights or a config, and not both.

    Raises:
        ValueError: there are both.
    """
    if weights is not None and config is not None:
        raise ValueError(
            f'{part} got {weights=} and a config: pretrained weights include '
            'a config. Set weights=None for random weights')


def tokenize(tokenizer: PreTrainedTokenizerBase, text: str, limit: int,
             **options: Any) -> BatchEncoding:
    """Tokenize one sentence; warn if it is cut.

    Args:
        limit: largest number of tokens, start and end included.
        options: of the tokenizer.

    Raises:
        ValueError: the sentence is empty.
    """
    if not text.strip(' .'):
        raise ValueError('an expression is empty: each must describe an '
                         'object')
    count = len(tokenizer(text)['input_ids'])
    if count > limit:
        warnings.warn(
            f'the expression {text!r} has {count} tokens (start and end '
            f'included), the text model takes {limit}: the end of the '
            'expression is cut off', stacklevel=2)
    return tokenizer(
        text, truncation=True, max_length=limit, return_tensors='pt',
        **options)

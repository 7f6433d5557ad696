"""Pretrained models of transformers, loaded safely and strictly."""
import re
from pickle import UnpicklingError
from typing import Any

from transformers import PreTrainedModel


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
        ValueError: the files would run code, or weights are missing.
    """
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
    return model

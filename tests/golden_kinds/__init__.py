"""Functions that run each kind of golden case, see ``test_golden.py``."""
import re

from . import (
    data,
    evaluation,
    mttr,
    mutr,
    protocols,
    referformer,
    samwise,
    samwise_parts,
    samwise_training,
    soc,
    stcn,
)
from .case import Case

RUNNERS = {
    **referformer.KINDS,
    **mttr.KINDS,
    **mutr.KINDS,
    **samwise.KINDS,
    **samwise_parts.KINDS,
    **samwise_training.KINDS,
    **soc.KINDS,
    **stcn.KINDS,
    **evaluation.KINDS,
    **protocols.KINDS,
    **data.KINDS
}


def kind_of(case: Case) -> str:
    """Return the kind of a case.

    ReferFormer's cases store a ``kind``. Other kinds are the longest known
    prefix of the name.

    Raises:
        KeyError: no kind is known for the case.
    """
    name = re.sub(r'_s\d+$', '', case.meta.get('case', case.name))
    if 'kind' in case.meta:
        name = f"{name.split('_')[0]}_{case.meta['kind']}"
    known = [kind for kind in RUNNERS if name.startswith(kind)]
    if not known:
        raise KeyError(f'{case.name} is of an unknown kind ({name}); known '
                       f'kinds: {sorted(RUNNERS)}')
    return max(known, key=len)

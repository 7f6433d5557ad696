"""How each kind of golden case is run; see ``tests/test_golden.py``."""
import re

from . import data, evaluation, mttr, referformer, soc, stcn
from .case import Case

RUNNERS = {
    **referformer.KINDS,
    **mttr.KINDS,
    **soc.KINDS,
    **stcn.KINDS,
    **evaluation.KINDS,
    **data.KINDS
}


def kind_of(case: Case) -> str:
    """What a case says it is.

    ReferFormer's cases carry a ``kind``; others are known by the beginning
    of their name, which ends in a seed or a variant.

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

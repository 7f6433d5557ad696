from typing import Any

from mmengine.optim import DefaultOptimWrapperConstructor
from torch import nn

from mmrvos.registry import OPTIM_WRAPPER_CONSTRUCTORS


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class GroupedOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """MMEngine's constructor with one group for all parameters alike.

    MMEngine's gives every parameter a group of its own, and optimizers work
    group by group: a fused AdamW is called as often as there are parameters.
    The numbers are the same.
    """

    def add_params(self,
                   params: list[dict],
                   module: nn.Module,
                   prefix: str = '',
                   **kwargs: Any) -> None:
        """As the base class, which calls this for every submodule.

        Args:
            params: groups, changed in place.
            module: whose parameters are added.
            prefix: the module's name; empty for the whole model.
        """
        super().add_params(params, module, prefix, **kwargs)
        if prefix:
            return
        merged = {}
        for group in params:
            options = tuple(
                (name, group[name]) for name in sorted(group)
                if name != 'params')
            merged.setdefault(options, []).extend(group['params'])
        params[:] = [
            dict(options, params=members)
            for options, members in merged.items()
        ]

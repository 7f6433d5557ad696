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

        Raises:
            ValueError: two modules of the model share a parameter.
        """
        super().add_params(params, module, prefix, **kwargs)
        if prefix:
            return
        kinds, members = [], []
        for group in params:
            parameters = group.pop('params')
            if group not in kinds:
                kinds.append(group)
                members.append([])
            members[kinds.index(group)] += parameters
        # torch refuses this between groups, and steps twice within one
        ids = [id(p) for parameters in members for p in parameters]
        if len(set(ids)) < len(ids):
            raise ValueError(
                'modules of the model share a parameter: set bypass_duplicate'
                '=True in optim_wrapper.paramwise_cfg')
        params[:] = [
            dict(kind, params=parameters)
            for kind, parameters in zip(kinds, members, strict=True)
        ]

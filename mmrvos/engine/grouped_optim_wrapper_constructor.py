import inspect
from difflib import get_close_matches
from typing import Any

from mmengine.logging import print_log
from mmengine.optim import DefaultOptimWrapperConstructor
from mmengine.registry import OPTIMIZERS
from torch import nn

from mmrvos.registry import OPTIM_WRAPPER_CONSTRUCTORS


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class GroupedOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """MMEngine's constructor with one group per set of options.

    MMEngine gives each parameter a group of its own. Optimizers work group by
    group, so a fused AdamW would be called once per parameter. The updates
    are the same.
    """

    def add_params(self,
                   params: list[dict],
                   module: nn.Module,
                   prefix: str = '',
                   **kwargs: Any) -> None:
        """Add the parameters of a module, see the base class.

        Args:
            params: groups, changed in place.
            module: whose parameters are added. The base class calls this
                method for each submodule.
            prefix: the name of the module; empty for the whole model.

        Raises:
            ValueError: an entry of ``custom_keys`` matches no parameter or
                has an unknown option, or two modules of the model share a
                parameter.
        """
        if not prefix:
            self.check_custom_keys(module)
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
        # torch checks this between groups only; within one it steps twice
        ids = [id(p) for parameters in members for p in parameters]
        if len(set(ids)) < len(ids):
            raise ValueError(
                'modules of the model share a parameter: set bypass_duplicate'
                '=True in optim_wrapper.paramwise_cfg')
        params[:] = [
            dict(kind, params=parameters)
            for kind, parameters in zip(kinds, members, strict=True)
        ]
        print_log(describe(params, self.base_lr, self.base_wd),
                  logger='current')

    def check_custom_keys(self, model: nn.Module) -> None:
        """Check ``custom_keys``; MMEngine ignores keys that match nothing."""
        names = [name for name, _ in model.named_parameters()]
        optimizer = OPTIMIZERS.get(self.optimizer_cfg['type'])
        options = set(inspect.signature(optimizer).parameters) - {'params'}
        options |= {'lr_mult', 'decay_mult'}
        for key, given in self.paramwise_cfg.get('custom_keys', {}).items():
            if not any(key in name for name in names):
                parts = {
                    '.'.join(name.split('.')[:key.count('.') + 1])
                    for name in names
                }
                raise ValueError(
                    f'optim_wrapper.paramwise_cfg.custom_keys has {key!r}, '
                    'which is in the name of no parameter'
                    + did_you_mean(key, parts))
            for option in set(given) - options:
                raise ValueError(
                    f'optim_wrapper.paramwise_cfg.custom_keys.{key} has no '
                    f'option {option!r}' + did_you_mean(option, options))


def describe(groups: list[dict], lr: float, decay: float | None) -> str:
    """List the groups of an optimizer, one per line.

    Args:
        groups: with ``params``.
        lr, decay: of groups that set none of their own.
    """
    lines = [f'Groups of the optimizer: {len(groups)}']
    for group in groups:
        options = dict(lr=lr, weight_decay=decay) | {
            key: value for key, value in group.items()
            if key not in ('params', 'lr_mult', 'decay_mult')
        }
        count = sum(p.numel() for p in group['params']) / 1e6
        lines.append('  ' + ', '.join(f'{key} {value}' for key, value in
                                      options.items())
                     + f': {len(group["params"])} tensors, {count:.2f} M')
    return '\n'.join(lines)


def did_you_mean(name: str, known: set[str]) -> str:
    similar = get_close_matches(name, sorted(known), n=3)
    return f'; did you mean {" or ".join(map(repr, similar))}?' if (
        similar) else f'; expected one of {sorted(known)}'

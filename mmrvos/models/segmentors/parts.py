from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Part:
    """A child module of a segmentor, declared once in its class.

    The declaration decides what ``--compile`` compiles and which rows a
    profile has. A method can be declared as well, for a row of its own.

    Args:
        path: attribute of the segmentor, perhaps dotted. A model without it,
            or with None in its place, lacks the part.
        compiled: pass the part to ``torch.compile``. Parts of little cost, or
            with a new shape for each text, are not worth the time.
    """
    path: str
    compiled: bool = False

    def modules(self, model: nn.Module
                ) -> Iterator[tuple[str, nn.Module | Callable]]:
        """Yield path and module, or method; of a list or dict of modules each
        entry, because the forward pass calls the entries."""
        module = model
        for name in self.path.split('.'):
            module = getattr(module, name, None)
        if isinstance(module, nn.ModuleList | nn.ModuleDict):
            for name, child in module.named_children():
                yield f'{self.path}.{name}', child
        elif module is not None:
            yield self.path, module

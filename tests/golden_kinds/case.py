"""Golden cases: inputs and outputs of the official implementations.

A case stores no weights. Each tensor of the official model's state dict is
drawn from a generator seeded with the CRC of ``'<seed>:<key>'``, so the
weights can be computed again on any machine.
"""
import json
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch


@dataclass
class Case:
    """One golden case.

    Args:
        name: file name without extension; only for messages.
        meta: hyper-parameters, seed, notes.
        state_shapes: {official key: shape}.
        inputs, outputs: {name: array}.
    """
    name: str
    meta: dict
    state_shapes: dict[str, list[int]]
    inputs: dict[str, np.ndarray] = field(default_factory=dict)
    outputs: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def seed(self) -> int:
        return int(self.meta['seed'])

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Compute the official model's float32 weights by official name."""
        return {
            key: torch.from_numpy(draw(key, shape, self.seed))
            for key, shape in self.state_shapes.items()
        }


def draw(key: str, shape: list[int], seed: int) -> np.ndarray:
    """Draw the values of one state-dict entry."""
    seed = zlib.crc32(f'{seed}:{key}'.encode()) & 0xFFFFFFFF
    values = np.random.RandomState(seed).standard_normal(  # noqa: NPY002
        int(np.prod(shape, dtype=np.int64))).reshape(shape)
    leaf = key.rsplit('.', 1)[-1]
    if leaf == 'running_var':
        values = 0.5 + np.abs(values)
    elif leaf == 'running_mean':
        values = 0.1 * values
    elif leaf == 'bias' or leaf.endswith('_bias'):
        # larger, so that sampling points are off the centre
        values = values * (1.0 if 'sampling_offsets' in key else 0.02)
    elif len(shape) <= 1:
        values = 1.0 + 0.1 * values
    elif 'embed' in leaf or any(
            name in key
            for name in ('query_embed', 'level_embed', 'embeddings')):
        values = 0.5 * values
    else:
        fan_in = int(np.prod(shape[1:], dtype=np.int64))
        values = values / np.sqrt(max(fan_in, 1))
    return values.astype(np.float32)


def load_case(path: Path) -> Case:
    """Read one ``.npz``: a JSON header, ``in/*`` and ``out/*`` arrays."""
    with np.load(path) as arrays:
        head = json.loads(bytes(arrays['__json__']).decode())
        case = Case(Path(path).stem, head['meta'], head['state_shapes'])
        for key in arrays.files:
            if key.startswith('in/'):
                case.inputs[key[3:]] = arrays[key]
            elif key.startswith('out/'):
                case.outputs[key[4:]] = arrays[key]
    return case

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import torch

from mmrvos.utils.option_types import check_options

from ..chunks import Chunks

QUERIES = ('per_window', 'carried')
PRECISIONS = dict(bf16=torch.bfloat16, fp16=torch.float16)


def fast_precision(device: torch.device) -> str | None:
    """Choose the mixed precision that a device computes in hardware.

    Returns:
        On a GPU 'bf16' from compute capability 8.0 (Ampere) on, else 'fp16'.
        On a CPU 'bf16' if it has AVX-512 BF16 or AMX, else None.
    """
    if device.type == 'cuda':
        capability = torch.cuda.get_device_capability(device)
        return 'bf16' if capability >= (8, 0) else 'fp16'
    checks = ('_is_avx512_bf16_supported', '_is_amx_tile_supported')
    # older versions of torch lack some checks
    has_bf16 = any(
        getattr(torch.cpu, name, bool)() for name in checks)
    return 'bf16' if has_bf16 else None


@dataclass
class InferenceCfg:
    """``test_cfg`` of a segmentor; an unknown key is an error.

    Args:
        window: frames decoded together, which bounds the memory; None decodes
            a video in one pass. A clip with a valid_index has one frame to
            decode and is never split.
        overlap: frames that a window shares with the next as context. The
            first half of them is predicted by the earlier window, the second
            half by the later one.
        query: 'per_window' chooses the best query sequence in each window;
            'carried' uses the choice of the first window for all.
        chunks: limits of what is computed at once, see :class:`Chunks`.
        amp: mixed precision, 'bf16' or 'fp16' (GPU only); 'auto' for what the
            device computes in hardware, see :func:`fast_precision`; None for
            none.
        postprocessor: config of the postprocessor, see
            :class:`BasePostprocessor`.
        propagator: config of a mask propagator, see :class:`MaskPropagator`;
            None for none. It reads the frames again from a temporary file;
            its ``key_frame`` decides when it starts.
        min_score: an expression with a lower score is answered by "absent",
            i.e. empty masks. In testing the score of the whole video decides.
            0 keeps all masks.

    Raises:
        TypeError: an unknown key, or a value of another type.
        ValueError: a value that is out of range or contradicts another.
    """
    window: int | None = None
    overlap: int = 0
    query: str = 'per_window'
    chunks: Chunks | dict = field(default_factory=Chunks)
    amp: str | None = None
    postprocessor: dict = field(default_factory=lambda: dict(type='BestQuery'))
    propagator: dict | None = None
    min_score: float = 0.

    def __post_init__(self) -> None:
        check_options(InferenceCfg, vars(self), 'test_cfg')
        if not isinstance(self.chunks, Chunks):
            self.chunks = Chunks(**self.chunks)
        if self.window is not None and self.window < 1:
            raise ValueError('test_cfg.window must be at least 1, got '
                             f'{self.window}')
        if self.window is None and self.overlap:
            raise ValueError(f'test_cfg.overlap={self.overlap} needs a '
                             'test_cfg.window')
        if self.window is not None and not 0 <= self.overlap < self.window:
            raise ValueError('test_cfg.overlap is 0 to window - 1 = '
                             f'{self.window - 1}, got {self.overlap}')
        if self.query not in QUERIES:
            raise ValueError(f'test_cfg.query is one of {QUERIES}, got '
                             f'{self.query!r}')
        if not 0 <= self.min_score <= 1:
            raise ValueError('test_cfg.min_score is 0 to 1, got '
                             f'{self.min_score}')
        known = (None, 'auto', *PRECISIONS)
        if self.amp not in known:
            raise ValueError(f'test_cfg.amp is one of {known}, got '
                             f'{self.amp!r}')

    def precision(self, device: torch.device) -> AbstractContextManager:
        """Return a context that runs a block in the precision ``amp``.

        Raises:
            ValueError: fp16 on a CPU, which lacks the kernels.
        """
        amp = fast_precision(device) if self.amp == 'auto' else self.amp
        if amp is None:
            return nullcontext()
        if amp == 'fp16' and device.type == 'cpu':
            raise ValueError("amp='fp16' needs a GPU; take 'bf16' on a CPU")
        return torch.autocast(device.type, PRECISIONS[amp])

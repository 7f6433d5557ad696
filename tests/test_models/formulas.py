"""Plain implementations of formulas of the papers."""
import math

import torch
from torch import Tensor, nn


def attention(mha: nn.MultiheadAttention, query: Tensor, key: Tensor,
              value: Tensor, padded: Tensor | None = None) -> Tensor:
    """softmax(Q W^Q (K W^K)^T / sqrt(d)) V W^V, head by head, one sample.

    Args:
        query: (Q, C).
        key, value: (K, C).
        padded: (K,) bool, True where a key is not there.
    """
    if padded is not None:
        key, value = key[~padded], value[~padded]
    q, k, v = (
        nn.functional.linear(x, w, b) for x, w, b in zip(
            (query, key, value), mha.in_proj_weight.chunk(3),
            mha.in_proj_bias.chunk(3), strict=True))
    heads = []
    for qh, kh, vh in zip(*(x.chunk(mha.num_heads, -1) for x in (q, k, v)),
                          strict=True):
        scores = (qh @ kh.T / math.sqrt(qh.shape[-1])).exp()
        heads.append(scores / scores.sum(-1, keepdim=True) @ vh)
    return mha.out_proj(torch.cat(heads, -1))


def norm_ffn(block: nn.Module, x: Tensor, attended: Tensor) -> Tensor:
    """LN(FFN(y) + y) of y = LN(attended + x), of an AttentionBlock."""
    y = block.attention_norm(attended + x)
    first, second = block.ffn.layers[0][0], block.ffn.layers[1]
    return block.ffn_norm(second(first(y).clamp(min=0)) + y)

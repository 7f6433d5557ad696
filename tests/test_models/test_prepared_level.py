"""The language-free part of the finest level is computed once per video."""
import pytest
import torch

from mmrvos.models.chunks import WHOLE, Chunks
from mmrvos.models.features import MultiscaleFeatures, TextFeatures
from mmrvos.models.layers import Memory
from mmrvos.models.pixel_decoders import CrossModalFPN

C, T, PAIRS = 16, 3, 2
SIZES = [(8, 12), (4, 6), (2, 3), (1, 2)]  # of the levels


def maps(frames: int, channels: int = C) -> list[torch.Tensor]:
    return [torch.randn(frames, channels, *size) for size in SIZES]


@pytest.fixture
def fpn():
    torch.manual_seed(0)
    return CrossModalFPN(
        fine_channels=10, embed_dims=C, mask_channels=8, num_heads=2,
        feedforward_channels=32).eval()


@pytest.mark.parametrize('padded', [False, True])
@pytest.mark.parametrize('chunks', [WHOLE, Chunks(pixels=1)])
@torch.no_grad()
def test_equals_one_expression_after_the_other(fpn, chunks, padded):
    padding = None
    if padded:
        padding = tuple(
            torch.arange(w).expand(1, h, w) >= 0.7 * w for h, w in SIZES)
    clip = MultiscaleFeatures(
        num_frames=T,
        image_sizes=torch.tensor([[32., 48.]]),
        chunks=chunks,
        fine=maps(T, 10)[0],
        levels=tuple(maps(T)[1:]),
        padding=padding,
        positions=tuple(maps(1)))
    memory = Memory(
        torch.cat([x.flatten(2).transpose(1, 2) for x in maps(PAIRS * T)[1:]],
                  dim=1), SIZES[1:], None, torch.ones(PAIRS * T, 3, 2))
    text = TextFeatures(
        torch.randn(PAIRS, 5, C), None, torch.randn(PAIRS, C),
        torch.randn(PAIRS, 5, C), torch.zeros(PAIRS, dtype=torch.long))
    expected = fpn(clip.select(text.video_index), memory, text)

    calls = []
    fpn.laterals[0].register_forward_hook(lambda *args: calls.append(args))
    prepared = fpn.prepare(clip)
    assert prepared.fine is None and clip.fine is not None
    once = len(calls)
    found = fpn(prepared.select(text.video_index), memory, text)
    assert len(calls) == once  # not again
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)

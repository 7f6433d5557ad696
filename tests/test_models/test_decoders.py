import torch

from mmrvos.models.decoders.language_query_decoder import refine

from .tiny import make_batch, tiny_model


def test_references_keep_full_precision():
    """bf16 has 8 bits: 0.9985 would become 1, and a cell of a row of 80 a
    multiple of a third."""
    reference = torch.tensor([[0.9985, 0.5013]])
    with torch.autocast('cpu', torch.bfloat16):
        box = refine(torch.zeros(1, 4, dtype=torch.bfloat16), reference)
    torch.testing.assert_close(box[:, :2], reference)
    model = tiny_model()
    batch = model.data_preprocessor(make_batch())
    with torch.no_grad():
        full = model(**batch, mode='tensor')
        with torch.autocast('cpu', torch.bfloat16):
            half = model(**batch, mode='tensor')
    assert half.queries.dtype is torch.bfloat16
    assert half.references.dtype is half.boxes.dtype is torch.float32
    assert not torch.equal(half.boxes, half.boxes.bfloat16().float())
    torch.testing.assert_close(half.boxes, full.boxes, rtol=0, atol=0.02)

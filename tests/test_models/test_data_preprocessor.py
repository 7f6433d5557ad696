import torch

from mmrvos.models.data_preprocessors import RVOSDataPreprocessor

from .tiny import make_batch


def test_normalises_then_pads_with_zeros():
    preprocessor = RVOSDataPreprocessor(
        mean=(1., 2., 3.), std=(2., 4., 8.), pad_size_divisor=16)
    batch = make_batch(shapes=((20, 30), (24, 17)))
    raw = batch['inputs'][0].float()
    data = preprocessor(batch, True)
    assert [clip.shape[-2:] for clip in data['inputs']] == [(32, 32)] * 2
    torch.testing.assert_close(data['inputs'][0][:, 2, :20, :30],
                               (raw[:, 2] - 3) / 8)
    assert not data['inputs'][0][..., 20:, :].any()
    assert data['data_samples'][1].batch_input_shape == (32, 32)


def test_the_test_divisor_pads_test_samples():
    preprocessor = RVOSDataPreprocessor(test_pad_size_divisor=1)
    data = preprocessor(make_batch(shapes=((21, 33), )), False)
    assert data['inputs'][0].shape[-2:] == (21, 33)

import pytest
import torch

from mmrvos.models import InferenceCfg
from mmrvos.models.segmentors.backbone_maps import padding_masks
from mmrvos.models.segmentors.batch import collect_targets, image_sizes

from .tiny import make_batch, make_sample, tiny_model

TEXTS = ('the red square', 'the star', 'the small one that moves right')


def masks_of(samples) -> list:
    return [[[rle['counts'] for rle in frames] for frames in s.pred.masks]
            for s in samples]


def tensors(model, batch, training=False):
    with torch.no_grad():
        return model(
            **model.data_preprocessor(batch, training), mode='tensor')


def test_positions_and_masks_depend_on_the_padding():
    model = tiny_model()
    sizes = torch.tensor([[64., 96.]])
    plain = model.encode_clip(torch.zeros(1, 2, 3, 64, 96), sizes)
    padded = model.encode_clip(torch.zeros(1, 2, 3, 64, 160), sizes)
    assert plain.padding is None
    assert padded.padding[0].shape == (1, 16, 40)
    assert not padded.padding[0][..., :24].any()
    assert padded.padding[0][..., 24:].all()
    torch.testing.assert_close(
        padded.positions[0][..., :24], plain.positions[0], rtol=0, atol=1e-6)


def test_each_window_chooses_its_query():
    model = tiny_model(test_cfg__window=2)
    batch = make_batch(num_frames=5)
    sample = model.test_step(batch)[0]
    assert sample.pred.queries.shape == (1, 3)
    assert len(sample.pred.masks[0]) == 5
    # a window has the masks of its frames as a video
    frames = make_batch(num_frames=5)['inputs'][0]
    tail = tiny_model().test_step(
        dict(
            inputs=[frames[4:]],
            data_samples=[make_sample((64, 96), 1, ['the red square'])]))[0]
    assert sample.pred.masks[0][4] == tail.pred.masks[0][0]


def test_valid_index_decodes_one_frame():
    model = tiny_model()
    batch = make_batch(num_frames=3)
    batch['data_samples'][0].set_metainfo(dict(valid_index=1))
    one = tensors(model, batch, training=True)
    assert one.logits.shape[2] == 1
    # an image backbone does not use the other frames
    alone = make_batch(num_frames=3)
    alone['inputs'][0] = alone['inputs'][0][1:2]
    torch.testing.assert_close(
        one.logits, tensors(model, alone, training=True).logits,
        rtol=0, atol=1e-5)
    like = torch.zeros(3, 3, 64, 96)
    assert collect_targets(batch['data_samples'], like).masks.shape == (
        1, 1, 64, 96)


def test_clips_with_a_valid_index_are_not_split():
    batches = [make_batch(num_frames=3) for _ in range(2)]
    for batch in batches:
        batch['data_samples'][0].set_metainfo(dict(valid_index=2))
    whole, windows = (
        masks_of(tiny_model(test_cfg__window=size).test_step(batch))
        for size, batch in zip((3, 2), batches, strict=True))
    assert len(windows[0][0]) == 1
    assert windows == whole


def test_targets_are_padded_to_the_batch():
    samples = [make_sample((40, 60), 2, ['a', 'b']),
               make_sample((64, 50), 2, ['c'])]
    targets = collect_targets(samples, torch.zeros(2, 3, 64, 96))
    assert targets.masks.shape == (3, 2, 64, 96)
    assert not targets.masks[0, :, 40:].any()
    assert image_sizes(samples).tolist() == [[40, 60], [64, 50]]


def test_padding_masks_are_nearest_samples():
    masks = padding_masks(
        torch.tensor([[4., 6.], [8., 8.]]), torch.zeros(8, 8),
        [(4, 4), (2, 2)])
    assert (~masks[0][0]).int().tolist() == [[1, 1, 1, 0], [1, 1, 1, 0],
                                             [0] * 4, [0] * 4]
    assert (~masks[1][0]).int().tolist() == [[1, 1], [0, 0]]
    assert not masks[0][1].any()
    assert padding_masks(
        torch.tensor([[8., 8.]]), torch.zeros(8, 8), [(4, 4)]) is None


def test_clips_of_a_batch_need_equal_lengths():
    model = tiny_model()
    batch = make_batch(shapes=((64, 96), (64, 96)))
    batch['inputs'][1] = batch['inputs'][1][:1]
    with pytest.raises(ValueError, match='num_frames'):
        tensors(model, batch, training=True)


@pytest.mark.parametrize('cfg,error', [(dict(windw=4), TypeError),
                                       (dict(window=0), ValueError)])
def test_test_cfg_is_checked(cfg, error):
    with pytest.raises(error, match='windw|window'):
        InferenceCfg(**cfg)


def test_channels_last_gives_the_same_numbers():
    batch = make_batch(shapes=((64, 96), (48, 80)), texts=TEXTS)
    last = tensors(tiny_model(channels_last=True), batch, training=True)
    batch = make_batch(shapes=((64, 96), (48, 80)), texts=TEXTS)
    first = tensors(tiny_model(channels_last=False), batch, training=True)
    torch.testing.assert_close(
        last.mask_features, first.mask_features, rtol=0, atol=1e-4)

"""MTTR on a tiny model; golden cases compare its numbers."""
import math

import pytest
import torch
from mmengine.config import Config
from mmengine.structures import InstanceData

from mmrvos.models.features import Targets
from mmrvos.models.heads import ReferredInstanceHead
from mmrvos.models.segmentors.batch import collect_targets
from mmrvos.models.task_modules import InstanceMatcher
from mmrvos.models.text_encoders import HuggingFaceTextEncoder
from mmrvos.registry import MODELS

from .tiny import CONFIGS, make_batch, make_sample

TEXTS = ('the red square', 'the star', 'the small one that moves right')


def mttr_model(seed: int = 0, **changes) -> torch.nn.Module:
    """The tiny MTTR; dotted keys (``a__b=c``) change its config."""
    cfg = Config.fromfile(CONFIGS / 'mttr/tiny_shapes.py')
    cfg.merge_from_dict(
        {f"model.{k.replace('__', '.')}": v for k, v in changes.items()})
    torch.manual_seed(seed)
    return MODELS.build(cfg.model).eval()


def add_objects(batch: dict, obj_ids: list[str]) -> dict:
    """The objects of every clip; the expressions are all about the first."""
    for sample in batch['data_samples']:
        mask = sample.gt.masks[0]
        sample.set_metainfo(dict(obj_ids=[obj_ids[:1]] * len(sample.texts)))
        sample.objects = InstanceData(
            masks=torch.stack(
                [mask.roll(10 * i, -1) for i in range(len(obj_ids))]),
            obj_ids=obj_ids)
    return batch


def tensors(model, batch, training=False):
    with torch.no_grad():
        return model(
            **model.data_preprocessor(batch, training), mode='tensor')


def test_the_dense_map_is_the_encoded_map():
    model = mttr_model()
    batch = model.data_preprocessor(make_batch(texts=TEXTS))
    with torch.no_grad():
        clip = model.encode_clip(
            torch.stack(batch['inputs']), torch.tensor([[64., 96.]]))
        text = model.encode_text([TEXTS])
        dense = model.dense_map(clip, text)
        torch.testing.assert_close(dense, model.decode(clip, text).dense)
    assert dense.shape == (3 * 2, 64, 8, 12)


def test_training_needs_the_other_objects():
    model = mttr_model().train()
    data = model.data_preprocessor(make_batch(), True)
    with pytest.raises(ValueError, match='all_objects=True'):
        model(**data, mode='loss')


def test_other_objects_exclude_the_target():
    batch = add_objects(make_batch(texts=TEXTS[:2]), ['1', '2', '3'])
    sample = batch['data_samples'][0]
    sample.set_metainfo(dict(obj_ids=[['2'], ['1', '3']]))
    targets = collect_targets([sample], torch.zeros(2, 3, 96, 128))
    assert [len(others) for others in targets.others] == [2, 1]
    masks = sample.objects.masks
    assert targets.others[0].shape == (2, 2, 96, 128)
    assert torch.equal(targets.others[0][1, :, :64, :96], masks[2])
    assert torch.equal(targets.others[1][0, :, :64, :96], masks[1])


def test_a_valid_index_keeps_one_frame_of_all_objects():
    sample = make_sample((64, 96), 3, ['a'], valid_index=1)
    add_objects(dict(data_samples=[sample]), ['1', '2'])
    targets = collect_targets([sample], torch.zeros(3, 3, 64, 96))
    assert targets.masks.shape == (1, 1, 64, 96)
    assert targets.others[0].shape == (1, 1, 64, 96)


def perfect(objects: torch.Tensor) -> torch.Tensor:
    """Mask logits (T, n, H, W) of objects (n, T, H, W)."""
    return (objects.float() * 20 - 10).transpose(0, 1)


def squares(num: int, num_frames: int = 2) -> torch.Tensor:
    """(n, T, 8, 8 n) bool, side by side."""
    masks = torch.zeros(num, num_frames, 8, 8 * num).bool()
    for i in range(num):
        masks[i, :, 1:7, 8 * i + 1:8 * i + 7] = True
    return masks


def test_each_object_is_matched_with_its_mask():
    objects = squares(3)
    masks = perfect(objects)[:, [2, 0, 1]]
    logits = torch.tensor([[-5., 5., -5.]] * 2)
    queries, numbers = InstanceMatcher()(logits, masks, objects,
                                         torch.ones(2).bool())
    assert dict(zip(numbers.tolist(), queries.tolist(), strict=True)) == {
        0: 1, 1: 2, 2: 0}


def test_the_referred_object_is_matched_by_score():
    """With equal masks, scores decide."""
    objects = squares(2)
    masks = torch.zeros(2, 2, 8, 16)
    logits = torch.tensor([[3., -3.], [3., -3.]])
    matcher = InstanceMatcher()
    queries, numbers = matcher(logits, masks, objects,
                               torch.tensor([True, True]))
    assert dict(zip(numbers.tolist(), queries.tolist(), strict=True)) == {
        0: 0, 1: 1}
    # in frames without the object the target is "not referred"
    cost = matcher.cost(logits, masks, objects, torch.tensor([False, False]))
    torch.testing.assert_close(cost[:, 0], cost[:, 1])


def test_more_objects_than_queries():
    objects = squares(3)
    head = ReferredInstanceHead(embed_dims=8)
    targets = Targets(
        masks=objects[:1], boxes=None, valid=torch.ones(1, 2).bool(),
        labels=None, others=[objects[1:]])
    losses = head.loss_by_layer(
        torch.zeros(1, 1, 2, 2, 1),
        perfect(objects)[None, None, :, 1:], targets)
    # both matched masks are perfect
    assert losses['loss_mask'] == pytest.approx(0, abs=1e-3)
    assert losses['loss_dice'] == pytest.approx(0, abs=1e-2)


def test_losses_of_perfect_predictions_vanish():
    objects = squares(2)
    targets = Targets(
        masks=objects[:1], boxes=None, valid=torch.ones(1, 2).bool(),
        labels=None, others=[objects[1:]])
    logits = torch.full((1, 1, 2, 3, 1), -20.)
    logits[..., 1, :] = 20.
    masks = torch.full((1, 1, 2, 3, 8, 16), -10.)
    masks[0, 0, :, [1, 0]] = perfect(objects)
    losses = ReferredInstanceHead(embed_dims=8).loss_by_layer(
        logits, masks, targets)
    for name, value in losses.items():
        assert value == pytest.approx(0, abs=1e-3), name


def test_the_target_is_not_referred_where_the_object_is_absent():
    """The weight is 1, as in the official code."""
    head = ReferredInstanceHead(embed_dims=8, unreferred_weight=0.1)
    logits = torch.zeros(1, 2, 3, requires_grad=True)  # (P, T, N)
    match = (torch.tensor([1, 2]), torch.tensor([1, 0]))  # query 2 is it
    loss = head.referred_loss(logits, torch.tensor([[True, False]]), [match])
    # every entry is log 2; mean over the two frames
    assert loss.item() == pytest.approx(math.log(2) * (1 + 0.1 + 0.1))
    loss.backward()
    slopes = 2 * logits.grad[0]
    torch.testing.assert_close(
        slopes, torch.tensor([[.05, .05, -.5], [.05, .05, .5]]))


def test_without_a_pooler_the_first_token_is_the_sentence():
    encoder = HuggingFaceTextEncoder(
        out_channels=8,
        pooler=False,
        vocabulary='a dog',
        config=dict(
            hidden_size=8,
            num_hidden_layers=1,
            num_attention_heads=1,
            intermediate_size=8)).eval()
    text = encoder.encode([['a dog', 'a'], ['dog']])
    assert not any('pooler' in name for name, _ in encoder.named_parameters())
    torch.testing.assert_close(text.sentence, text.words[:, 0])
    assert text.video_index.tolist() == [0, 0, 1]


def test_unknown_losses_are_refused():
    with pytest.raises(ValueError, match='giou'):
        ReferredInstanceHead(loss_weights=dict(giou=1.))

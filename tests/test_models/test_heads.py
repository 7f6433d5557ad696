import pytest
import torch
import torch.nn.functional as F

from mmrvos.models.features import Targets
from mmrvos.models.heads import (
    CategoryHead,
    DenseMaskHead,
    MotionHead,
    ReferringHead,
)
from mmrvos.models.heads.dynamic_mask import DynamicMaskLayers
from mmrvos.models.heads.referring_head import of_matched
from mmrvos.models.losses import mask_targets

from .tiny import make_batch, tiny_model


def predict(model, batch):
    data = model.data_preprocessor(batch, True)
    return model(**data, mode='tensor')


@pytest.mark.parametrize('relative', [True, False])
def test_dynamic_masks_equal_convolutions_query_by_query(relative):
    torch.manual_seed(0)
    layers = DynamicMaskLayers(5, 4, relative)
    features = torch.randn(2, 5, 3, 6)
    params = torch.randn(2, 3, layers.num_params)
    centres = torch.rand(2, 3, 2) * 20
    masks = layers(features, params, centres, 4)
    first = 5 + 2 * relative
    for f in range(2):
        for q in range(3):
            w1, w2, w3, b1, b2, b3 = params[f, q].split(
                [4 * first, 16, 4, 4, 4, 1])
            x = features[f]
            if relative:
                y, z = torch.meshgrid(
                    torch.arange(3.) * 4 + 2, torch.arange(6.) * 4 + 2,
                    indexing='ij')
                offset = centres[f, q][:, None, None] - torch.stack([z, y])
                x = torch.cat([x, offset])
            x = F.conv2d(x[None], w1.view(4, first, 1, 1), b1).relu()
            x = F.conv2d(x, w2.view(4, 4, 1, 1), b2).relu()
            x = F.conv2d(x, w3.view(1, 4, 1, 1), b3)
            torch.testing.assert_close(masks[f, q], x[0, 0])


def test_chosen_masks_are_those_of_all_queries():
    model = tiny_model()
    with torch.no_grad():
        predictions = predict(
            model, make_batch(texts=('the red square', 'the star')))
        everything = model.head.masks(predictions)
        chosen = torch.tensor([2, 0])
        some = model.head.masks(predictions, layer=1, chosen=chosen)
    assert everything.shape == (3, 2, 2, 3, 16, 24)
    expected = torch.stack([everything[1, 0, :, 2], everything[1, 1, :, 0]])
    torch.testing.assert_close(some[0, :, :, 0], expected)


def test_chosen_masks_of_each_layer():
    model = tiny_model()
    chosen = torch.tensor([[2, 0], [1, 1], [0, 2]])
    with torch.no_grad():
        predictions = predict(
            model, make_batch(texts=('the red square', 'the star')))
        everything = model.head.masks(predictions)
        some = model.head.masks(predictions, chosen=chosen)
    torch.testing.assert_close(
        some.squeeze(3), of_matched(everything, chosen))


def test_masks_for_the_loss_under_autocast():
    """The masks of the matcher have no graph, those of the loss have one,
    down to the weights that autocast keeps."""
    model = tiny_model()
    with torch.autocast('cpu', torch.bfloat16):
        predictions = predict(model, make_batch())
        masks, build = model.head.masks_for_loss(predictions)
        mask = build(torch.ones(masks.shape[:2]).long())
    assert not masks.requires_grad
    torch.testing.assert_close(mask, masks[:, :, :, 1], rtol=0.1, atol=0.1)
    mask.float().sum().backward()
    assert model.head.controller.layers[0].weight.grad.any()


def test_mask_targets_subsample_or_average():
    mask = torch.zeros(1, 8, 8).bool()
    mask[0, 2, 2] = mask[0, 4:, 4:] = True
    assert mask_targets(mask, 4, average=False).tolist() == [[[1, 0], [0, 1]]]
    assert mask_targets(mask, 4, average=True).tolist() == [[[1 / 16, 0],
                                                             [0, 1]]]


def test_mask_targets_of_other_sizes_reach_over_the_border():
    assert mask_targets(torch.ones(3, 2, 9, 13).bool(), 4,
                        average=False).shape == (3, 2, 3, 4)


def test_every_parameter_learns():
    model = tiny_model(category_head=None).train()
    predictions = predict(model, make_batch())
    batch = model.data_preprocessor(make_batch(), True)
    losses = model(**batch, mode='loss')
    assert predictions.dense is not None
    assert {'loss_cls', 'd0.loss_dice', 'd1.loss_giou',
            'loss_dense_mask'} <= set(losses)
    sum(losses.values()).backward()
    still = [n for n, p in model.named_parameters()
             if p.grad is None or not p.grad.isfinite().all()]
    assert still == []


def test_an_absent_object_has_finite_losses_and_a_zero_box():
    model = tiny_model()
    batch = model.data_preprocessor(make_batch(), True)
    gt = batch['data_samples'][0].gt
    shown = model(**batch, mode='loss')
    gt.masks[:], gt.boxes[:], gt.valid[:] = False, 0, False
    absent = model(**batch, mode='loss')
    assert all(v.isfinite() for v in absent.values())
    # one valid frame at least in the normaliser, so the sum is not divided
    # by two; boxes are pulled to zero, as officially
    assert absent['loss_bbox'] > 0
    assert shown['loss_bbox'] != absent['loss_bbox']


def test_mixed_precision_gives_nearly_the_same_losses():
    model = tiny_model()
    batch = model.data_preprocessor(make_batch(), True)
    full = model(**batch, mode='loss')
    with torch.autocast('cpu', dtype=torch.bfloat16):
        half = model(**batch, mode='loss')
    for name, value in full.items():
        assert half[name].dtype == torch.float32
        torch.testing.assert_close(half[name], value, rtol=0.05, atol=0.05)


def test_loss_weights_scale_losses():
    batch = tiny_model().data_preprocessor(make_batch(), True)
    one = tiny_model()(**batch, mode='loss')
    two = tiny_model(head__loss_weights=dict(dice=10.))(**batch, mode='loss')
    torch.testing.assert_close(two['loss_dice'], 2 * one['loss_dice'])
    torch.testing.assert_close(two['loss_mask'], one['loss_mask'])


@pytest.mark.parametrize('args,match', [
    (dict(mask_target='middle'), 'subsample'),
    (dict(loss_weights=dict(focal=1.)), 'focal'),
])
def test_head_refuses_unknown_options(args, match):
    with pytest.raises(ValueError, match=match):
        ReferringHead(**args)


def test_without_refinement_all_layers_share_one_head():
    model = tiny_model(head__box_refinement=False)
    assert len(model.head.box_branches) == 1
    predictions = predict(model, make_batch())
    # the first points stay the references of every layer
    assert predictions.references.shape[-1] == 2
    torch.testing.assert_close(predictions.references[0],
                               predictions.references[2])


def test_the_dense_stage_computes_only_the_dense_losses():
    model = tiny_model()
    batch = model.data_preprocessor(make_batch(), True)
    full = model(**batch, mode='loss')
    calls = []
    model.decoder.register_forward_hook(lambda *_: calls.append(1))
    model.stage = 'dense'
    dense = model(**batch, mode='loss')
    assert set(dense) == {'loss_dense_mask', 'loss_dense_dice'}
    for name, value in dense.items():
        torch.testing.assert_close(value, full[name])
    assert not calls


@pytest.mark.parametrize('head', ['dense', 'category', 'motion'])
def test_heads_need_the_stride_of_their_map(head):
    masks = torch.zeros(1, 2, 32, 48).bool()
    targets = Targets(
        masks=masks, boxes=None, valid=None, labels=torch.tensor([0]))
    maps = torch.randn(2, 4, 4, 6)  # stride 8
    losses = dict(
        dense=lambda stride: DenseMaskHead(in_channels=4, stride=stride).loss(
            maps, targets),
        category=lambda stride: CategoryHead(
            in_channels=4, num_classes=3, level=0, stride=stride).loss(
                (maps, ), torch.tensor([0]), targets),
        motion=lambda stride: MotionHead(in_channels=4, stride=stride).loss(
            maps, [masks], torch.tensor([[32., 48.]])))
    assert losses[head](8)
    with pytest.raises(ValueError, match=r'stride=16 got a map of \(4, 6\)'):
        losses[head](16)


def test_dense_head_needs_a_dense_map():
    with pytest.raises(ValueError, match='dense_head'):
        DenseMaskHead(in_channels=4).loss(None, None)


def test_the_category_loss_is_the_mean_over_the_pixels_of_the_masks():
    torch.manual_seed(0)
    head = CategoryHead(
        in_channels=4, num_classes=3, level=1, stride=8, loss_weight=2.)
    maps = (None, torch.randn(4, 4, 3, 5))  # two videos of two frames
    masks = torch.zeros(3, 2, 24, 40).bool()
    masks[0, 0, 8:16, 16:24] = True  # a cell of frame 0 of video 0
    masks[1, 1, 0:8, 0:4] = True  # half a cell of frame 1 of video 1
    videos, labels = torch.tensor([0, 1, 1]), torch.tensor([2, 0, 1])
    targets = Targets(masks=masks, boxes=None, valid=None, labels=labels)
    loss = head.loss(maps, videos, targets)['loss_category']
    chances = head.conv(maps[1]).log_softmax(1)
    expected = -2 * (chances[0, 2, 1, 2] + chances[3, 0, 0, 0] / 2) / 1.5
    torch.testing.assert_close(loss, expected)
    # frames without an object do not count
    targets.masks = torch.zeros_like(masks)
    assert head.loss(maps, videos, targets)['loss_category'] == 0


def test_the_category_stage_trains_the_backbone_alone():
    model = tiny_model()
    model.stage = 'category'
    batch = model.data_preprocessor(
        make_batch(shapes=[(64, 96)] * 2, texts=['a circle', 'a ring']), True)
    losses = model(**batch, mode='loss')
    assert set(losses) == {'loss_category'}
    losses['loss_category'].backward()
    trained = {
        name.split('.')[0]
        for name, p in model.named_parameters() if p.grad is not None
    }
    assert trained == {'backbone', 'category_head'}

"""HTML: scales, losses by the equations, and testing as ReferFormer."""

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from torch import nn

from mmrvos.models.chunks import WHOLE
from mmrvos.models.features import Targets
from mmrvos.models.segmentors import HTML, ReferFormer
from mmrvos.models.segmentors.batch import collect_targets
from mmrvos.models.task_modules import TemporalScale, sample_scales
from mmrvos.registry import MODELS

from .tiny import CONFIGS, make_batch, tiny_model

CPU = torch.device('cpu')
SHAPES = ((64, 96), (48, 80))
TEXTS = ('the red square', 'the star')


def html_model(**changes) -> HTML:
    return tiny_model(type='HTML', **changes)


def make_video_batch(model, num_frames=5, shapes=SHAPES, training=True):
    """Clips whose object moves, and is absent from the second frame on in
    the last pair."""
    batch = make_batch(shapes, num_frames, TEXTS)
    for sample in batch['data_samples']:
        for t in range(num_frames):
            sample.gt.masks[:, t] = sample.gt.masks[:, t].roll(2 * t, -1)
            sample.gt.boxes[:, t, 0] += 2 * t / sample.img_shape[1]
        sample.gt.masks[1, 1:], sample.gt.valid[1, 1:] = False, False
        sample.gt.boxes[1, 1:] = 0
    return model.data_preprocessor(batch, training)


def fix_draw(monkeypatch, scales):
    monkeypatch.setattr('mmrvos.models.segmentors.html.sample_scales',
                        lambda *args: scales)


def two_clip_scales() -> list[TemporalScale]:
    torch.manual_seed(3)
    return sample_scales((2, 5), 3, 2, CPU)


@pytest.mark.parametrize('total,stride,expected', [
    (8, 2, [8, 4, 2]), (5, 2, [5, 3, 2]), (1, 2, [1, 1, 1]), (7, 3, [7, 3, 1]),
])
def test_scales_have_one_frame_of_every_group(total, stride, expected):
    torch.manual_seed(0)
    seen = set()
    for _ in range(40):
        scales = sample_scales((2, total), 3, stride, CPU)
        assert [s.frames.shape for s in scales] == [(2, n) for n in expected]
        assert scales[0].frames.tolist() == [list(range(total))] * 2
        for above, scale in zip(scales[:-1], scales[1:], strict=True):
            # the same frames by their positions in the scale before
            assert torch.equal(
                above.frames.gather(1, scale.positions), scale.frames)
            group = torch.arange(scale.positions.shape[1])
            assert torch.equal(scale.positions // stride, group.expand(2, -1))
        seen |= set(scales[1].frames.flatten().tolist())
    assert seen == set(range(total))  # any frame can be picked


def test_clips_of_a_batch_are_sampled_independently():
    torch.manual_seed(0)
    frames = sample_scales((2, 64), 2, 2, CPU)[1].frames
    assert not torch.equal(frames[0], frames[1])


@pytest.mark.parametrize('keep', [[0, 4], [3, 2]])
def test_a_kept_frame_is_in_all_scales(keep):
    torch.manual_seed(0)
    for _ in range(20):
        for scale in sample_scales((2, 5), 3, 2, CPU, torch.tensor(keep)):
            for frames, frame in zip(scale.frames, keep, strict=True):
                assert frame in frames


class EachScaleAnew(nn.Module):
    """An image backbone with the interface of a video backbone."""
    temporal = True

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.lengths = []

    def forward(self, frames):
        self.lengths.append(frames.shape[1])
        return self.backbone(frames.flatten(0, 1))


def test_frames_encoded_once_or_at_every_scale_give_equal_losses(monkeypatch):
    fix_draw(monkeypatch, two_clip_scales())
    results = []
    for anew in (False, True):
        model = html_model()
        model.test_cfg.chunks = WHOLE  # the model is in evaluation mode
        backbone, lengths = model.backbone, []
        backbone.register_forward_hook(
            lambda _, inputs, __, to=lengths: to.append(len(inputs[0])))
        if anew:
            model.backbone = EachScaleAnew(backbone)
        losses = model(**make_video_batch(model), mode='loss')
        sum(losses.values()).backward()
        model.backbone = backbone
        gradients = {n: p.grad for n, p in model.named_parameters()
                     if not n.startswith('category_head.')}
        results.append((losses, gradients))
        # two clips of 5, 3 and 2 frames
        assert lengths == ([10, 6, 4] if anew else [10])
    (shared, shared_grads), (anew, anew_grads) = results
    for name, loss in shared.items():
        torch.testing.assert_close(loss, anew[name], rtol=1e-5, atol=1e-6)
    for name, grad in shared_grads.items():
        scale = grad.abs().max().item()
        torch.testing.assert_close(
            grad, anew_grads[name], rtol=1e-3, atol=1e-4 * scale + 1e-7)


def test_decoded_frames_are_the_first_scale(monkeypatch):
    """All frames as decoded frames are the scales of the whole clip."""
    model = html_model()
    model.test_cfg.chunks = WHOLE  # the model is in evaluation mode
    batch = make_video_batch(model)
    clip_scales = two_clip_scales()
    fix_draw(monkeypatch, clip_scales)
    expected = model(**batch, mode='loss')
    pairs = torch.tensor([0, 0, 1, 1])  # two sentences of each clip
    fix_draw(monkeypatch, [
        TemporalScale(s.frames[pairs], s.positions[pairs])
        for s in clip_scales])
    model.decoded_frames = 5
    losses = model(**batch, mode='loss')
    assert losses.keys() == expected.keys()
    for name, loss in losses.items():
        torch.testing.assert_close(
            loss, expected[name], rtol=1e-5, atol=1e-6)


def test_scales_of_fewer_decoded_frames(monkeypatch):
    model = html_model(decoded_frames=4)
    decode, lengths = model.decode, []
    monkeypatch.setattr(
        model, 'decode', lambda clip, text: (
            lengths.append(clip.num_frames), decode(clip, text))[1])
    losses = model(**make_video_batch(model), mode='loss')
    assert lengths == [4, 2, 1]
    assert losses['inter.loss_mask'].isfinite()


def test_a_video_backbone_has_no_decoded_frames():
    cfg = Config.fromfile(CONFIGS / 'html/video-swin-t_ytvos.py').model
    with pytest.raises(ValueError, match='decoded_frames=4 needs'):
        html_model(
            backbone=dict(cfg.backbone, init_cfg=None, _delete_=True),
            backbone_channels=cfg.backbone_channels,
            decoded_frames=4)


def convolved(model, queries, centres, features):
    """Eq. 3-5, one query and frame after the other.

    Args:
        queries: (N, C).
        centres: (N, 2), (x, y) in pixels.
        features: (C', h, w).
    """
    height, width = features.shape[-2:]
    y, x = torch.meshgrid(
        torch.arange(height) * 4. + 2, torch.arange(width) * 4. + 2,
        indexing='ij')
    masks = []
    for omega, centre in zip(model.head.controller(queries), centres,
                             strict=True):
        w1, w2, w3, b1, b2, b3 = omega.split(model.head.dynamic_layers.sizes)
        out = torch.cat(
            [features, (centre[:, None, None] - torch.stack([x, y]))])
        for weight, bias in ((w1, b1), (w2, b2), (w3, b3)):
            out = F.conv2d(
                out[None], weight.view(len(bias), -1, 1, 1), bias)[0]
            out = out if len(bias) == 1 else out.relu()
        masks.append(out[0])
    return torch.stack(masks)


def decode_scales(model, batch, scales):
    frames = torch.stack(batch['inputs'])
    sizes = torch.tensor([s.img_shape for s in batch['data_samples']]).float()
    text = model.encode_text([s.texts for s in batch['data_samples']])
    clips = model.encode_scales(frames, sizes, scales, None)
    return [model.decode(clip, text) for clip in clips], text.video_index


@pytest.mark.parametrize('direction', ['coarse_to_fine', 'fine_to_coarse'])
@torch.no_grad()
def test_masks_across_scales_follow_the_equation(direction):
    # with this layer, queries and references of a frame depend on the scale
    inter_frame = dict(type='InterFrameLayer', num_heads=4)
    model = html_model(direction=direction, decoder__inter_frame=inter_frame)
    scales = two_clip_scales()
    batch = make_video_batch(model)
    predictions, video_index = decode_scales(model, batch, scales)
    for s in (0, 1):
        fine, coarse = predictions[s:s + 2]
        places = scales[s + 1].positions[video_index]
        masks = model.inter_scale_masks(fine, coarse, places)
        assert masks.shape[:4] == (1, 4, places.shape[1], 3)
        for p, video in enumerate(video_index):
            height, width = batch['data_samples'][video].img_shape
            for t, frame in enumerate(scales[s + 1].frames[video].tolist()):
                above = scales[s].frames[video].tolist().index(frame)
                if direction == 'coarse_to_fine':
                    kernels, at, features, of = coarse, t, fine, above
                else:
                    kernels, at, features, of = fine, above, coarse, t
                centres = kernels.references[-1, p, at, :, :2]
                expected = convolved(
                    model, kernels.queries[-1, p, at],
                    centres * torch.tensor([width, height]),
                    features.mask_features[p, of])
                torch.testing.assert_close(
                    masks[0, p, t], expected, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_mask_loss_uses_the_sequence_of_lowest_mask_cost():
    torch.manual_seed(0)
    model = html_model(head__mask_target='subsample')
    masks = 3 * torch.randn(1, 2, 3, 4, 5, 6)
    targets = Targets(
        masks=torch.rand(2, 3, 20, 24) > 0.7,
        boxes=torch.zeros(2, 3, 4),
        valid=torch.tensor([[True, True, False], [True, False, False]]),
        labels=torch.zeros(2).long())
    goals = targets.masks[..., 2::4, 2::4].float()
    focal_sum = dice_sum = 0.
    for pair in range(2):
        costs = []
        for query in range(4):
            x, goal = masks[0, pair, :, query], goals[pair]
            prob = x.sigmoid()
            p_t = prob * goal + (1 - prob) * (1 - goal)
            alpha = 0.25 * goal + 0.75 * (1 - goal)
            focal = (alpha * (1 - p_t)**2 * -p_t.log()).mean()
            dice = 1 - (2 * (prob * goal).sum() + 1) / (
                prob.sum() + goal.sum() + 1)
            costs.append((2 * focal + 5 * dice, focal, dice))
        _, focal, dice = min(costs)
        focal_sum, dice_sum = focal_sum + focal, dice_sum + dice
    losses = model.head.mask_loss(masks, targets)
    torch.testing.assert_close(losses['loss_mask'], 2 * focal_sum / 3)
    torch.testing.assert_close(losses['loss_dice'], 5 * dice_sum / 3)
    assert len(losses) == 2


@pytest.mark.parametrize('direction', ['coarse_to_fine', 'none'])
@torch.no_grad()
def test_the_total_is_the_mean_over_scales_and_over_pairs(
        monkeypatch, direction):
    model = html_model(direction=direction)
    scales = two_clip_scales()
    fix_draw(monkeypatch, scales)
    batch = make_video_batch(model)
    losses = model(**batch, mode='loss')
    predictions, video_index = decode_scales(model, batch, scales)
    whole = collect_targets(batch['data_samples'], batch['inputs'][0])
    rows = torch.arange(len(video_index))[:, None]

    def targets_at(scale):
        chosen = scale.frames[video_index]
        return Targets(whole.masks[rows, chosen], whole.boxes[rows, chosen],
                       whole.valid[rows, chosen], whole.labels)

    intra = [sum(model.loss(p, targets_at(s)).values())
             for p, s in zip(predictions, scales, strict=True)]
    expected = sum(intra) / 3
    if direction != 'none':
        inter = [
            sum(
                model.head.mask_loss(
                    model.inter_scale_masks(
                        predictions[s], predictions[s + 1],
                        scales[s + 1].positions[video_index]),
                    targets_at(scales[s + 1])).values()) for s in (0, 1)
        ]
        expected = expected + sum(inter) / 2
    assert ('inter.loss_dice' in losses) == (direction != 'none')
    torch.testing.assert_close(sum(losses.values()), expected)


@pytest.mark.parametrize('num_scales,num_frames', [(1, 5), (3, 1)])
def test_one_scale_trains_referformer(num_scales, num_frames):
    results = []
    for kind, extra in (('HTML', dict(num_scales=num_scales)),
                        ('ReferFormer', {})):
        model = tiny_model(type=kind, **extra)
        batch = make_video_batch(model, num_frames)
        results.append(model(**batch, mode='loss'))
    assert results[0].keys() == results[1].keys()
    assert all(torch.equal(results[0][n], results[1][n]) for n in results[0])


def test_testing_equals_referformer(monkeypatch):
    def no_scales(*args):
        raise AssertionError('scales are for training')

    monkeypatch.setattr('mmrvos.models.segmentors.html.sample_scales',
                        no_scales)
    outputs = []
    for kind in ('HTML', 'ReferFormer'):
        model = tiny_model(type=kind)
        calls = []
        for part in (model.backbone, model.encoder, model.pixel_decoder):
            part.register_forward_hook(lambda *_, to=calls: to.append(1))
        batch = make_batch(SHAPES[:1], 5, TEXTS)
        pred = model.test_step(batch)[0].pred
        with torch.no_grad():
            plain = model(
                **model.data_preprocessor(make_batch(SHAPES[:1], 5, TEXTS)),
                mode='tensor')
        outputs.append((pred, plain.logits, plain.boxes, plain.mask_features,
                        len(calls)))
    ours, theirs = outputs
    assert ours[0].masks == theirs[0].masks
    assert torch.equal(ours[0].scores, theirs[0].scores)
    assert all(torch.equal(a, b) for a, b in zip(ours[1:4], theirs[1:4],
                                                 strict=True))
    assert ours[4] == theirs[4] == 6
    assert HTML.predict is ReferFormer.predict
    assert HTML.encode_clip is ReferFormer.encode_clip
    assert HTML.decode is ReferFormer.decode


@pytest.mark.parametrize('anew', [False, True])
def test_only_the_annotated_frame_is_decoded(anew):
    """A2D-Sentences: the scales differ in the frames of the backbone."""
    model = html_model()
    if anew:
        model.backbone = EachScaleAnew(model.backbone)
    batch = make_video_batch(model)
    for sample, index in zip(batch['data_samples'], (1, 4), strict=True):
        sample.set_metainfo(dict(valid_index=index))
    decoded = []
    model.pixel_decoder.register_forward_hook(
        lambda *args: decoded.append(args[2].shape[1]))
    losses = model(**batch, mode='loss')
    assert decoded == [1, 1, 1]
    # with an image backbone all scales have the same features
    with torch.no_grad():
        one = tiny_model(type='HTML', num_scales=1)(**batch, mode='loss')
    for name, loss in one.items():
        torch.testing.assert_close(losses[name], loss, rtol=1e-4, atol=1e-5)
    if anew:
        assert model.backbone.lengths == [5, 3, 2]


def test_queries_of_a_frame_are_the_same_at_all_scales():
    """What the README says of image backbones: only the pixel decoder
    mixes frames, so scales differ in their mask features alone."""
    model = html_model()
    scales = two_clip_scales()
    with torch.no_grad():
        (fine, coarse, _), video_index = decode_scales(
            model, make_video_batch(model), scales)
    rows = torch.arange(len(video_index))[:, None]
    places = scales[1].positions[video_index]
    torch.testing.assert_close(
        fine.queries[:, rows, places], coarse.queries, rtol=1e-4, atol=1e-5)
    change = fine.mask_features[rows, places] - coarse.mask_features
    assert change.abs().max() > 1e-2


ACROSS_FRAMES = {
    'per_frame': {},
    'encoder': dict(encoder__inter_frame=dict(
        type='FrameAttention', num_heads=4)),
    'decoder': dict(decoder__inter_frame=dict(
        type='InterFrameLayer', num_heads=4)),
}


@pytest.mark.parametrize('reading', ACROSS_FRAMES)
@torch.no_grad()
def test_masks_across_scales_differ_where_frames_are_related(reading):
    """With an image backbone and per-frame attention, the kernels of scale
    s+1 on the features of scale s give the masks of scale s itself."""
    model = html_model(**ACROSS_FRAMES[reading])
    for layer in model.encoder.inter_frame or ():
        nn.init.normal_(layer.attention.out_proj.weight, std=0.1)
    scales = two_clip_scales()
    (fine, coarse, _), video_index = decode_scales(
        model, make_video_batch(model), scales)
    rows = torch.arange(len(video_index))[:, None]
    positions = scales[1].positions[video_index]
    inter = model.inter_scale_masks(fine, coarse, positions)
    intra = model.head.masks(fine, layer=-1)[:, rows, positions]
    change = (inter - intra).abs().max() / intra.std()
    if reading == 'per_frame':
        assert change < 1e-3
    else:
        assert change > 0.1


@pytest.mark.parametrize('direction,num_scales,parts', [
    ('coarse_to_fine', 3, 16 / 3), ('none', 3, 7 / 3),
    ('coarse_to_fine', 1, 1.)])
def test_the_weight_of_masks(monkeypatch, direction, num_scales, parts):
    """A mask loss is one value per clip divided by the number of frames."""
    scales = sample_scales((1, 8), num_scales, 2, CPU)
    targets = [
        Targets(torch.zeros(1, n, 4, 4).bool(), torch.zeros(1, n, 4),
                torch.ones(1, n).bool(), torch.zeros(1).long())
        for n in (s.frames.shape[1] for s in scales)
    ]
    totals = []
    for equal in (False, True):
        model = html_model(
            direction=direction, num_scales=num_scales,
            equal_mask_weight=equal)
        monkeypatch.setattr(model, 'inter_scale_masks', lambda *args: None)
        monkeypatch.setattr(model.head, 'mask_loss', lambda _, target: {
            'loss_mask': 1 / target.valid.sum()})
        monkeypatch.setattr(model, 'loss', lambda _, target: {
            'loss_cls': torch.tensor(1.),
            'loss_mask': 1 / target.valid.sum()})
        losses = model.scale_losses([None] * num_scales, targets,
                                    [s.positions for s in scales])
        assert losses.pop('loss_cls') == 1
        totals.append(8 * sum(losses.values()).item())
    assert totals == pytest.approx([parts, 1])


def test_the_dense_stage_has_no_scales():
    model = html_model()
    model.stage = 'dense'
    losses = model(**make_video_batch(model), mode='loss')
    assert set(losses) == {'loss_dense_mask', 'loss_dense_dice'}


@pytest.mark.parametrize('changes,match', [
    (dict(num_scales=0), 'num_scales=0'),
    (dict(stride=1), 'stride=1'),
    (dict(direction='up'), "'up'"),
])
def test_options_are_checked(changes, match):
    with pytest.raises(ValueError, match=match):
        html_model(**changes)


def test_take_selects_frames_in_all_fields():
    model = html_model()
    batch = make_video_batch(model)
    frames = torch.stack(batch['inputs'])
    sizes = torch.tensor([[64., 96.], [48., 80.]])
    chosen = torch.tensor([[0, 3], [2, 4]])
    rows = torch.arange(2)[:, None]
    with torch.no_grad():
        some = model.encode_clip(frames, sizes).take(chosen)
        alone = model.encode_clip(frames[rows, chosen], sizes)
    assert some.num_frames == 2
    for ours, theirs in zip((some.fine, *some.levels),
                            (alone.fine, *alone.levels), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    targets = collect_targets(batch['data_samples'], frames[0])
    pairs = chosen.repeat_interleave(2, 0)
    targets.others = [torch.rand(n, 5, 64, 96) > 0.5 for n in (0, 2, 1, 1)]
    taken = targets.take(pairs)
    assert taken.others[0].shape == (0, 2, 64, 96)
    assert torch.equal(taken.others[1], targets.others[1][:, [0, 3]])
    assert torch.equal(taken.masks[3, 1], targets.masks[3, 4])
    assert torch.equal(taken.boxes[0, 1], targets.boxes[0, 3])
    assert torch.equal(taken.valid[1], targets.valid[1, [0, 3]])


def test_the_tiny_config_trains_at_three_scales():
    cfg = Config.fromfile(CONFIGS / 'html/tiny_shapes.py')
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).train()
    model.init_weights()
    batch = model.data_preprocessor(make_batch(num_frames=4), True)
    losses = model(**batch, mode='loss')
    sum(losses.values()).backward()
    assert 'inter.loss_mask' in losses
    assert all(p.grad.isfinite().all() for n, p in model.named_parameters()
               if not n.startswith(('category_head.', 'word_head.')))

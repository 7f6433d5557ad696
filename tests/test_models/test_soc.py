"""SOC on a tiny model; golden cases compare its numbers."""
import math

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope

from mmrvos.models.decoders import (
    AverageCluster,
    ConvCluster,
    KMeansCluster,
    VideoObjectCluster,
)
from mmrvos.models.heads import SOCHead
from mmrvos.models.pixel_decoders import SpatialDecoder
from mmrvos.models.task_modules import FrameMatcher
from mmrvos.registry import MODELS

from ..config_values import build_model
from .tiny import CONFIGS, make_batch, several_queries

TEXTS = ('the red square', 'the star')
SMALL = dict(
    num_queries=3, embed_dims=8, num_heads=2, feedforward_channels=16)


def soc_model(seed: int = 0, **changes) -> torch.nn.Module:
    """The tiny SOC, with box heads that do not start at zero."""
    cfg = Config.fromfile(CONFIGS / 'soc/tiny_shapes.py')
    several_queries(cfg.model, 5)
    # trained in other stages
    cfg.model.category_head = cfg.model.word_head = None
    cfg.merge_from_dict(
        {f"model.{k.replace('__', '.')}": v for k, v in changes.items()})
    torch.manual_seed(seed)
    model = MODELS.build(cfg.model)
    for branch in model.head.box_branches:
        torch.nn.init.normal_(branch.layers[-1].weight, std=0.1)
    return model.eval()


def test_several_queries_train_the_contrastive_loss():
    losses = {}
    for name in ('tiny_shapes', 'ablations/tiny_shapes_5queries'):
        torch.manual_seed(0)
        cfg = Config.fromfile(CONFIGS / f'soc/{name}.py').model
        model = MODELS.build(cfg).train()
        batch = model.data_preprocessor(make_batch(), True)
        losses[name] = model(**batch, mode='loss')['loss_con']
    assert losses['tiny_shapes'] == 0
    assert losses['ablations/tiny_shapes_5queries'] > 0.1
    losses['ablations/tiny_shapes_5queries'].backward()
    # the fused words and the video queries get their gradient from it
    assert model.cluster.video_embed.weight.grad.abs().max() > 0
    assert all(p.grad.abs().max() > 0
               for p in model.fusion.parameters() if p.grad is not None)


def tensors(model, batch):
    with torch.no_grad():
        return model(**model.data_preprocessor(batch, True), mode='tensor')


def test_training_predicts_all_layers_and_testing_one():
    model = soc_model().train()
    model.backbone.eval()  # norms use their running statistics
    train = tensors(model, make_batch(texts=TEXTS))
    assert train.logits.shape == (3, 2, 2, 5, 1)
    assert train.video_queries.shape == (3, 2, 5, 64)
    last, first = (
        tensors(soc_model(inference_layer=layer), make_batch(texts=TEXTS))
        for layer in (-1, 0))
    assert last.logits.shape == (1, 2, 2, 5, 1)
    assert last.video_queries.shape == (1, 2, 5, 64)
    # the tiny model has no dropout, so training shows all layers' numbers
    torch.testing.assert_close(last.queries[0], train.queries[2])
    # as officially, the first layer gets the video queries of the last
    moved = train.video_queries[2] - train.video_queries[0]
    torch.testing.assert_close(first.queries[0],
                               train.queries[0] + moved[:, None])


def test_the_decoder_must_have_the_inference_layer():
    with pytest.raises(ValueError, match='inference_layer=3.*3 layers'):
        soc_model(inference_layer=3)


ABLATIONS = {
    'as it is': dict(),
    'no VOC': dict(cluster=None),
    'only encoder': dict(cluster__decoder_layers=0),
    'only decoder': dict(cluster__encoder_layers=0),
    'average': dict(cluster=dict(_delete_=True, type='AverageCluster')),
    'conv': dict(
        cluster=dict(_delete_=True, type='ConvCluster', embed_dims=64)),
    'k-means': dict(cluster=dict(_delete_=True, type='KMeansCluster')),
    'L2V': dict(fusion__vision_to_language=False),
    'V2L': dict(fusion__language_to_vision=False),
    'no fusion': dict(
        fusion__vision_to_language=False, fusion__language_to_vision=False),
    'no contrast': dict(head__loss_weights__con=0.),
}


@pytest.mark.parametrize('changes', ABLATIONS.values(), ids=ABLATIONS)
def test_every_parameter_of_every_ablation_learns(changes):
    model = soc_model(**changes).train()
    batch = model.data_preprocessor(make_batch(texts=TEXTS), True)
    losses = model(**batch, mode='loss')
    assert {'loss_con', 'd0.loss_dice', 'd1.loss_mask'} <= set(losses)
    sum(losses.values()).backward()
    still = {n for n, p in model.named_parameters()
             if p.grad is None or not p.grad.isfinite().all()}
    if not getattr(model.cluster, 'decoder', None):
        # the sentence only initialises the video queries
        still -= {n for n in still if '.pooler.' in n}
    assert still == set()
    if 'head__loss_weights__con' in changes:
        assert losses['loss_con'] == 0


def test_the_cluster_mixes_frames_without_their_order():
    torch.manual_seed(0)
    cluster = VideoObjectCluster(**SMALL).eval()
    queries = torch.randn(2, 2, 4, 3, 8)
    sentence = torch.randn(2, 8)
    video = cluster(queries, sentence)
    assert video.shape == (2, 2, 1, 3, 8)
    order = torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(video, cluster(queries[:, :, order], sentence))
    changed = queries.clone()
    changed[0, 1, 3] += 1
    moved = (cluster(changed, sentence) - video).abs().amax((2, 3, 4))
    # only the layer and the video of that frame
    assert moved[0, 1] > 1e-3
    moved[0, 1] = 0
    assert moved.max() < 1e-6


def test_without_decoder_layers_queries_differ_between_frames():
    cluster = VideoObjectCluster(**SMALL, decoder_layers=0).eval()
    queries = torch.randn(1, 2, 4, 3, 8)
    assert cluster(queries, torch.zeros(2, 8)).shape == queries.shape
    assert not hasattr(cluster, 'video_embed')


def test_the_cluster_is_checked():
    with pytest.raises(ValueError, match='cluster=None'):
        VideoObjectCluster(encoder_layers=0, decoder_layers=0)


def test_plain_clusters():
    torch.manual_seed(0)
    queries = torch.randn(2, 1, 4, 3, 8)
    sentence = torch.randn(1, 8)
    mean = AverageCluster()(queries, sentence)
    torch.testing.assert_close(mean[:, :, 0], queries.mean(2))
    conv = ConvCluster(embed_dims=8)
    with torch.no_grad():  # the kernel that only looks at the frame itself
        conv.conv[0].weight.zero_()
        conv.conv[0].weight[..., 1] = torch.eye(8)
        conv.conv[0].bias.zero_()
    torch.testing.assert_close(
        conv(queries, sentence), queries.relu().mean(2, keepdim=True))


def test_k_means_regroups_queries_and_keeps_empty_groups():
    # two slots that change places half-way, and one that stays in between
    a, b = torch.tensor([0., 0.]), torch.tensor([10., 0.])
    frames = [[a, b], [a, b], [a, b], [b, a]]
    queries = torch.stack([torch.stack(f) for f in frames])[None, None]
    queries.requires_grad_()
    centres = KMeansCluster()(queries, torch.zeros(1, 2))
    torch.testing.assert_close(centres[0, 0, 0], torch.stack([a, b]))
    centres.sum().backward()
    assert queries.grad.abs().sum() > 0
    same = torch.ones(1, 1, 2, 3, 2)
    torch.testing.assert_close(KMeansCluster()(same, None), same[:, :, :1])


def test_streams_of_the_fusion():
    batch = make_batch(shapes=((64, 96), (48, 64)))
    parts = {}
    for name, off in dict(
            both=(), v2l=('language_to_vision', ),
            l2v=('vision_to_language', )).items():
        model = soc_model(**{f'fusion__{key}': False for key in off})
        batch = make_batch(shapes=((64, 96), (48, 64)))
        data = model.data_preprocessor(batch, True)
        frames = torch.stack(list(data['inputs']))
        with torch.no_grad():
            clip = model.encode_clip(
                frames, torch.tensor([[64., 96.], [48., 64.]]))
            text = model.encode_text([TEXTS[:1], TEXTS[1:]])
            parts[name] = model, clip, text, *model.fusion(clip, text)
    _, clip, text, levels, words = parts['v2l']
    assert all(a is b for a, b in zip(levels, clip.levels, strict=True))
    assert not torch.equal(words, text.words)
    _, clip, text, levels, words = parts['l2v']
    assert words is text.words
    assert not torch.equal(levels[0], clip.levels[0])

    # words attend to the pixels of all frames, not to the padding
    model, clip, text, _, words = parts['both']
    level = clip.levels[2].clone()
    level[2:].masked_fill_(clip.padding[3][1], 100.)
    changed = (*clip.levels[:2], level, clip.levels[3])
    clip.levels = changed
    torch.testing.assert_close(model.fusion(clip, text)[1], words)
    level[1] += 1  # second frame of the first video
    assert not torch.allclose(model.fusion(clip, text)[1][0], words[0])


def test_contrast():
    head = SOCHead(embed_dims=16)
    matched = torch.tensor([[1, 0]])
    equal = torch.ones(1, 2, 4, 16)
    torch.testing.assert_close(
        head.contrast(equal, torch.randn(2, 16), matched),
        torch.tensor([math.log(4)]))
    video = torch.zeros(1, 2, 4, 16)
    video[0, 0, 1], video[0, 1, 0] = 10., 10.
    text = torch.ones(2, 16)
    # dot products of 160, divided by 16 or by 4
    for scale, logit in dict(dim=10., sqrt_dim=40.).items():
        head = SOCHead(embed_dims=16, contrast_scale=scale)
        torch.testing.assert_close(
            head.contrast(video, text, matched),
            torch.tensor([math.log1p(3 * math.exp(-logit))]))


@pytest.mark.parametrize('args,match', [
    (dict(contrast_scale='none'), 'sqrt_dim'),
    (dict(loss_weights=dict(focal=1.)), 'focal.*con'),
])
def test_head_refuses_unknown_options(args, match):
    with pytest.raises(ValueError, match=match):
        SOCHead(**args)


def test_frames_without_the_object_count_in_the_losses():
    model = soc_model().train()
    batch = model.data_preprocessor(make_batch(), True)
    shown = model(**batch, mode='loss')
    gt = batch['data_samples'][0].gt
    gt.masks[:], gt.boxes[:], gt.valid[:] = False, 0, False
    absent = model(**batch, mode='loss')
    assert all(v.isfinite() for v in absent.values())
    # empty masks are supervised, and zero boxes
    assert absent['loss_dice'] > 0
    assert absent['loss_bbox'] != shown['loss_bbox']


def test_the_costs_are_means_over_frames():
    """Objects in different frames have equal weight, whatever their size."""
    goal = torch.zeros(1, 2, 8, 8).bool()
    goal[0, 0] = True
    goal[0, 1, :4, :4] = True
    masks = torch.full((1, 1, 2, 2, 2, 2), -50.)
    masks[0, 0, 0, 0] = 50.  # query 0: the large one, and nothing else
    masks[0, 0, 1, 1, 0, 0] = 50.  # query 1: the small one, and most of
    masks[0, 0, 0, 1, 0] = 50.  # the large one
    matcher = FrameMatcher(class_weight=0, box_weight=0, giou_weight=0)
    args = (torch.zeros(1, 1, 2, 2, 1), torch.zeros(1, 1, 2, 2, 4), masks,
            torch.zeros(1, 2, 4), goal, torch.ones(1, 2).bool(),
            torch.zeros(1).long())
    assert matcher(*args).tolist() == [[1]]
    cost = matcher.cost(*args)[0, 0]
    assert cost[0].item() == pytest.approx(-5 * (1 + 1 / 17) / 2, abs=1e-3)


@pytest.mark.parametrize('sizes', [
    [(1, 1), (1, 1), (1, 1), (1, 1)],
    [(3, 5), (5, 10), (10, 19), (19, 38)],
])
def test_spatial_decoder_takes_any_sizes(sizes):
    decoder = SpatialDecoder(
        in_channels=(32, 32, 32), fine_channels=6, channels=(32, 16, 8, 8))
    maps = [
        torch.randn(2, channels, *size) for channels, size in zip(
            (32, 32, 32, 6), sizes, strict=True)
    ]
    assert decoder(maps).shape == (2, 8, *sizes[-1])


def test_initialisation():
    torch.manual_seed(0)
    model = soc_model()
    model.init_weights()
    for module in model.pixel_decoder.modules():
        if isinstance(module, torch.nn.Conv2d):
            # Kaiming with a = 1: +-sqrt(3 / fan_in)
            bound = math.sqrt(3 / module.weight[0].numel())
            assert 0.9 < module.weight.abs().max() / bound <= 1
            assert not module.bias.any()
    for name, parameter in model.cluster.named_parameters():
        if parameter.dim() > 1:  # Xavier
            bound = math.sqrt(6 / sum(parameter.shape))
            assert 0.9 < parameter.abs().max() / bound <= 1, name


def test_learning_rates_of_the_official_recipes():
    cfg = Config.fromfile(CONFIGS / 'soc/video-swin-t_joint.py')
    model, _ = build_model(cfg.model)
    with DefaultScope.overwrite_default_scope('mmrvos'):
        optim_wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    groups = optim_wrapper.param_groups
    assert {group['weight_decay'] for group in groups} == {1e-4}
    rates = {id(p): group['lr'] for group in groups for p in group['params']}
    expected = {'backbone': 1e-5, 'text_encoder.model': 5e-6}
    for name, parameter in model.named_parameters():
        assert parameter.requires_grad, name
        kind = next((k for k in expected if name.startswith(f'{k}.')), None)
        assert rates[id(parameter)] == pytest.approx(
            expected.get(kind, 1e-4)), name
    assert cfg.optim_wrapper.clip_grad.max_norm == 0.1

"""IFIRVOS compared with its equations and with ReferFormer."""
from dataclasses import replace

import pytest
import torch
from mmengine.config import Config

from mmrvos.models.decoders import InterFrameLayer
from mmrvos.models.features import MultiscaleFeatures, TextFeatures
from mmrvos.models.fusions import (
    CrossModalFusion,
    VisionLanguageInteraction,
)
from mmrvos.models.layers import clip_time_positions
from mmrvos.registry import MODELS

from .formulas import attention, norm_ffn
from .tiny import CONFIGS, make_batch, tiny_model

SIZES = [(4, 6), (2, 3), (1, 2)]
C = 16


def make_features(num_frames: int, num_words: int,
                  padded: bool) -> tuple[MultiscaleFeatures, TextFeatures]:
    """Two pairs, three levels; the second pair is smaller and shorter."""
    torch.manual_seed(0)
    padding = tuple(torch.zeros(2, h, w).bool() for h, w in [(8, 12), *SIZES])
    for mask in padding:
        mask[1, :, -(-mask.shape[2] // 2):] = True
    word_padding = torch.zeros(2, num_words).bool()
    word_padding[1, 1:] = True
    clip = MultiscaleFeatures(
        fine=torch.randn(2 * num_frames, C, 8, 12),
        levels=tuple(torch.randn(2 * num_frames, C, *s) for s in SIZES),
        padding=padding if padded else None,
        positions=tuple(
            torch.randn(2 if padded else 1, C, *s)
            for s in [(8, 12), *SIZES]),
        num_frames=num_frames,
        image_sizes=torch.tensor([[32., 48.], [32., 24.]]))
    text = TextFeatures(
        words=torch.randn(2, num_words, C),
        padding=word_padding,
        sentence=torch.randn(2, C),
        positions=torch.randn(2, num_words, C),
        video_index=torch.arange(2))
    return clip, text


def pixels_of(maps: torch.Tensor) -> torch.Tensor:
    """(T, C, h, w) to (T*h*w, C)."""
    return maps.permute(0, 2, 3, 1).reshape(-1, maps.shape[1])


def interact(block, interaction, x, attended):
    if interaction == 'multiply':
        return attended * x  # Eq. 2, 4
    return norm_ffn(block, x, attended)


@pytest.mark.parametrize('padded', [True, False])
@pytest.mark.parametrize('num_frames,num_words', [(2, 5), (1, 5), (3, 1)])
@pytest.mark.parametrize('interaction', ['multiply', 'ffn'])
@pytest.mark.parametrize('text_update', ['fixed', 'dynamic'])
@torch.no_grad()
def test_interaction_follows_its_equations(interaction, text_update,
                                           num_frames, num_words, padded):
    clip, text = make_features(num_frames, num_words, padded)
    module = VisionLanguageInteraction(
        embed_dims=C,
        num_heads=4,
        interaction=interaction,
        text_update=text_update,
        feedforward_channels=24).eval()
    levels, sentence = module(clip, text)
    assert sentence.shape == (2, C)
    for pair in range(2):
        frames = slice(pair * num_frames, (pair + 1) * num_frames)
        raw = text.words[pair]
        words = raw  # F_l^0
        for index, level in enumerate(clip.levels):
            pixels = pixels_of(level[frames])  # F_v^i
            # Eq. 3-4
            read = words if text_update == 'dynamic' else raw
            attended = attention(
                module.vewl.attention, pixels, read + text.positions[pair],
                read, text.padding[pair])
            expected = interact(module.vewl, interaction, pixels, attended)
            torch.testing.assert_close(
                pixels_of(levels[index][frames]), expected)
            # Eq. 1-2
            place = clip.positions[index + 1]
            place = place[pair if padded else 0].expand_as(level[frames])
            hidden = None
            if padded:
                hidden = clip.padding[index + 1][pair].expand(
                    num_frames, -1, -1).flatten()
            attended = attention(module.lewv.attention, words,
                                 pixels + pixels_of(place), pixels, hidden)
            words = interact(module.lewv, interaction, words, attended)
        pooled = torch.tanh(module.pooler.weight @ words[0] +
                            module.pooler.bias)
        torch.testing.assert_close(sentence[pair], pooled)


@torch.no_grad()
def test_vision_enhancement_is_referformers_fusion():
    clip, text = make_features(2, 5, padded=True)
    module = VisionLanguageInteraction(embed_dims=C, num_heads=4)
    fusion = CrossModalFusion(embed_dims=C, num_heads=4)
    fusion.attention.load_state_dict(module.vewl.attention.state_dict())
    for ours, theirs in zip(
            module(clip, text)[0], fusion(clip, text)[0], strict=True):
        assert torch.equal(ours, theirs)


@torch.no_grad()
def test_padding_has_no_effect():
    clip, text = make_features(2, 5, padded=True)
    module = VisionLanguageInteraction(
        embed_dims=C, num_heads=4, text_update='dynamic')
    other = [level.clone() for level in clip.levels]
    for level, hidden in zip(other, clip.padding[1:], strict=True):
        level.masked_fill_(hidden.repeat_interleave(2, 0)[:, None], 50.)
    words = text.words.masked_fill(text.padding[..., None], 50.)
    expected_levels, expected = module(clip, text)
    levels, sentence = module(
        replace(clip, levels=tuple(other)), replace(text, words=words))
    torch.testing.assert_close(sentence, expected)
    for ours, theirs, hidden in zip(
            levels, expected_levels, clip.padding[1:], strict=True):
        shown = ~hidden.repeat_interleave(2, 0)[:, None].expand_as(ours)
        torch.testing.assert_close(ours[shown], theirs[shown])


@pytest.mark.parametrize('args', [
    dict(interaction='add'),
    dict(text_update='moving'),
])
def test_interaction_refuses_unknown_options(args):
    with pytest.raises(ValueError, match=next(iter(args.values()))):
        VisionLanguageInteraction(**args)


@torch.no_grad()
def test_initial_sentences_differ():
    clip, text = make_features(2, 5, padded=True)
    clip = replace(clip, levels=tuple(x[:1].repeat(4, 1, 1, 1)
                                      for x in clip.levels))
    module = VisionLanguageInteraction(embed_dims=C, num_heads=4)
    module.init_weights()
    sentence = module(clip, text)[1]
    assert (sentence[0] - sentence[1]).std() > 0.1


def inter_frame_layer(**args) -> InterFrameLayer:
    torch.manual_seed(0)
    layer = InterFrameLayer(
        embed_dims=C, num_heads=4, feedforward_channels=24, **args).eval()
    layer.init_weights()
    torch.nn.init.normal_(layer.attention.in_proj_bias)
    return layer


def sine_boxes(boxes: torch.Tensor) -> torch.Tensor:
    """Encode (N, 4) boxes: y, x, width, height, C / 4 channels each."""
    channel = torch.arange(0, C // 4, 2)
    angles = 2 * torch.pi * boxes[:, [1, 0, 2, 3], None] / 10000**(
        channel / (C // 4))
    return torch.stack((angles.sin(), angles.cos()), -1).flatten(1)


@pytest.mark.parametrize('coordinates', [2, 4])
@pytest.mark.parametrize('temporal,box', [(False, False), (True, False),
                                          (False, True), (True, True)])
@pytest.mark.parametrize('num_frames,num_queries', [(3, 5), (1, 5), (4, 1)])
@torch.no_grad()
def test_inter_frame_layer_follows_its_equation(num_frames, num_queries,
                                                temporal, box, coordinates):
    layer = inter_frame_layer(temporal_encoding=temporal, box_encoding=box)
    queries = torch.randn(2 * num_frames, num_queries, C)
    references = torch.rand(2 * num_frames, num_queries, coordinates)
    actual = layer(queries, num_frames, references)
    assert actual.shape == queries.shape
    for video in range(2):
        frames = slice(video * num_frames, (video + 1) * num_frames)
        x = queries[frames].reshape(-1, C)  # Re(Q)
        seen = x
        if box:  # a point has no size
            boxes = torch.zeros(len(x), 4)
            boxes[:, :coordinates] = references[frames].flatten(0, 1)
            seen = x + sine_boxes(boxes)
        asked = seen
        if temporal:
            times = clip_time_positions(num_frames, C, x.device)
            asked = seen + times.repeat_interleave(num_queries, 0)
        attended = attention(layer.attention, asked, asked, seen)
        expected = norm_ffn(layer, x, attended)
        torch.testing.assert_close(
            actual[frames].reshape(-1, C), expected)


@torch.no_grad()
def test_the_order_of_frames_needs_the_temporal_encoding():
    queries = torch.randn(4, 2, C)
    boxes = torch.rand(4, 2, 4)
    order = torch.tensor([2, 0, 3, 1])
    for temporal in (False, True):
        layer = inter_frame_layer(
            temporal_encoding=temporal, box_encoding=True)
        change = layer(queries[order], 4,
                       boxes[order]) - layer(queries, 4, boxes)[order]
        assert (change.abs().max() > 1e-2) == temporal


def test_box_encoding_needs_channels_for_four_coordinates():
    with pytest.raises(ValueError, match='multiple of 8'):
        InterFrameLayer(embed_dims=20, num_heads=4, box_encoding=True)


def test_time_is_the_relative_position_in_the_clip():
    few, many = (clip_time_positions(t, C, torch.device('cpu'))
                 for t in (2, 6))
    # the middle of the first half is the middle of the second sixth
    torch.testing.assert_close(few, many[[1, 4]])


INTER_FRAME = dict(
    type='InterFrameLayer', num_heads=4, feedforward_channels=32, dropout=0.)


@torch.no_grad()
def test_inter_frame_comes_before_the_box_refinement():
    model = tiny_model(decoder__inter_frame=INTER_FRAME)
    batch = model.data_preprocessor(make_batch(num_frames=3))
    calls = []
    for layer in model.decoder.inter_frame:
        layer.register_forward_hook(lambda *args: calls.append(args[2]))
    predictions = model(**batch, mode='tensor')
    assert len(calls) == 3
    for output, states in zip(calls, predictions.queries, strict=True):
        assert torch.equal(output, states.flatten(0, 1))
    # the references are those of the boxes of these queries
    torch.testing.assert_close(predictions.boxes, predictions.references)


@torch.no_grad()
def test_only_the_inter_frame_layer_mixes_frames():
    for changes, alone in (({}, True),
                           (dict(decoder__inter_frame=INTER_FRAME), False)):
        model = tiny_model(**changes)
        batch = make_batch(num_frames=2)
        first = model(**model.data_preprocessor(batch), mode='tensor')
        batch['inputs'][0][1] = 0
        other = model(**model.data_preprocessor(batch), mode='tensor')
        change = (other.queries - first.queries)[:, :, 0].abs().max()
        assert (change < 1e-5) == alone


@torch.no_grad()
def test_the_config_without_its_two_keys_is_referformer():
    cfg, base = (
        Config.fromfile(CONFIGS / f'{name}/tiny_shapes.py').model
        for name in ('ifirvos', 'referformer'))
    cfg.fusion = dict(base.fusion)
    del cfg.decoder['inter_frame']
    outputs = []
    for model_cfg in (cfg, base):
        torch.manual_seed(0)
        model = MODELS.build(model_cfg).eval()
        model.init_weights()
        batch = model.data_preprocessor(make_batch(num_frames=3))
        predictions = model(**batch, mode='tensor')
        outputs.append((model.state_dict(), predictions.logits,
                        predictions.boxes, model.head.masks(predictions)))
    (weights, *ours), (base_weights, *theirs) = outputs
    assert list(weights) == list(base_weights)
    assert all(torch.equal(weights[k], base_weights[k]) for k in weights)
    assert all(
        torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def annotated_batch(model, training: bool) -> dict:
    """Two clips of five frames, one of which is annotated."""
    batch = make_batch(((64, 96), (48, 80)), 5, ('the red square', 'the star'))
    for sample, index in zip(batch['data_samples'], (1, 4), strict=True):
        sample.set_metainfo(dict(valid_index=index))
    return model.data_preprocessor(batch, training)


@pytest.mark.parametrize('kind', ['ReferFormer', 'HTML'])
def test_all_frames_are_decoded_and_the_annotated_one_is_kept(kind):
    """A2D-Sentences with the setting of Ref-YouTube-VOS (section 4.2)."""
    model = tiny_model(
        type=kind, decode_all_frames=True, decoder__inter_frame=INTER_FRAME)
    decoded = []
    model.decoder.inter_frame[0].register_forward_hook(
        lambda _, inputs, __: decoded.append(inputs[1]))
    batch = annotated_batch(model, training=True)
    with torch.no_grad():
        kept = model(**batch, mode='tensor')
    assert decoded.pop() == 5
    assert kept.logits.shape[1:3] == (4, 1)

    # the same clips with all frames, of which the same frame is taken
    for sample in batch['data_samples']:
        sample.set_metainfo(dict(valid_index=None))
    with torch.no_grad():
        whole = model(**batch, mode='tensor')
    frames = torch.tensor([1, 1, 4, 4])
    pairs = torch.arange(4)
    assert torch.equal(kept.queries[:, :, 0], whole.queries[:, pairs, frames])
    assert torch.equal(kept.boxes[:, :, 0], whole.boxes[:, pairs, frames])
    assert torch.equal(model.head.masks(kept)[:, :, 0],
                       model.head.masks(whole)[:, pairs, frames])
    dense = whole.dense.unflatten(0, (4, 5))[pairs, frames]
    assert torch.equal(kept.dense, dense)

    # one frame is supervised, and other frames change its masks
    batch = annotated_batch(model, training=True)
    decoded.clear()
    losses = model(**batch, mode='loss')
    assert decoded == ([5] if kind == 'ReferFormer' else [5, 3, 2])
    assert {'loss_mask', 'loss_dense_mask'} <= losses.keys()
    batch['inputs'][0][0] = batch['inputs'][0][0].roll(20, -1)
    if kind == 'ReferFormer':
        assert model(**batch, mode='loss')['loss_mask'] != losses['loss_mask']
    model.stage = 'dense'
    dense_losses = model(**batch, mode='loss')
    assert dense_losses['loss_dense_mask'] > 0


def test_the_annotated_frame_is_scored_with_its_context():
    """One mask per sentence, equal for all chunks, changed by other
    frames."""
    masks = []
    for changes in (dict(), dict(test_cfg__chunks=dict(frames=1, pairs=1)),
                    dict(decode_all_frames=False)):
        model = tiny_model(**{
            'decode_all_frames': True, 'decoder__inter_frame': INTER_FRAME,
            'test_cfg__postprocessor': dict(type='RankQueries'), **changes})
        batch = make_batch(num_frames=5, texts=('the star', 'a circle'))
        batch['data_samples'][0].set_metainfo(dict(valid_index=3))
        pred = model.test_step(batch)[0].pred
        assert [len(m) for m in pred.masks] == [1, 1]
        masks.append(pred.scores)
    torch.testing.assert_close(masks[0], masks[1])
    assert not torch.allclose(masks[0], masks[2])


@pytest.mark.parametrize('key', ['decoded_frames', 'motion_head'])
def test_all_frames_of_an_annotated_clip_have_no_targets(key):
    value = 1 if key == 'decoded_frames' else dict(type='MotionHead')
    with pytest.raises(ValueError, match=f'decode_all_frames.*{key}'):
        tiny_model(decode_all_frames=True, **{key: value})


@torch.no_grad()
def test_without_fusion_language_enters_by_queries_and_pixel_decoder():
    model = tiny_model(fusion=dict(_delete_=True, type='NoFusion'))
    assert not list(model.fusion.parameters())
    batch = model.data_preprocessor(
        make_batch(texts=('the red square', 'a star')))
    clip, text = model.encode(batch['inputs'], batch['data_samples'])
    clip, memory, sentence = model.fuse(clip, text)
    # the encoded levels do not depend on the sentence
    first, second = memory.tokens.unflatten(0, (2, -1))
    assert torch.equal(first, second)
    assert torch.equal(sentence, text.sentence)
    predictions = model(**batch, mode='tensor')
    assert (predictions.queries[:, 0] - predictions.queries[:, 1]).abs().max(
        ) > 1e-3
    features = predictions.mask_features
    assert (features[0] - features[1]).abs().max() > 1e-3

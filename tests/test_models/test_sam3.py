"""SAM3Segmentor with a tiny random SAM 3 against transformers' interface."""
import copy
import importlib
import warnings

import numpy as np
import pycocotools.mask as mask_utils
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import Sam3VideoInferenceSession
from transformers.models.sam3_video import modeling_sam3_video

from mmrvos.models.sam3_kernels import ScipyKernels
from mmrvos.models.sam3_session import SAM3Session
from mmrvos.models.segmentors.sam3 import Tracks
from mmrvos.moving_shapes import VOCABULARY
from mmrvos.registry import MODELS

from .tiny import make_sample

VISION = dict(
    backbone_config=dict(
        model_type='sam3_vit_model',
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=112,
        pretrain_image_size=112,
        patch_size=14,
        window_size=4,
        global_attn_indexes=[1]),
    fpn_hidden_size=128,
    backbone_feature_sizes=[[32, 32], [16, 16], [8, 8]])
PART = dict(hidden_size=128, num_attention_heads=2, intermediate_size=32)
TINY_SAM3 = dict(
    low_res_mask_size=32,
    score_threshold_detection=0.2,
    new_det_thresh=0.2,
    det_nms_thresh=0.9,
    detector_config=dict(
        model_type='sam3',
        vision_config=VISION,
        text_config=dict(
            model_type='clip_text_model',
            vocab_size=160,
            hidden_size=32,
            intermediate_size=32,
            projection_dim=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=32,
            bos_token_id=0,
            pad_token_id=1,
            eos_token_id=2),
        geometry_encoder_config=dict(PART, num_layers=1),
        detr_encoder_config=dict(PART, num_layers=1),
        detr_decoder_config=dict(PART, num_layers=1, num_queries=4),
        mask_decoder_config=dict(hidden_size=128, num_attention_heads=2)),
    tracker_config=dict(
        model_type='sam3_tracker_video',
        vision_config=VISION,
        image_size=112,
        num_maskmem=3,
        max_object_pointers_in_encoder=4,
        max_cond_frame_num=2,
        prompt_encoder_config=dict(
            hidden_size=128, image_size=112, mask_input_channels=4),
        mask_decoder_config=dict(
            hidden_size=128,
            mlp_dim=32,
            num_attention_heads=2,
            iou_head_hidden_dim=32),
        memory_attention_hidden_size=128,
        memory_attention_num_layers=1,
        memory_attention_feed_forward_hidden_size=32,
        memory_attention_rope_feat_sizes=[8, 8],
        memory_encoder_hidden_size=128,
        memory_encoder_output_channels=64,
        mask_downsampler_embed_dim=128,
        memory_fuser_embed_dim=128,
        memory_fuser_intermediate_dim=32,
        memory_fuser_num_layers=1))
SHAPE = (64, 96)  # original; the frames have half of it
TEXTS = ['the red square', 'a small blue star']


def build(**options) -> torch.nn.Module:
    return MODELS.build(
        dict(
            type='SAM3Segmentor',
            weights=None,
            config=TINY_SAM3,
            vocabulary=VOCABULARY,
            **options)).eval()


@pytest.fixture(scope='module')
def network():
    torch.manual_seed(0)
    network = build().network
    head = network.tracker_model.mask_decoder.pred_obj_score_head
    head.proj_out.bias.data += 9  # the object is in every frame
    return network


def segmentor(network, **options) -> torch.nn.Module:
    model = build(**options)
    network.max_num_objects = model.max_objects
    model.network = network
    # an attribute, but no child module
    model.__dict__['network'] = model._modules.pop('network')
    return model


def video(num_frames: int, seed: int = 0) -> Tensor:
    """(T, 3, 32, 48) bytes: a bright square that moves over noise."""
    generator = torch.Generator().manual_seed(seed)
    frames = torch.randint(
        0, 90, (num_frames, 3, 32, 48), generator=generator).byte()
    for t in range(num_frames):
        frames[t, 0, 8:20, 4 + t % 30:16 + t % 30] = 250
    return frames


def predict(model, texts=TEXTS, num_frames=6, **meta):
    sample = make_sample((32, 48), num_frames, list(texts), **meta)
    return model.test_step(
        dict(inputs=[video(num_frames)], data_samples=[sample]))[0].pred


def by_transformers(network, texts, num_frames, monkeypatch
                    ) -> tuple[list[dict], Sam3VideoInferenceSession]:
    """Stream a video through the interface of transformers."""
    # torchvision is not installed; the boxes are not compared
    processing_sam3_video = importlib.import_module(
        'transformers.models.sam3_video.processing_sam3_video')
    kind = processing_sam3_video.Sam3VideoProcessor
    monkeypatch.setattr(processing_sam3_video, 'masks_to_boxes',
                        lambda masks: masks.new_zeros(len(masks), 4),
                        raising=False)
    processor = kind.__new__(kind)
    processor.tokenizer = build().tokenizer
    session = Sam3VideoInferenceSession(dtype=torch.float32)
    processor.add_text_prompt(session, list(texts))
    outputs = []
    for frame in (video(num_frames).float() - 127.5) / 127.5:
        image = F.interpolate(
            frame[None], (112, 112), mode='bilinear', antialias=True)
        output = network(session, frame=image)
        outputs.append(
            processor.postprocess_outputs(session, output, [list(SHAPE)]))
    return outputs, session


def test_masks_equal_those_of_transformers(network, monkeypatch):
    """Nothing that a later frame needs is forgotten: 12 frames, with a reach
    of 4."""
    num_frames = 12
    pred = predict(
        segmentor(network, choose='all', max_objects=5),
        num_frames=num_frames)
    outputs, _ = by_transformers(network, TEXTS, num_frames, monkeypatch)
    areas = 0
    for t, output in enumerate(outputs):
        for e, text in enumerate(TEXTS):
            tracks = output['prompt_to_obj_ids'].get(text, [])
            rows = [output['object_ids'].tolist().index(i) for i in tracks]
            expected = output['masks'][rows].any(0).numpy()
            np.testing.assert_array_equal(
                mask_utils.decode(pred.masks[e][t]).astype(bool), expected)
            areas += expected.mean()
    assert 0 < areas < 2 * num_frames


@pytest.mark.parametrize(('every', 'num_frames', 'equal'), [
    (8, 26, 26),  # 4 conditioning frames: all pointers are kept
    # frame 10 is the sixth one: the first and the latest 4 pointers are kept
    (2, 14, 11),
])
def test_a_long_video_with_tracks_that_are_confirmed(
        network, monkeypatch, every, num_frames, equal):
    """Bit for bit until a track has more confirmations than pointers.

    The published model has 16 pointers and a confirmation every 16 frames, so
    that a track is equal for at least 272 frames.
    """
    for name, value in (('recondition_every_nth_frame', every),
                        ('high_conf_thresh', 0.), ('high_iou_thresh', 0.)):
        monkeypatch.setattr(network, name, value)
    model = segmentor(network, choose='all', max_objects=1)
    pred = predict(model, TEXTS[:1], num_frames=num_frames)
    outputs, session = by_transformers(
        network, TEXTS[:1], num_frames, monkeypatch)
    confirmed = session.output_dict_per_obj[0]['cond_frame_outputs']
    assert sorted(confirmed) == list(range(0, num_frames, every))
    wrong = [
        t for t, output in enumerate(outputs) if not np.array_equal(
            mask_utils.decode(pred.masks[0][t]).astype(bool),
            output['masks'].any(0).numpy())
    ]
    assert all(t >= equal for t in wrong), wrong
    assert bool(wrong) == (equal < num_frames)
    assert len({r['counts'] for r in pred.masks[0]}) > num_frames // 2


def test_two_sentences_are_two_single_calls(network):
    both = predict(segmentor(network))
    for e, text in enumerate(TEXTS):
        alone = predict(segmentor(network), [text])
        assert alone.masks[0] == both.masks[e]
        torch.testing.assert_close(alone.scores[0], both.scores[e])
    assert any(mask_utils.area(both.masks[0]))


def test_equal_sentences_have_equal_masks(network):
    pred = predict(segmentor(network), [TEXTS[0]] * 2, num_frames=3)
    assert pred.masks[0] == pred.masks[1]


def test_windows_are_those_of_the_whole_video(network):
    whole = predict(segmentor(network, choose='all'), num_frames=7)
    model = segmentor(network, choose='all', test_cfg=dict(window=3))
    parts = predict(model, num_frames=7)
    assert parts.masks == whole.masks
    torch.testing.assert_close(parts.scores, whole.scores)
    torch.testing.assert_close(parts.frame_scores, whole.frame_scores)


def test_a_frame_is_segmented_before_the_next_one_is_read(network):
    model = segmentor(network, test_cfg=dict(window=1))
    read = []

    def pieces():
        for t, frame in enumerate(video(5)):
            read.append(t)
            yield (frame[None].float() - 127.5) / 127.5

    sample = make_sample((32, 48), 5, TEXTS)
    counts = [(len(read), len(pred.masks[0]))
              for pred in model.stream(pieces(), sample)]
    assert counts == [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)]


def numbers_in(value, seen: set) -> int:
    """Count tensor elements and container entries below an object."""
    if id(value) in seen:
        return 0
    seen.add(id(value))
    if isinstance(value, Tensor):
        return value.untyped_storage().nbytes()
    if isinstance(value, dict):
        return sum(1 + numbers_in(v, seen) for v in value.values())
    if isinstance(value, list | tuple | set):
        return sum(1 + numbers_in(v, seen) for v in value)
    if hasattr(value, '__dict__'):
        return numbers_in(vars(value), seen)
    return 0


def test_the_session_has_a_constant_size(network):
    model = segmentor(network, max_objects=2)
    frames = (video(200).float() - 127.5) / 127.5
    session = SAM3Session(network, model.encode_text([TEXTS[:1]]),
                          torch.device('cpu'))
    sizes = []
    for frame in frames:
        session.step(frame, SHAPE)
        sizes.append(numbers_in(session.session, set()))
    assert session.session.obj_ids
    assert len(set(sizes[10:])) == 1, sorted(set(sizes[10:]))


def test_old_conditioning_frames_are_bounded(network):
    """Tracks are confirmed in every second frame."""
    model = segmentor(network, max_objects=2)
    session = SAM3Session(network, model.encode_text([TEXTS[:1]]),
                          torch.device('cpu'))
    frames = (video(24).float() - 127.5) / 127.5
    for t, frame in enumerate(frames):
        session.step(frame, SHAPE)
        outputs = session.session.output_dict_per_obj[0]
        if t % 2:  # as _tracker_update_memories does it
            moved = outputs['non_cond_frame_outputs'].pop(t)
            outputs['cond_frame_outputs'][t] = moved
            session.forget(t)
        assert len(outputs['cond_frame_outputs']) <= 5
        heavy = [o for o in outputs['cond_frame_outputs'].values()
                 if 'maskmem_features' in o]
        assert len(heavy) <= 4


def test_a_sentence_without_object_has_empty_masks(network):
    model = segmentor(network, score_threshold=1.)
    pred = predict(model, num_frames=2)
    assert not any(mask_utils.area(pred.masks[0] + pred.masks[1]))
    assert pred.scores.tolist() == [0, 0]
    assert pred.queries.tolist() == [[-1], [-1]]


def test_frames_without_any_detection(network):
    other = copy.copy(network)
    other.score_threshold_detection = 1.
    pred = predict(segmentor(other), num_frames=3)
    assert not any(mask_utils.area(pred.masks[0]))
    assert pred.scores.tolist() == [0, 0]


def test_a_sentence_of_60_tokens_is_cut_with_a_warning(network):
    model = segmentor(network)
    long = ' '.join(['the red square near'] * 15)[:-5]
    with pytest.warns(UserWarning, match=r'61 tokens .* takes 32'):
        pred = predict(model, [long], num_frames=2)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        same = predict(model, [' '.join(long.split()[:30])], num_frames=2)
    assert pred.masks == same.masks
    with pytest.raises(ValueError, match='is empty'):
        predict(model, [' '])


def test_mixed_precision(network):
    preds = [
        predict(segmentor(network, choose='all', test_cfg=dict(amp=amp)),
                num_frames=2) for amp in (None, 'bf16')
    ]
    torch.testing.assert_close(
        preds[0].scores, preds[1].scores, rtol=0.1, atol=0.05)


def test_one_annotated_frame(network):
    pred = predict(segmentor(network), num_frames=4, valid_index=2)
    whole = predict(segmentor(network), num_frames=4)
    assert [rles[0] for rles in pred.masks] == [
        rles[2] for rles in whole.masks]


def test_a_checkpoint_has_no_weights_of_sam3(network):
    model = segmentor(network)
    assert model.network is network
    assert list(model.state_dict()) == []


def mask(*columns) -> Tensor:
    out = torch.zeros(SHAPE).bool()
    out[:, list(columns)] = True
    return out


def test_the_best_track_and_all_tracks():
    # tracks 0 and 2 are of sentence 0; track 2 has one better frame, yet the
    # lower mean
    frames = [{0: (0, .6, mask(1)), 1: (1, .9, mask(2))},
              {0: (0, .6, mask(1)), 2: (0, .9, mask(3))}]
    for choose, expected in (('best', [[1, 1], [1, 0]]),
                             ('all', [[1, 2], [1, 0]])):
        tracks = Tracks(make_sample((32, 48), 2, TEXTS), choose, 0.)
        for frame in frames:
            tracks.add(frame)
        pred = tracks.take()
        areas = [mask_utils.area(rles) // SHAPE[0] for rles in pred.masks]
        assert np.array_equal(areas, expected)
        assert tracks.waiting == 0


def test_nms_and_components_of_scipy():
    ious = torch.tensor([[1., .6, 0], [.6, 1, .2], [0, .2, 1]])
    kept = ScipyKernels.generic_nms(ious, torch.tensor([.5, .9, .4]), .5)
    assert kept.tolist() == [1, 2]
    masks = torch.tensor([[[[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1]]]])
    labels, counts = ScipyKernels.cc_2d(masks.byte())
    assert labels[0, 0].tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0],
                                     [0, 0, 2]]
    assert counts[0, 0].tolist() == [[2, 0, 0], [0, 2, 0], [0, 0, 0],
                                     [0, 0, 1]]


def test_transformers_calls_the_functions_of_scipy(network):
    scores = torch.full((1, 1, 40, 40), -1.)
    scores[..., 5:30, 5:30] = 1
    scores[..., 10:12, 10:12] = -1  # a hole
    scores[..., 36, 36] = 1  # a spot
    filled = modeling_sam3_video.fill_holes_in_mask_scores(scores, 16) > 0
    assert filled[0, 0, 5:30, 5:30].all()
    assert filled.sum() == 25 * 25
    keep = modeling_sam3_video.nms_masks(
        torch.tensor([.9, .8, .7, .1]), scores[0].expand(4, -1, -1), .5, .5)
    assert keep.tolist() == [True, False, False, False]


def test_wrong_configs_are_refused():
    for options, message in ((dict(choose='first'), "one of .* got 'first'"),
                             (dict(max_objects=0), 'at least 1, got 0'),
                             (dict(weights='x'), 'weights=None for random'),
                             (dict(config=None), 'needs a config')):
        with pytest.raises(ValueError, match=message):
            MODELS.build(
                dict(dict(type='SAM3Segmentor', weights=None,
                          config=TINY_SAM3, vocabulary=VOCABULARY),
                     **options))

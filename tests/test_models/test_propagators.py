"""Mask propagation; golden cases compare the numbers of STCN."""
import os
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pycocotools.mask as mask_utils
import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import InstanceData
from safetensors.torch import load_file, save_file
from transformers import Sam2VideoInferenceSession

from mmrvos.models.postprocessors.masks import encode_masks
from mmrvos.models.propagators import (
    STCN,
    MaskPropagator,
    PropagationPass,
    SAM2Propagator,
    STCNPropagator,
)
from mmrvos.models.propagators.sam2 import SAM2Pass
from mmrvos.models.propagators.stcn_memory import MemoryBank
from mmrvos.models.propagators.stcn_tracker import STCNTracker
from mmrvos.registry import TASK_UTILS

from .tiny import make_batch, tiny_model

SHAPE = (36, 52)  # original size; the network has half of it
SAMPLE = SimpleNamespace(ori_shape=SHAPE, img_shape=(18, 26))


def prediction(areas: list[list[int]], scores=None) -> InstanceData:
    """Masks of so many columns, (E, T), and the frames' scores."""
    masks = []
    for row in areas:
        mask = torch.zeros(len(row), *SHAPE).bool()
        for t, area in enumerate(row):
            mask[t, :, :area] = True
        masks.append(encode_masks(mask))
    pred = InstanceData(masks=masks)
    if scores is not None:
        pred.frame_scores = torch.tensor(scores)
    return pred


class ShiftingPass(PropagationPass):
    """See :class:`Shifting`."""

    def __init__(self):
        super().__init__()
        self.masks = []

    def step(self, t, frame, prompts, last):
        self.masks = [widen(masks) for masks in self.masks] + list(prompts)
        return self.masks


class Shifting(MaskPropagator):
    """Masks grow by one column per frame of distance to the key frame."""

    def start_pass(self, ori_shape, device, reverse, num_frames):
        return ShiftingPass()

    def propagate(self, frames, prompts, key_frames, ori_shape):
        self.seen = frames, prompts, key_frames
        yield from super().propagate(frames, prompts, key_frames, ori_shape)


def widen(masks: torch.Tensor) -> torch.Tensor:
    """Add a column to masks of columns from the left, (k, H, W) bool."""
    return torch.cat([masks[..., :1], masks[..., :-1]], dim=-1)


def columns(pred: InstanceData) -> list[list[int]]:
    return [(mask_utils.area(rles) // SHAPE[0]).tolist()
            for rles in pred.masks]


FRAMES = torch.arange(4.).view(4, 1, 1, 1).expand(4, 3, 18, 26)


@pytest.mark.parametrize('key_frame,keys,widths', [
    ('most_confident', [2, 1], [[7, 6, 5, 6], [10, 9, 10, 11]]),
    ('first', [1, 1], [[4, 3, 4, 5], [10, 9, 10, 11]]),
    ('middle', [2, 1], [[7, 6, 5, 6], [10, 9, 10, 11]]),
])
def test_each_expression_is_propagated_from_its_key_frame(
        key_frame, keys, widths):
    propagator = Shifting(key_frame=key_frame)
    # the first expression has its highest score in a frame without a mask
    pred = prediction([[0, 3, 5, 1], [0, 9, 0, 0], [0, 0, 0, 0]],
                      [[.9, .2, .8, .1], [.5] * 4, [.5] * 4])
    pred = propagator(FRAMES, pred, SAMPLE)
    frames, masks, key_frames = propagator.seen
    assert key_frames == keys
    assert masks.shape == (2, *SHAPE)
    torch.testing.assert_close(frames, FRAMES)
    assert columns(pred) == [*widths, [0] * 4]


def test_competing_expressions_share_the_frame_with_most_masks():
    propagator = Shifting(compete=True)
    scores = [[.9, .5, .6, .1]] * 3
    pred = prediction([[4, 4, 4, 4], [0, 2, 2, 2], [0, 0, 0, 0]], scores)
    propagator(FRAMES, pred, SAMPLE)
    assert propagator.seen[2] == [2, 2]


def test_the_key_frame_of_a_long_video():
    areas = [[1] * 299 + [3], [0] * 280 + [2] * 20]
    pred = prediction(areas, [[0.] * 299 + [1.], [0.] * 280 + [.5] * 20])
    assert Shifting().choose(pred) == {0: 299, 1: 280}


def test_masks_without_key_frame_lose_propagated_pixels():
    pred = prediction([[4, 4, 4, 4], [0, 5, 5, 5], [9, 0, 0, 0]],
                      [[.1, .5, .9, .6]] * 3)
    pred = Shifting(compete=True)(FRAMES, pred, SAMPLE)
    # of the 9 columns the second takes 7
    assert columns(pred) == [[6, 5, 4, 5], [7, 6, 5, 6], [2, 0, 0, 0]]


def test_errors_of_a_propagator():
    with pytest.raises(ValueError, match='most_confident'):
        Shifting(key_frame='best')
    with pytest.raises(ValueError, match="choose 'first' or 'middle'"):
        Shifting()(FRAMES, prediction([[1, 1, 1, 1]]), SAMPLE)
    with pytest.raises(ValueError, match='4 frames, but masks of 1'):
        Shifting()(FRAMES, prediction([[1]], [[.5]]), SAMPLE)
    with pytest.raises(ValueError, match='mem_every must be at least 1'):
        STCNPropagator(mem_every=0)
    with pytest.raises(FileNotFoundError, match='missing.pth'):
        STCNPropagator(weights='missing.pth').network  # noqa: B018


def test_memory_keeps_the_given_frame_and_drops_the_oldest():
    kept = {}
    for limit in (None, 1, 3):
        bank = MemoryBank(max_frames=limit)
        for t in range(5):
            bank.add(torch.full((1, 64, 2, 3), t),
                     torch.full((2, 512, 2, 3), t))
        bank.add(torch.full((1, 64, 2, 3), 9), torch.zeros(2, 512, 2, 3),
                 permanent=False)
        kept[limit] = bank.keys[::6, 0].tolist()
        assert len(bank.keys) == len(bank.values) == 6 * len(kept[limit])
    assert kept == {None: [0, 1, 2, 3, 4], 1: [0], 3: [0, 3, 4]}


@pytest.fixture(scope='module')
def network() -> STCN:
    torch.manual_seed(0)
    return STCN()


def stcn(network: STCN, **options) -> STCNPropagator:
    propagator = STCNPropagator(weights=None, mem_every=2, **options)
    propagator.network = network
    return propagator


def carry(propagator, frames, masks, keys) -> np.ndarray:
    """(K, T, H, W); -1 where no mask was predicted."""
    out = np.full((len(masks), len(frames), *SHAPE), -1)
    for t, objects, found in propagator.propagate(frames, masks, keys, SHAPE):
        assert (out[objects, t] == -1).all(), 'an object came twice'
        out[objects, t] = found
    return out


def test_both_passes_start_at_the_key_frame(network):
    frames, mask = torch.randn(5, 3, 18, 26), torch.zeros(2, *SHAPE).bool()
    mask[0, :20, :30], mask[1, 22:] = True, True
    propagator = stcn(network, compete=True)
    out = carry(propagator, frames, mask, [2, 2])
    ahead = carry(propagator, frames[2:], mask, [0, 0])
    back = carry(propagator, frames[:3].flip(0), mask, [0, 0])
    np.testing.assert_array_equal(out[:, 3:], ahead[:, 1:])
    np.testing.assert_array_equal(out[:, :2], back[:, :0:-1])
    assert (out[:, 2] == -1).all()  # the given mask is not predicted
    assert out[:, [0, 1, 3, 4]].min() == 0
    assert out.max() == 1


def test_objects_are_independent_without_compete(network):
    frames, mask = torch.randn(4, 3, 18, 26), torch.zeros(2, *SHAPE).bool()
    mask[0, :20, :30], mask[1, 10:] = True, True
    calls = []
    handle = network.key_encoder.register_forward_hook(
        lambda *_: calls.append(1))
    both = carry(stcn(network), frames, mask, [0, 2])
    handle.remove()
    # forwards 0 to 3 and backwards 2 to 0, once for both of them
    assert len(calls) == 7
    for k, key in enumerate([0, 2]):
        alone = carry(stcn(network), frames, mask[k, None], [key])
        np.testing.assert_array_equal(both[k], alone[0])


def test_propagation_is_in_full_precision(network):
    frames = torch.randn(3, 3, 18, 26)
    masks = []
    for half in (False, True):
        pred = prediction([[9, 9, 9]], [[.5, .9, .5]])
        with torch.autocast('cpu', torch.bfloat16, enabled=half):
            masks.append(stcn(network)(frames, pred, SAMPLE).masks)
    assert masks[0] == masks[1]


def test_the_last_frame_is_not_added_to_the_memory(network):
    frame = network.encode_key(torch.randn(1, 3, 32, 32))
    tracker = STCNTracker(network, mem_every=1)
    for last in (False, False, True):
        given = None if tracker.banks else torch.ones(1, 32, 32)
        tracker.step(frame, given, last=last)
    assert len(tracker.banks[0].keys) == 2 * 4


@pytest.mark.parametrize('key_frame', ['most_confident', 'middle'])
def test_behind_a_method_by_config(network, key_frame):
    model = tiny_model(
        test_cfg__propagator=dict(
            type='STCNPropagator', weights=None, key_frame=key_frame),
        test_cfg__window=2,
        test_cfg__postprocessor=dict(type='BestQuery', threshold=0.))
    plain = set(tiny_model().state_dict())
    assert set(model.state_dict()) == plain  # no network
    model.propagator.network = network
    batch = make_batch(num_frames=3, texts=('the star', 'the red square'))
    expected = tiny_model(
        test_cfg__window=2,
        test_cfg__postprocessor=dict(type='BestQuery', threshold=0.)
    ).test_step(make_batch(num_frames=3, texts=('the star',
                                                'the red square')))[0].pred
    pred = model.test_step(batch)[0].pred
    keys = expected.frame_scores.argmax(1) if (
        key_frame == 'most_confident') else [1, 1]
    for e, key in enumerate(keys):
        assert pred.masks[e][key] == expected.masks[e][key]
        assert pred.masks[e] != expected.masks[e]
        assert pred.masks[e][0]['size'] == [128, 192]
    torch.testing.assert_close(pred.frame_scores.mean(1), pred.scores)


# the smallest valid config
TINY_SAM2 = dict(
    image_size=64,
    vision_config=dict(
        backbone_config=dict(
            model_type='sam2_hiera_det_model',
            image_size=[64, 64],
            hidden_size=16,
            num_attention_heads=1,
            blocks_per_stage=[1, 1, 1, 1],
            embed_dim_per_stage=[16, 32, 64, 128],
            num_attention_heads_per_stage=[1, 1, 1, 1],
            window_size_per_stage=[4, 2, 2, 2],
            global_attention_blocks=[],
            window_positional_embedding_background_size=[4, 4]),
        backbone_channel_list=[128, 64, 32, 16],
        backbone_feature_sizes=[[16, 16], [8, 8], [4, 4]],
        fpn_hidden_size=128),
    prompt_encoder_config=dict(
        hidden_size=128, image_size=64, mask_input_channels=4),
    mask_decoder_config=dict(
        hidden_size=128,
        mlp_dim=32,
        num_attention_heads=2,
        iou_head_hidden_dim=32),
    memory_attention_hidden_size=128,
    memory_attention_num_layers=1,
    memory_attention_feed_forward_hidden_size=32,
    memory_attention_rope_feat_sizes=[4, 4],
    memory_encoder_hidden_size=128,
    memory_encoder_output_channels=64,
    mask_downsampler_embed_dim=128,
    memory_fuser_embed_dim=128,
    memory_fuser_intermediate_dim=32,
    memory_fuser_num_layers=1)


@pytest.fixture(scope='module')
def sam2() -> SAM2Propagator:
    torch.manual_seed(0)
    propagator = TASK_UTILS.build(
        dict(type='SAM2Propagator', weights=None, config=TINY_SAM2))
    for parameter in propagator.network.mask_decoder.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    # the object is in every frame
    head = propagator.network.mask_decoder.pred_obj_score_head
    head.proj_out.bias.data += 9
    return propagator


def sam2_alone(propagator, frames, mask, key) -> torch.Tensor:
    """One object by the interface of transformers, (T, H, W) bool."""
    size = (64, 64)
    mask = F.interpolate(
        mask[None, None].float(), size, mode='bilinear', align_corners=False,
        antialias=True)
    video = F.interpolate(
        frames, size, mode='bilinear', align_corners=False, antialias=True)
    logits = {}
    for reverse in (False, True):
        session = Sam2VideoInferenceSession(video=video, dtype=torch.float32)
        session.add_mask_inputs(session.obj_id_to_idx(0), key, mask >= 0.5)
        session.obj_with_new_inputs = [0]
        for output in propagator.network.propagate_in_video_iterator(
                session, start_frame_idx=key, reverse=reverse):
            logits[output.frame_idx] = output.pred_masks
    logits = torch.cat([logits[t] for t in range(len(frames))])
    return F.interpolate(
        logits, SHAPE, mode='bilinear', align_corners=False)[:, 0] > 0


@torch.no_grad()
def test_sam2_propagates_as_transformers(sam2):
    torch.manual_seed(1)
    frames, masks = torch.randn(9, 3, 18, 26), torch.zeros(2, *SHAPE).bool()
    masks[0, :20, :30], masks[1, 10:] = True, True
    keys = [3, 8]  # the second has only frames before it
    # so that old frames leave the memory
    with mock.patch.object(sam2.network, 'num_maskmem', 3), \
            mock.patch.object(sam2.network.config,
                              'max_object_pointers_in_encoder', 4):
        out = carry(sam2, frames, masks, keys)
        for k, key in enumerate(keys):
            expected = sam2_alone(sam2, frames, masks[k], key).numpy()
            others = [t for t in range(9) if t != key]
            np.testing.assert_array_equal(out[k, others], expected[others])
            assert 0 < expected[others].mean() < 1
            assert (out[k, key] == -1).all()


@torch.no_grad()
def test_sam2_has_bounded_memory_and_encodes_frames_once(sam2):
    frames, masks = torch.randn(6, 3, 18, 26), torch.zeros(2, *SHAPE).bool()
    masks[0, :20, :30], masks[1, 10:] = True, True
    stored, encoded = [], []
    forget = SAM2Pass.forget

    def count(self, session, frame):
        forget(self, session, frame)
        stored.extend(
            len(o['non_cond_frame_outputs'])
            for o in session.output_dict_per_obj.values())

    handle = sam2.network.vision_encoder.register_forward_hook(
        lambda *_: encoded.append(1))
    with mock.patch.object(SAM2Pass, 'forget', count), \
            mock.patch.object(sam2.network, 'num_maskmem', 2), \
            mock.patch.object(sam2.network.config,
                              'max_object_pointers_in_encoder', 2):
        carry(sam2, frames, masks, [0, 1])
    handle.remove()
    assert max(stored) == 2
    # forwards 0 to 5, then backwards 1 and 0
    assert len(encoded) == 8


class Command:

    def __reduce__(self):
        return os.mkdir, ('was_run', )


def test_sam2_folders_are_whole_and_run_no_code(sam2, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sam2.network.save_pretrained('folder')
    loaded = SAM2Propagator(weights='folder').network
    for key, value in sam2.network.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value)
    weights = load_file('folder/model.safetensors')
    lost = next(key for key in weights if key.startswith('mask_decoder'))
    del weights[lost]
    save_file(weights, 'folder/model.safetensors', dict(format='pt'))
    with pytest.raises(ValueError, match=f'lacks 1 weights.*{lost}'):
        SAM2Propagator(weights='folder').network  # noqa: B018
    os.remove('folder/model.safetensors')
    torch.save(dict(a=Command()), 'folder/pytorch_model.bin')
    with pytest.raises(ValueError, match="'folder' cannot be read"):
        SAM2Propagator(weights='folder').network  # noqa: B018
    assert not os.path.exists('was_run')


@torch.no_grad()
def test_competing_objects_are_disjoint(sam2, network):
    frames, masks = torch.randn(3, 3, 18, 26), torch.zeros(2, *SHAPE).bool()
    masks[0, :20, :30], masks[1, 10:] = True, True
    other = SAM2Propagator(weights=None, config=TINY_SAM2, compete=True)
    other.network = sam2.network
    for propagator in (other, stcn(network, compete=True)):
        out = carry(propagator, frames, masks, [0, 0])[:, 1:]
        assert (out.sum(0) <= 1).all()
        assert out.any()


def test_a_config_beside_weights_is_refused():
    with pytest.raises(ValueError, match='weights=None for random'):
        SAM2Propagator(config=TINY_SAM2)


def test_a_missing_sam2_gives_a_one_line_error():
    with pytest.raises(OSError, match='weights=FOLDER'):
        SAM2Propagator(weights='no/such/folder/here').network  # noqa: B018


def test_sam2_behind_a_method_by_config(sam2):
    model = tiny_model(
        test_cfg__propagator=dict(
            type='SAM2Propagator', weights=None, config=TINY_SAM2),
        test_cfg__postprocessor=dict(type='BestQuery', threshold=0.))
    model.propagator.network = sam2.network
    pred = model.test_step(make_batch(num_frames=3))[0].pred
    key = pred.frame_scores[0].argmax()
    areas = mask_utils.area(pred.masks[0])
    assert areas[key] == 128 * 192
    assert (areas[[t for t in range(3) if t != key]] < 128 * 192).all()

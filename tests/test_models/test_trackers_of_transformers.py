"""SAM 2, EdgeTAM and SAM 3's tracker against transformers' own interface."""
import importlib

import pytest
import torch
import torch.nn.functional as F

from mmrvos.registry import TASK_UTILS

from .test_propagators import SHAPE, TINY_SAM2, carry
from .test_sam3 import TINY_SAM3

TINY_EDGETAM = {
    **{key: value for key, value in TINY_SAM2.items()
       if key != 'memory_attention_feed_forward_hidden_size'},
    'vision_config': dict(
        TINY_SAM2['vision_config'], model_type='sam2_vision_model'),
    'memory_attention_mlp_hidden_size': 32,
    'memory_attention_rope_k_sizes': [2, 2],
    'perceiver_resampler_num_latents': 4,
    'perceiver_resampler_num_latents_2d': 4,
    'perceiver_resampler_mlp_intermediate_size': 32,
    'perceiver_resampler_num_layers': 1,
}
TRACKERS = {
    'SAM2Propagator': TINY_SAM2,
    'EdgeTAMPropagator': TINY_EDGETAM,
    'SAM3TrackerPropagator': TINY_SAM3['tracker_config'],
}
# normalised as ImageNet, and in SAM 3's own way
MEAN, STD = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]]).view(
    2, 3, 1, 1)
NUM_FRAMES, KEYS = 7, [2, 6]  # the second object has only frames before it


@pytest.fixture(scope='module', params=TRACKERS)
def tracker(request):
    torch.manual_seed(0)
    config = {key: value for key, value in TRACKERS[request.param].items()
              if key != 'model_type'}
    propagator = TASK_UTILS.build(
        dict(type=request.param, weights=None, config=config))
    decoder = propagator.network.mask_decoder
    for parameter in decoder.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    # the object is in every frame
    decoder.pred_obj_score_head.proj_out.bias.data += 9
    return propagator


def by_transformers(propagator, frames, prompt, key: int) -> torch.Tensor:
    """Track one object, forwards and backwards, (T, H, W) bool.

    Args:
        frames: (T, 3, h, w), 0 to 1.
        prompt: a mask (H, W) bool, or a box (4,).
    """
    size = propagator.network.image_size
    module = importlib.import_module(
        'transformers.models.sam2_video.processing_sam2_video')
    # without its image processor, which needs torchvision
    kind = module.Sam2VideoProcessor
    processor = kind.__new__(kind)
    processor.target_size, processor.point_pad_value = size, -10
    mean, std = (0.5, 0.5) if 'SAM3' in type(propagator).__name__ else (
        MEAN, STD)
    video = F.interpolate((frames - mean) / std, (size, size),
                          mode='bilinear', align_corners=False,
                          antialias=True)
    logits = {}
    for reverse in (False, True):
        session = propagator.classes[2](
            video=video, video_height=SHAPE[0], video_width=SHAPE[1],
            dtype=torch.float32)
        if prompt.ndim == 1:
            processor.add_inputs_to_inference_session(
                session, key, 5, input_boxes=[[prompt.tolist()]])
        else:
            mask = F.interpolate(
                prompt[None, None].float(), (size, size), mode='bilinear',
                align_corners=False, antialias=True)
            session.add_mask_inputs(
                session.obj_id_to_idx(5), key, mask >= 0.5)
            session.obj_with_new_inputs = [5]
        for output in propagator.network.propagate_in_video_iterator(
                session, start_frame_idx=key, reverse=reverse):
            logits[output.frame_idx] = output.pred_masks
    logits = torch.cat([logits[t] for t in range(len(frames))])
    return F.interpolate(
        logits, SHAPE, mode='bilinear', align_corners=False)[:, 0] > 0


@pytest.mark.parametrize('kind', ['boxes', 'masks'])
@torch.no_grad()
def test_masks_equal_those_of_transformers(tracker, kind):
    torch.manual_seed(1)
    frames = torch.rand(NUM_FRAMES, 3, 18, 26)
    boxes = torch.tensor([[3., 4., 30.5, 21.], [10., 12., 51., 35.]])
    if kind == 'boxes':
        prompts = boxes
    else:
        prompts = torch.zeros(2, *SHAPE).bool()
        for mask, (x1, y1, x2, y2) in zip(prompts, boxes.int(), strict=True):
            mask[y1:y2, x1:x2] = True
    out = carry(tracker, (frames - MEAN) / STD, prompts, KEYS)
    for k, key in enumerate(KEYS):
        expected = by_transformers(tracker, frames, prompts[k], key).numpy()
        assert 0 < expected.mean() < 1
        for t in range(NUM_FRAMES):
            if kind == 'masks' and t == key:
                assert (out[k, t] == -1).all()  # given, not predicted
            else:
                # SAM 3's normalisation is computed from ImageNet's
                wrong = (out[k, t] != expected[t]).mean()
                assert wrong <= (0.01 if 'SAM3' in type(tracker).__name__
                                 else 0), (k, t)


def test_default_weights():
    """Nothing is downloaded before the weights are used."""
    names = {
        name: TASK_UTILS.build(dict(type=name)).weights for name in TRACKERS
    }
    assert names == dict(
        SAM2Propagator='facebook/sam2.1-hiera-tiny',
        EdgeTAMPropagator='yonigozlan/EdgeTAM-hf',
        SAM3TrackerPropagator='facebook/sam3')


@torch.no_grad()
def test_competing_boxes_are_disjoint(tracker):
    torch.manual_seed(1)
    tracker.compete = True
    frames = torch.randn(3, 3, 18, 26)
    boxes = torch.tensor([[0., 0., 40., 30.], [10., 5., 52., 36.]])
    out = carry(tracker, frames, boxes, [0, 0])
    tracker.compete = False
    assert (out.sum(0) <= 1).all()
    assert out.any()

"""Test-time augmentation: copies of a clip, and the vote over their masks."""
import numpy as np
import pycocotools.mask as mask_utils
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from mmrvos.datasets.base import compose
from mmrvos.engine import use_tta
from mmrvos.models.test_time_augmentation import merge_copies, vote
from mmrvos.structures import RVOSDataSample

LEFT = np.array([[1, 1, 0, 0], [1, 0, 0, 0]], dtype=np.uint8)


def encode(mask: np.ndarray) -> dict:
    return mask_utils.encode(np.asfortranarray(mask))


def copy_of(mask: np.ndarray, score: float, *flips: str,
            **query) -> RVOSDataSample:
    sample = RVOSDataSample(
        metainfo=dict(video_id='v', flips=flips, ori_shape=mask.shape))
    sample.pred = InstanceData(
        masks=[[encode(mask)]],
        scores=torch.tensor([score]),
        frame_scores=torch.tensor([[score]]),
        queries=torch.zeros(1, 1).long(),
        **query)
    return sample


def test_masks_are_mirrored_back():
    copies = [copy_of(LEFT, 0.5), copy_of(LEFT[:, ::-1], 0.3, 'horizontal'),
              copy_of(LEFT[::-1], 0.4, 'vertical')]
    merged = merge_copies(copies)
    assert merged is copies[0]
    np.testing.assert_array_equal(
        mask_utils.decode(merged.pred.masks[0][0]), LEFT)
    torch.testing.assert_close(merged.pred.scores, torch.tensor([0.4]))
    torch.testing.assert_close(merged.pred.frame_scores,
                               torch.tensor([[0.4]]))
    with pytest.raises(ValueError, match='first copy of video v is mirrored'):
        merge_copies(copies[1:])


@pytest.mark.parametrize('scores, expected', [
    ((0.5, 0.5), [[1, 1]]),  # half of the total is enough
    ((0.6, 0.4), [[1, 0]]),
    ((0.4, 0.6), [[0, 1]]),
    ((0.1, 0.1), [[1, 1]]),
    ((0., 0.), [[1, 1]]),
])
def test_votes_are_weighted_by_scores(scores, expected):
    masks = [encode(np.array([row], dtype=np.uint8))
             for row in ([1, 0], [0, 1])]
    merged = vote(masks, [(), ()], torch.tensor(scores))
    np.testing.assert_array_equal(mask_utils.decode(merged), expected)


def test_all_queries_of_a_frame_are_merged():
    """Query by query, with boxes in pixels (A2D-Sentences)."""
    box = torch.tensor([[[0., 0., 2., 2.], [1., 0., 4., 1.]]])
    mirrored = torch.tensor([[[2., 0., 4., 2.], [0., 0., 3., 1.]]])
    other = 1 - LEFT
    copies = [
        copy_of(LEFT, 0.5, query_masks=[[encode(LEFT), encode(other)]],
                query_scores=torch.tensor([[0.5, 0.2]]), query_boxes=box),
        copy_of(LEFT[:, ::-1], 0.5, 'horizontal',
                query_masks=[[encode(LEFT[:, ::-1]), encode(other[:, ::-1])]],
                query_scores=torch.tensor([[0.7, 0.4]]),
                query_boxes=mirrored),
    ]
    pred = merge_copies(copies).pred
    torch.testing.assert_close(pred.query_scores, torch.tensor([[0.6, 0.3]]))
    torch.testing.assert_close(pred.query_boxes, box)
    for rle, mask in zip(pred.query_masks[0], (LEFT, other), strict=True):
        np.testing.assert_array_equal(mask_utils.decode(rle), mask)


def pipeline_of(scales, *resize: dict) -> list[dict]:
    cfg = Config(dict(test_dataloader=dict(dataset=dict(pipeline=[
        dict(type='SampleAllFrames'), dict(type='LoadFrames'), *resize,
        dict(type='PackRVOSInputs')]))))
    use_tta(cfg, scales)
    assert cfg.custom_hooks[-1].type == 'PrepareTTAHook'
    return cfg.test_dataloader.dataset.pipeline


@pytest.mark.parametrize('resize, sides', [
    ((), (10, 20)), ((dict(type='ClipResize', short_sides=30), ), (15, 30))])
def test_copies_of_a_clip(tmp_path, resize, sides):
    init_default_scope('mmrvos')
    frames = np.zeros((2, 20, 40, 3), dtype=np.uint8)
    frames[:, :, :10] = 255
    steps = pipeline_of([1, 0.5], *resize)[2:]
    expression = dict(exp_id='0', text='the left one', obj_ids=[],
                      type_id=None, length=None)
    data = compose(steps)(dict(
        frames=frames, expressions=[expression], video_id='v',
        frame_names=['0', '1'], frame_inds=np.arange(2), img_paths=['', ''],
        ori_shape=(20, 40), img_shape=(20, 40), mask_source=None))
    texts = [s.texts[0] for s in data['data_samples']]
    assert texts == 2 * ['the left one'] + 2 * ['the right one']
    assert [s.get('flips') for s in data['data_samples']] == [
        None, None, ('horizontal', ), ('horizontal', )]
    assert [x.shape[2] for x in data['inputs']] == 2 * [sides[1], sides[0]]
    for plain, mirrored in zip(data['inputs'][:2], data['inputs'][2:],
                               strict=True):
        assert torch.equal(plain.flip(-1), mirrored)
        assert plain[..., 0].min() > 200 and plain[..., -1].max() < 50


@pytest.mark.parametrize('scales', [[], [0], [1, 1], [-1]])
def test_scales_are_checked(scales):
    with pytest.raises(ValueError, match='different numbers above 0'):
        pipeline_of(scales)

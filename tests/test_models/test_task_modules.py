import numpy as np
import pycocotools.mask as mask_utils
import pytest
import torch
from mmengine.structures import InstanceData

from mmrvos.models import merge_windows
from mmrvos.models.postprocessors import MergeObjects, RankQueries
from mmrvos.models.postprocessors.masks import encode_masks
from mmrvos.models.task_modules import SequenceMatcher, smooth_giou


def test_giou_with_the_zero_box_of_an_absent_object():
    box = torch.tensor([.5, .5, .2, .3])
    zero = torch.zeros(4)
    # -(1 - w * h / (x2 * y2))
    assert smooth_giou(box, zero).item() == pytest.approx(
        -(1 - .06 / (.6 * .65)), abs=1e-4)
    assert smooth_giou(zero, zero).item() == pytest.approx(0, abs=1e-6)
    assert smooth_giou(box, box).item() == pytest.approx(1, abs=1e-4)


def test_the_matcher_finds_the_best_sequence():
    torch.manual_seed(0)
    goal = torch.zeros(1, 2, 4, 4)
    goal[:, :, :2] = 1
    logits = torch.zeros(1, 1, 2, 3, 1)
    boxes = torch.rand(1, 1, 2, 3, 4)
    masks = torch.randn(1, 1, 2, 3, 4, 4)
    target = torch.rand(1, 2, 4)
    boxes[:, :, :, 1] = target
    masks[:, :, :, 1] = goal * 20 - 10
    matcher = SequenceMatcher()
    args = (boxes, masks, target, goal, torch.ones(1, 2).bool(),
            torch.zeros(1).long())
    assert matcher(logits, *args).tolist() == [[1]]
    # with the other weights 0, the class decides
    logits[:, :, :, 2] = 3
    only_class = SequenceMatcher(
        box_weight=0, giou_weight=0, mask_weight=0, dice_weight=0)
    assert only_class(logits, *args).tolist() == [[2]]


def test_matcher_reads_the_class_in_valid_frames_only():
    logits = torch.zeros(1, 1, 2, 2, 1)
    logits[0, 0, 0, 0] = 2.  # frame 0 is not valid
    logits[0, 0, 1, 1] = 1.
    matcher = SequenceMatcher(
        box_weight=0, giou_weight=0, mask_weight=0, dice_weight=0)
    index = matcher(logits, torch.zeros(1, 1, 2, 2, 4),
                    torch.zeros(1, 1, 2, 2, 3, 3), torch.zeros(1, 2, 4),
                    torch.zeros(1, 2, 3, 3),
                    torch.tensor([[False, True]]), torch.zeros(1).long())
    assert index.tolist() == [[1]]


def test_merging_keeps_the_threshold_and_the_first_of_ties():
    probs = torch.tensor([.49, .5, .6, .05]).view(1, 1, 1, 4)
    other = torch.tensor([.0, .5, .7, .08]).view(1, 1, 1, 4)
    labels = MergeObjects().merge(torch.cat([probs, other]))
    assert labels.flatten().tolist() == [0, 1, 2, 0]


def test_rle_of_frames():
    masks = torch.rand(3, 5, 7) > 0.5
    decoded = np.stack([mask_utils.decode(r) for r in encode_masks(masks)])
    np.testing.assert_array_equal(decoded.astype(bool), masks.numpy())


def test_merged_windows_are_concatenated_with_mean_scores():
    def window(frames, score, query):
        return InstanceData(
            masks=[['rle'] * frames],
            scores=torch.tensor([score]),
            frame_scores=torch.full((1, frames), score),
            queries=torch.tensor([[query]]))

    joined = merge_windows([window(3, 0.9, 1), window(1, 0.5, 2)])
    assert len(joined.masks[0]) == 4
    assert joined.scores.tolist() == pytest.approx([0.8])
    assert joined.frame_scores[0].tolist() == pytest.approx([.9] * 3 + [.5])
    assert joined.queries.tolist() == [[1, 2]]


def test_ranking_refuses_chosen_queries():
    with pytest.raises(ValueError, match="query='carried'"):
        RankQueries()(None, iter(()), (8, 8), queries=torch.zeros(1))

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from mmrvos.registry import VISUALIZERS
from mmrvos.structures import RVOSDataSample
from mmrvos.visualization import STYLES, RVOSVisualizer
from mmrvos.visualization.drawing import colour_of
from mmrvos.visualization.legend import Legend, caption_of

from ..colour_segmentor import to_rles


def sample(num_frames: int) -> RVOSDataSample:
    masks = np.zeros((2, num_frames, 30, 40), dtype=bool)
    masks[0, :, 5:15, 5:15] = masks[1, :, 20:28, 20:38] = True
    data_sample = RVOSDataSample(metainfo=dict(texts=['a', 'b']))
    data_sample.pred = InstanceData(
        masks=[to_rles(m) for m in masks], scores=torch.tensor([0.9, 0.1]))
    return data_sample


def test_draws_at_a_readable_size_with_a_legend():
    visualizer = VISUALIZERS.build(
        dict(type='RVOSVisualizer', name='t1', min_width=160, style='fill'))
    # frames of the network's size, masks of the original's
    frames = np.zeros((3, 15, 20, 3), np.uint8)
    pred = sample(3).pred
    images = list(
        visualizer.draw_clip(frames, pred.masks, ['a', 'b'], pred.scores))
    assert len(images) == 3
    height, width = images[0].shape[:2]
    assert width == 160
    assert height > 120  # 30 * 160 / 40, and the legend
    tint = np.array(colour_of(0)) * STYLES['fill'].fill
    assert np.abs(images[0][40, 40] - tint).max() <= 1
    assert (images[0][62:76, 62:76] == 0).all()


@pytest.mark.parametrize(('shape', 'size'), [
    ((30, 40), (360, 480)),
    ((400, 16), (1080, 43)),
    ((2000, 16), (2000, 16)),
    ((3000, 9000), (1365, 4096)),
    ((1, 9000), (1, 4096)),
    ((1080, 1920), (1080, 1920)),
])
def test_drawn_sizes(shape, size):
    assert RVOSVisualizer('t3').drawn_size(shape) == size


def test_outlines_of_enlarged_masks_are_smooth(monkeypatch):
    """A disc of 9 pixels that is enlarged 12 times."""
    y, x = np.mgrid[:40, :40]
    disc = (x - 20)**2 + (y - 20)**2 <= 9**2
    seen = []

    def spy(frame, masks, *args):
        seen.append(masks[0])
        return frame

    monkeypatch.setattr(
        'mmrvos.visualization.rvos_visualizer.draw_masks', spy)
    frames = np.zeros((1, 40, 40, 3), np.uint8)
    list(RVOSVisualizer('t7').draw_frames(frames, [to_rles(disc[None])]))
    lines, _ = cv2.findContours(seen[0].astype(np.uint8), cv2.RETR_EXTERNAL,
                                cv2.CHAIN_APPROX_NONE)
    length = cv2.arcLength(cv2.approxPolyDP(lines[0], 1, True), True)
    # 1.26 for squares of 12 x 12 pixels
    assert length / (2 * np.pi * 9.3 * 12) < 1.1


def test_all_frames_of_an_overlay_have_one_size(tmp_path):
    """Whatever the scores and whatever is found in a part of the video."""
    visualizer, texts = RVOSVisualizer('t4'), ['word ' * 30, 'b']
    shape, frames = (400, 16), np.zeros((2, 400, 16, 3), np.uint8)
    with visualizer.open_overlay(tmp_path / 'o', shape, texts) as overlay:
        for filled in (True, False):
            masks = np.full((2, *shape), filled)
            overlay.write(frames, [to_rles(masks)] * 2,
                          torch.tensor([0.5, 1 - filled]))
    video = cv2.VideoCapture(str(tmp_path / 'o.mp4'))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 4
    assert video.get(cv2.CAP_PROP_FRAME_WIDTH) == 480
    assert overlay.found.all()
    np.testing.assert_allclose(overlay.total / overlay.count, [0.5, 0.5])


def test_legend_says_what_is_not_found():
    assert caption_of('a dog', 0.874, found=True) == '0.87 a dog'
    assert caption_of('a dog', 0.2, found=False) == '0.20 a dog (not found)'
    legend = Legend(['a dog', 'a cat'], 200)
    scores, yes = torch.ones(2), np.array([True, True])
    drawn = [
        legend.draw(scores, found, present)
        for found, present in ((yes, yes), (yes, ~yes), (~yes, ~yes))
    ]
    assert {d.shape for d in drawn} == {(legend.height, 200, 3)}
    colours = [(d == colour_of(0)).all(axis=-1).sum() for d in drawn]
    assert colours[0] > 2 * colours[1] > 0  # the square is hollow
    assert (drawn[1] != drawn[2]).any()


def test_one_legend_per_sheet():
    visualizer, pred = RVOSVisualizer('t5', sheet_frames=3), sample(5).pred
    frames = np.zeros((5, 30, 40, 3), np.uint8)
    sheet = visualizer.draw_sheet(frames, pred.masks, ['a', 'b'], pred.scores)
    legend = Legend(['a', 'b'], 3 * 480 + 2 * 4)
    assert sheet.shape == (360 + legend.height, 3 * 480 + 2 * 4, 3)
    corners = [sheet[:18, x:x + 80] for x in (0, 484, 968)]
    assert (corners[0] != corners[1]).any()  # frame numbers
    assert (corners[1] != corners[2]).any()


def test_sheets_of_large_frames_are_reduced():
    visualizer = RVOSVisualizer('t6')
    frames, texts = np.zeros((8, 720, 1280, 3), np.uint8), ['a']
    rles = [to_rles(np.ones((8, 720, 1280)))]
    sheet = visualizer.draw_sheet(frames, rles, texts, torch.ones(1))
    width = 4 * 480 + 3 * 4
    assert sheet.shape == (
        2 * 270 + 4 + Legend(texts, width).height, width, 3)


def test_contact_sheet_goes_to_the_backend(tmp_path):
    visualizer = VISUALIZERS.build(
        dict(
            type='RVOSVisualizer',
            name='t2',
            sheet_frames=2,
            vis_backends=[dict(type='LocalVisBackend')],
            save_dir=str(tmp_path)))
    visualizer.add_datasample(
        'clip', np.zeros((5, 30, 40, 3), np.uint8), sample(5), step=7)
    picture, = tmp_path.rglob('clip_7.png')
    assert cv2.imread(str(picture)).shape[1] == 2 * 480 + 4

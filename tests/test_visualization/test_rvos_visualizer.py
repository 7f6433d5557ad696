import cv2
import numpy as np
import torch
from mmengine.structures import InstanceData

from mmrvos.registry import VISUALIZERS
from mmrvos.structures import RVOSDataSample
from mmrvos.visualization.drawing import colour_of

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
        dict(type='RVOSVisualizer', name='t1', min_width=160))
    # frames of the network's size, masks of the original's
    frames = np.zeros((3, 15, 20, 3), np.uint8)
    pred = sample(3)
    images = list(visualizer.draw_clip(frames, pred.pred.masks, ['a', 'b']))
    assert len(images) == 3
    height, width = images[0].shape[:2]
    assert width == 160
    assert height > 120  # 30 * 160 / 40, and the legend
    tint = np.array(colour_of(0)) * visualizer.alpha
    assert np.abs(images[0][40, 40] - tint).max() <= 1
    assert (images[0][60:78, 60:78] == 0).all()


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

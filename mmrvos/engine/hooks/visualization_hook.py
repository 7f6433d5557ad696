import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from mmrvos.registry import HOOKS
from mmrvos.structures import RVOSDataSample
from mmrvos.visualization import captions_of


@HOOKS.register_module()
class RVOSVisualizationHook(Hook):
    """Show predictions: a contact sheet for every ``interval``-th validation
    sample (to the visualizer's backends), a video and a contact sheet for
    every ``interval``-th test sample (to files, in every process its own).

    Args:
        draw: False does nothing.
        interval: 1 draws all samples.
        out_dir: of the test files; by default ``vis`` in the log folder.
        fps: of the test videos.
    """

    def __init__(self,
                 draw: bool = False,
                 interval: int = 1,
                 out_dir: str | None = None,
                 fps: float = 10) -> None:
        self.draw = draw
        self.interval = interval
        self.out_dir = out_dir
        self.fps = fps

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: dict,
                       outputs: Sequence[RVOSDataSample]) -> None:
        if self.draw and batch_idx % self.interval == 0:
            runner.visualizer.add_datasample(
                f'val_{file_name(outputs[0].video_id)}',
                to_frames(data_batch['inputs'][0]),
                outputs[0],
                step=runner.iter)

    def after_test_iter(self, runner: Runner, batch_idx: int,
                        data_batch: dict,
                        outputs: Sequence[RVOSDataSample]) -> None:
        if not self.draw or batch_idx % self.interval:
            return
        folder = Path(self.out_dir or Path(runner.log_dir, 'vis'))
        for clip, sample in zip(data_batch['inputs'], outputs, strict=True):
            # samples of one video (annotators, say) differ in expressions
            name = file_name('_'.join([sample.video_id, *sample.exp_ids[:1]]))
            images = runner.visualizer.draw_clip(
                to_frames(clip), sample.pred.masks,
                captions_of(sample.texts, sample.pred.scores))
            with runner.visualizer.open_overlay(folder / name,
                                                self.fps) as overlay:
                for image in images:
                    overlay.write(image)


def to_frames(clip: Tensor) -> np.ndarray:
    """(T, 3, h, w) uint8 tensor to (T, h, w, 3) array."""
    return clip.permute(0, 2, 3, 1).cpu().numpy()


def file_name(text: str) -> str:
    return re.sub(r'[^\w.-]', '_', text)

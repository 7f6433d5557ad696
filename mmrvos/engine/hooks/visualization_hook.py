import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from mmrvos.registry import HOOKS
from mmrvos.structures import RVOSDataSample
from mmrvos.utils import check_output_folder
from mmrvos.visualization import check_fps


@HOOKS.register_module()
class RVOSVisualizationHook(Hook):
    """Draw the predictions of every ``interval``-th sample.

    Validation samples become contact sheets, which go to the visualizer's
    backends. Test samples become a video and a contact sheet each, which
    every process writes to ``out_dir``. If drawing fails, a warning says so
    and training or testing goes on.

    Args:
        draw: False draws nothing.
        interval: 1 draws all samples.
        out_dir: of the test files; by default ``vis`` in the log folder.
        fps: of the test videos.

    Raises:
        ValueError: ``interval`` is below 1 or ``fps`` is out of range.
        OSError: ``out_dir`` cannot be written. Checked before the first
            sample.
    """

    def __init__(self,
                 draw: bool = False,
                 interval: int = 1,
                 out_dir: str | None = None,
                 fps: float = 10) -> None:
        if interval < 1:
            raise ValueError('RVOSVisualizationHook got interval='
                             f'{interval}, expected at least 1')
        check_fps(fps)
        self.draw = draw
        self.interval = interval
        self.out_dir = out_dir
        self.fps = fps

    def before_test(self, runner: Runner) -> None:
        if self.draw:
            check_output_folder(self.folder(runner))

    def folder(self, runner: Runner) -> Path:
        """Return the folder of the test files."""
        return Path(self.out_dir or Path(runner.log_dir, 'vis'))

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: dict,
                       outputs: Sequence[RVOSDataSample]) -> None:
        if self.draw and batch_idx % self.interval == 0:
            name = f'val_{file_name(outputs[0].video_id)}'
            with failures_as_warnings(f'picture of {name}'):
                runner.visualizer.add_datasample(
                    name,
                    frames_of(data_batch['inputs'][0], outputs[0]),
                    outputs[0],
                    step=runner.iter)

    def after_test_iter(self, runner: Runner, batch_idx: int,
                        data_batch: dict,
                        outputs: Sequence[RVOSDataSample]) -> None:
        if not self.draw or batch_idx % self.interval:
            return
        clips = data_batch['inputs']
        if isinstance(clips[0], Sequence):
            clips = clips[0]  # of the first test-time augmentation
        for clip, sample in zip(clips, outputs, strict=True):
            # samples of one video (annotators, say) differ in expressions
            name = file_name('_'.join([sample.video_id, *sample.exp_ids[:1]]))
            pred = sample.pred
            with (failures_as_warnings(f'overlay of {name}'),
                  runner.visualizer.open_overlay(
                      self.folder(runner) / name, sample.ori_shape,
                      sample.texts, self.fps) as overlay):
                overlay.write(
                    frames_of(clip, sample), pred.masks, pred.scores)


@contextmanager
def failures_as_warnings(what: str) -> Iterator[None]:
    """Turn an error into a warning: a picture must not cost the scores."""
    try:
        yield
    except Exception as error:
        warnings.warn(
            f'no {what}: {type(error).__name__}: {error}', stacklevel=3)


def frames_of(clip: Tensor, sample: RVOSDataSample) -> np.ndarray:
    """Return the frames that have masks, (t, h, w, 3) uint8.

    Args:
        clip: (T, 3, h, w) uint8.
        sample: with ``valid_index`` if masks are of this frame only (A2D- and
            JHMDB-Sentences).
    """
    valid = sample.get('valid_index')
    if valid is not None:
        clip = clip[[valid]]
    return clip.permute(0, 2, 3, 1).cpu().numpy()


def file_name(text: str) -> str:
    """Replace the characters of an id that do not belong in a file name."""
    return re.sub(r'[^\w.-]', '_', text)

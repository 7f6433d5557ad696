"""A stand-in for a trained model: it segments the colour a sentence names.

Its masks are known in advance, so a test can tell a right overlay, file or
score from a wrong one.
"""
import os
import signal
from pathlib import Path

import numpy as np
import pycocotools.mask as mask_utils
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mmrvos.registry import HOOKS, MODELS

CHANNELS = dict(red=0, green=1, blue=2)


@MODELS.register_module()
class ColourSegmentor(BaseModel):
    """A pixel belongs to the colour whose channel is above ``threshold``,
    which is the only weight; the score is the share of such pixels.

    The loss depends on the clips, on dropout and on the training stage, so a
    training that draws other numbers ends with another weight.
    """

    # TrainingStagesHook asks for them, and sets the stage
    category_head = dense_head = ()
    stage = 'whole'

    def __init__(self, test_cfg: dict | None = None) -> None:
        super().__init__()
        self.test_cfg = test_cfg
        self.threshold = nn.Parameter(torch.full((3, ), 3.))
        self.calls = 0

    def encode_clip(self, frames: Tensor) -> Tensor:
        """(1, T, 3, h, w) to (T, 3, h, w) bool."""
        self.calls += 1
        return frames[0] > self.threshold[:, None, None]

    def forward(self, inputs, data_samples, mode='tensor'):
        if mode == 'loss':
            scale = dict(category=1., dense=2., whole=3.)[self.stage]
            means = torch.stack([c.float().mean((0, 2, 3)) for c in inputs])
            target = F.dropout(scale * means, training=self.training)
            return dict(loss=(self.threshold - target).square().mean())
        for clip, sample in zip(inputs, data_samples, strict=True):
            sample.pred, = self.stream([clip], sample)
        return data_samples

    def stream(self, pieces, sample):
        """Every piece is a window."""
        for clip in pieces:
            above = self.encode_clip(clip[None].float())
            masks = [
                F.interpolate(
                    above[:, None, self.channel(text)].float(),
                    sample.ori_shape)[:, 0] > 0.5 for text in sample.texts
            ]
            shares = torch.stack([m.float().mean((1, 2)) for m in masks])
            yield InstanceData(
                masks=[to_rles(m.numpy()) for m in masks],
                scores=shares.mean(1),
                frame_scores=shares,
                queries=torch.zeros(len(masks), 1).long())

    @staticmethod
    def channel(text: str) -> int:
        return next((c for name, c in CHANNELS.items() if name in text), 0)


@HOOKS.register_module()
class PowerCut(Hook):
    """Ends the training after an iteration (0: never): by an error, by
    SIGKILL to process and launcher (``kill``), or by infinite weights
    (``diverge``)."""

    def __init__(self,
                 after: int,
                 kill: bool = False,
                 diverge: bool = False) -> None:
        self.after = after
        self.kill = kill
        self.diverge = diverge

    def after_train_iter(self, runner, *args, **kwargs) -> None:
        if runner.iter + 1 == self.after:
            if self.diverge:
                runner.model.threshold.data.fill_(torch.inf)
                return
            if self.kill:
                if 'TORCHELASTIC_RUN_ID' in os.environ:  # torchrun
                    os.kill(os.getppid(), signal.SIGKILL)
                os.kill(os.getpid(), signal.SIGKILL)
            raise RuntimeError('power cut')


def to_rles(masks: np.ndarray) -> list[dict]:
    return [
        mask_utils.encode(np.asfortranarray(m.astype(np.uint8))) for m in masks
    ]


def colour_config() -> Config:
    return Config(
        dict(
            default_scope='mmrvos',
            model=dict(type='ColourSegmentor'),
            test_dataloader=dict(
                collate_fn=dict(type='pseudo_collate'),
                dataset=dict(pipeline=[
                    dict(type='SampleAllFrames'),
                    dict(type='LoadFrames'),
                    dict(type='ClipResize', short_sides=24),
                    dict(type='PackRVOSInputs', keep_masks=True)
                ]))))


def colour_checkpoint(folder: Path, threshold: float = 150) -> str:
    model = ColourSegmentor()
    model.threshold.data.fill_(threshold)
    path = folder / 'colour.pth'
    torch.save(model.state_dict(), path)
    return str(path)


def colour_video(num_frames: int = 5, shape=(48, 80)) -> np.ndarray:
    """(T, H, W, 3): a red square going right over black, a green one below
    it standing still. Edges lie on the grid of half the size."""
    frames = np.zeros((num_frames, *shape, 3), dtype=np.uint8)
    for t in range(num_frames):
        frames[t, 4:16, 4 + 8 * t:20 + 8 * t, 0] = 220
        frames[t, 30:42, 20:40, 1] = 220
    return frames

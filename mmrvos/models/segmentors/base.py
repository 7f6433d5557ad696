from abc import ABCMeta, abstractmethod
from collections.abc import Iterable, Iterator, Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModel
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mmrvos.registry import MODELS, TASK_UTILS
from mmrvos.structures import RVOSDataSample

from ..derive import derive, setting
from ..features import ClipFeatures, Predictions, Targets, TextFeatures
from .inference import InferenceCfg, cut_windows, join_windows

# parts, of one method or another, that torch.compile is worth its time for
COMPILED = ('backbone', 'encoder', 'decoder', 'cluster', 'transformer',
            'pixel_decoder')
# what a step of training trains, see TrainingStagesHook
STAGES = ('category', 'dense', 'whole')


# Frames of pairs (video, expression) that are decoded together at test time:
# their stride-4 maps are most of the memory.
FRAMES_PER_PASS = 64
# Frames that an image backbone takes together at test time: beside its maps,
# memory does not grow with the clip.
BACKBONE_FRAMES = 8


class BaseRVOSSegmentor(BaseModel, metaclass=ABCMeta):
    """What every method shares: training and testing on three steps.

    A method implements :meth:`encode_clip`, :meth:`encode_text` and
    :meth:`decode`. Frames are encoded once, however many expressions are
    asked of them.

    The config sets a shared width or count once, see :func:`derive`: a part
    gets ``embed_dims``, or what follows from ``backbone_channels``, from here.

    Args:
        backbone: config of an image backbone that takes (B*T, 3, H, W), or
            of a video backbone that takes (B, T, 3, H, W) and has
            ``temporal = True``. It returns maps, fine to coarse, the first
            of stride 4.
        backbone_channels: channels of these maps.
        text_encoder: config of the text encoder.
        head: config of the head.
        embed_dims: C, the width of the model behind the backbone.
        category_head, dense_head: configs of training-only heads on a map of
            the backbone and on the method's encoded map, see
            :class:`CategoryHead` and :class:`DenseMaskHead`.
        channels_last: keep maps as (h, w, C) in memory, so that maps and
            tokens are views of each other; faster on a CPU, same numbers up
            to rounding.
        test_cfg: see :class:`InferenceCfg`.
        data_preprocessor: config of the data preprocessor.
        init_cfg: as in MMEngine.

    Raises:
        ValueError: two keys of the config contradict each other, or the
            backbone returns other channels than ``backbone_channels``.
    """

    def __init__(self,
                 *,
                 backbone: dict,
                 backbone_channels: Sequence[int],
                 text_encoder: dict,
                 head: dict,
                 embed_dims: int = 256,
                 category_head: dict | None = None,
                 dense_head: dict | None = None,
                 channels_last: bool = False,
                 test_cfg: dict | None = None,
                 data_preprocessor: dict | None = None,
                 init_cfg: dict | None = None) -> None:
        # built here, since BaseModel would ask MMEngine's root registry
        super().__init__(
            MODELS.build(data_preprocessor
                         or dict(type='RVOSDataPreprocessor')),
            init_cfg)
        width = ('embed_dims', embed_dims)
        self.head = MODELS.build(derive('head', head, embed_dims=width))
        self.category_head = category_head and MODELS.build(
            on_backbone_map('category_head', category_head,
                            backbone_channels))
        self.dense_head = dense_head and MODELS.build(
            derive('dense_head', dense_head, in_channels=width))
        self.backbone = MODELS.build(backbone)
        check_channels(self.backbone, backbone_channels)
        self.text_encoder = MODELS.build(
            derive('text_encoder', text_encoder, out_channels=width))
        self.stage = 'whole'  # one of STAGES; TrainingStagesHook sets it
        self.channels_last = channels_last
        self.test_cfg = InferenceCfg(**(test_cfg or {}))
        self.postprocessor = TASK_UTILS.build(self.test_cfg.postprocessor)
        self.propagator = self.test_cfg.propagator and TASK_UTILS.build(
            self.test_cfg.propagator)

    def compile_parts(self, **options) -> None:
        """Have torch.compile make faster code of the large parts.

        Weights keep their names. What stays outside has no fixed shape
        (text) or hardly counts (heads).

        Args:
            options: of :func:`torch.compile`.
        """
        for name in COMPILED:
            if part := getattr(self, name, None):
                part.compile(**options)

    @abstractmethod
    def encode_clip(self,
                    frames: Tensor,
                    image_sizes: Tensor,
                    valid_index: Tensor | None = None) -> ClipFeatures:
        """Encode frames without language.

        Args:
            frames: (B, T, 3, H, W), normalised and padded.
            image_sizes: (B, 2) float, (height, width) without padding; on the
                CPU, where they are asked whether there is any.
            valid_index: (B,) long. All T frames pass through the backbone,
                then only this one of each clip is kept and T becomes 1
                (A2D-Sentences, JHMDB-Sentences).
        """

    @abstractmethod
    def encode_text(self, expressions: Sequence[Sequence[str]]
                    ) -> TextFeatures:
        """Encode all expressions of a batch.

        Args:
            expressions: for each of B videos, its expressions.
        """

    @abstractmethod
    def decode(self, clip: ClipFeatures, text: TextFeatures) -> Predictions:
        """Predict for every expression.

        Args:
            clip: B clips.
            text: P expressions about them.
        """

    def forward(self,
                inputs: Sequence[Tensor],
                data_samples: Sequence[RVOSDataSample],
                mode: str = 'tensor'):
        """MMEngine's entry.

        Args:
            inputs: (T, 3, H, W) of each video, normalised and padded to a
                common size.
            data_samples: their data samples.
            mode: 'loss', 'predict' or 'tensor' (plain predictions).
        """
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode not in ('loss', 'tensor'):
            raise ValueError("mode is 'loss', 'predict' or 'tensor', got "
                             f'{mode}')
        if mode == 'loss' and self.stage == 'category':
            return self.category_loss(inputs, data_samples)
        clip = self.encode_clip(
            stack_clips(inputs), image_sizes(data_samples),
            valid_indices(data_samples, inputs[0]))
        text = self.encode_text([sample.texts for sample in data_samples])
        if mode == 'tensor':
            return self.decode(clip, text)
        targets = collect_targets(data_samples, inputs[0])
        if self.stage == 'dense':
            return self.dense_head.loss(self.dense_map(clip, text), targets)
        return self.loss(self.decode(clip, text), targets)

    def category_loss(self, inputs: Sequence[Tensor],
                      data_samples: Sequence[RVOSDataSample]
                      ) -> dict[str, Tensor]:
        """What the objects are; nothing but the backbone runs."""
        maps, _ = run_backbone(self.backbone, stack_clips(inputs),
                               valid_indices(data_samples, inputs[0]),
                               self.channels_last)
        counts = torch.tensor([len(s.texts) for s in data_samples])
        videos = torch.arange(len(counts)).repeat_interleave(counts)
        return self.category_head.loss(
            maps, videos.to(maps[0].device),
            collect_targets(data_samples, inputs[0]))

    def dense_map(self, clip: ClipFeatures,
                  text: TextFeatures) -> Tensor | None:
        """The ``dense`` of :meth:`decode`; a method overrides this where it
        has the map long before its predictions."""
        return self.decode(clip, text).dense

    def loss(self, predictions: Predictions,
             targets: Targets) -> dict[str, Tensor]:
        """Losses of the head, and of the dense head where there is one."""
        losses = self.head.loss(predictions, targets)
        if self.dense_head is not None:
            losses.update(self.dense_head.loss(predictions.dense, targets))
        return losses

    def predict(self, inputs: Sequence[Tensor],
                data_samples: Sequence[RVOSDataSample]
                ) -> list[RVOSDataSample]:
        """Fill ``pred`` of every data sample, video by video."""
        for frames, sample in zip(inputs, data_samples, strict=True):
            sample.pred = join_windows(self.stream([frames], sample))
        return list(data_samples)

    def test_step(self, data: dict) -> list[RVOSDataSample]:
        """As :class:`BaseModel`; where a video is decoded in windows, its
        frames are also brought to the device and normalised window by window:
        as bytes they take a quarter of the memory.
        """
        window = self.test_cfg.window
        if window is None or self.propagator is not None:
            return super().test_step(data)
        for frames, sample in zip(
                data['inputs'], data['data_samples'], strict=True):
            pieces = (
                self.data_preprocessor(
                    dict(inputs=[part], data_samples=[sample]))['inputs'][0]
                for part in frames.split(window))
            sample.pred = join_windows(self.stream(pieces, sample))
        return list(data['data_samples'])

    val_step = test_step

    def stream(self, pieces: Iterable[Tensor],
               sample: RVOSDataSample) -> Iterator[InstanceData]:
        """All expressions of one video, while it is read.

        With a ``test_cfg.window`` no more than the frames of a window and of
        a piece are held. A propagator works on the whole video.

        Args:
            pieces: (t, 3, H, W) each, the next frames, normalised and padded.
            sample: of the whole video; its texts and sizes are read.

        Yields:
            ``pred`` of the next frames.
        """
        if self.propagator is None:
            yield from self.predict_windows(pieces, sample)
            return
        frames = torch.cat(list(pieces))
        pred = join_windows(self.predict_windows([frames], sample))
        yield self.propagator(frames, pred, sample)

    def predict_windows(self, pieces: Iterable[Tensor],
                        sample: RVOSDataSample) -> Iterator[InstanceData]:
        """:meth:`stream` without propagator."""
        cfg, window, queries = self.test_cfg, self.test_cfg.window, None
        device = next(self.parameters()).device
        with cfg.precision(device):
            text = self.encode_text([sample.texts])
        if sample.get('valid_index') is not None:
            window = None  # one annotated frame, all are its context
        for frames, answered in cut_windows(pieces, window, cfg.overlap):
            with cfg.precision(device):
                pred = self.predict_window(frames, answered, text, sample,
                                           queries)
            if cfg.query == 'carried' and queries is None:
                queries = pred.queries
            pred.queries = pred.queries[:, None]
            yield pred

    def predict_window(self, frames: Tensor, answered: slice,
                       text: TextFeatures, sample: RVOSDataSample,
                       queries: Tensor | None) -> InstanceData:
        """All expressions of one window.

        Args:
            frames: (T, 3, H, W).
            answered: the frames whose masks are wanted.
            text: E expressions.
            sample: of the video.
            queries: (E,), the query sequences to take; None for the best.
        """
        clip = self.encode_clip(frames[None], image_sizes([sample]),
                                valid_indices([sample], frames))
        options = {}  # none for a clip that is not cut, which may be ranked
        if answered != slice(0, len(frames)):
            options['frames'] = answered
        if queries is not None:
            options['queries'] = queries
        return self.postprocessor(self.head, self.decode_chunks(clip, text),
                                  tuple(sample.ori_shape), **options)

    def decode_chunks(self, clip: ClipFeatures,
                      text: TextFeatures) -> Iterator[Predictions]:
        """Decode a few expressions at a time."""
        step = min(self.test_cfg.expressions_per_pass,
                   max(1, FRAMES_PER_PASS // clip.num_frames))
        for start in range(0, len(text.words), step):
            yield self.decode(clip, text.pairs(slice(start, start + step)))


def on_backbone_map(name: str, cfg: dict,
                    backbone_channels: Sequence[int]) -> dict:
    """The config of a head on one of the backbone's maps, with the channels
    of this map.

    Raises:
        ValueError: the backbone has no such map.
    """
    level = setting(cfg, 'level')
    if level not in range(len(backbone_channels)):
        raise ValueError(
            f'{name}.level={level!r} is not one of the '
            f'{len(backbone_channels)} maps of the backbone '
            f'(backbone_channels={tuple(backbone_channels)}): expected 0 to '
            f'{len(backbone_channels) - 1}')
    return derive(
        name, cfg,
        in_channels=(f'backbone_channels[{level}]', backbone_channels[level]))


@torch.no_grad()
def check_channels(backbone: nn.Module,
                   backbone_channels: Sequence[int]) -> None:
    """Compare ``backbone_channels`` with the maps of a blank frame.

    Raises:
        ValueError: the backbone returns other channels.
    """
    like = next(backbone.parameters())
    frames = like.new_zeros(1, 3, 64, 64)
    modes = [(module, module.training) for module in backbone.modules()]
    for module, _ in modes:  # no statistics change, no random numbers
        module.training = False
    temporal = getattr(backbone, 'temporal', False)
    maps = backbone(frames[None] if temporal else frames)
    for module, mode in modes:
        module.training = mode
    found = tuple(m.shape[1] for m in maps)
    if found != tuple(backbone_channels):
        raise ValueError(
            f'backbone_channels={tuple(backbone_channels)}, but the backbone '
            f'({type(backbone).__name__}) returns maps of {found} channels: '
            'set backbone_channels to these')


def run_backbone(backbone: nn.Module, frames: Tensor,
                 valid_index: Tensor | None,
                 channels_last: bool) -> tuple[Sequence[Tensor], int]:
    """The backbone's maps of the frames that are decoded.

    Args:
        frames: (B, T, 3, H, W).
        valid_index: (B,), the frame of each clip that is kept, or None.
        channels_last: memory order of the frames, for image backbones.

    Returns:
        (B*T, C_i, h_i, w_i) each; and T, which is 1 with a ``valid_index``.
    """
    batch, num_frames = frames.shape[:2]
    if getattr(backbone, 'temporal', False):
        maps = backbone(frames)
    else:
        frames = frames.flatten(0, 1)
        if channels_last:
            frames = frames.contiguous(memory_format=torch.channels_last)
        step = len(frames) if torch.is_grad_enabled() else BACKBONE_FRAMES
        maps = join_levels([backbone(part) for part in frames.split(step)])
    if valid_index is None:
        return maps, num_frames
    rows = valid_index + num_frames * torch.arange(
        batch, device=valid_index.device)
    return [m[rows] for m in maps], 1


def join_levels(parts: list[Sequence[Tensor]]) -> Sequence[Tensor]:
    """One batch of parts: (n, C_i, h_i, w_i) each; a level of the parts goes
    when it is joined."""
    if len(parts) == 1:
        return parts[0]
    levels = list(zip(*parts, strict=True))
    parts.clear()
    return [torch.cat(levels.pop(0)) for _ in range(len(levels))]


def stack_clips(inputs: Sequence[Tensor]) -> Tensor:
    """(B, T, 3, H, W).

    Raises:
        ValueError: clips differ in their number of frames.
    """
    lengths = [len(clip) for clip in inputs]
    if len(set(lengths)) > 1:
        raise ValueError('the clips of a batch need the same number of '
                         f'frames, got {lengths}: set num_frames in the '
                         'pipeline, or batch_size=1')
    return torch.stack(list(inputs))


def image_sizes(data_samples: Sequence[RVOSDataSample]) -> Tensor:
    """(B, 2) float on the CPU, (height, width) without padding."""
    return torch.tensor([s.img_shape[:2] for s in data_samples]).float()


def valid_indices(data_samples: Sequence[RVOSDataSample],
                  like: Tensor) -> Tensor | None:
    """(B,) position of the annotated frame, where clips have only one."""
    if data_samples[0].get('valid_index') is None:
        return None
    return torch.tensor([s.valid_index for s in data_samples],
                        device=like.device)


def collect_targets(data_samples: Sequence[RVOSDataSample],
                    like: Tensor) -> Targets:
    """Targets of a batch, masks padded to the size of ``like``."""
    height, width = like.shape[-2:]
    masks, boxes, valid, others = [], [], [], []

    def pad(mask: Tensor) -> Tensor:
        return F.pad(mask, (0, width - mask.shape[-1], 0,
                            height - mask.shape[-2]))

    for sample in data_samples:
        # with a valid_index the model decodes only that frame
        index = sample.get('valid_index')
        frames = slice(None) if index is None else [index]
        masks.append(pad(sample.gt.masks[:, frames]))
        if 'objects' in sample:
            objects = pad(sample.objects.masks[:, frames])
            others += [
                objects[[name not in own for name in sample.objects.obj_ids]]
                for own in sample.obj_ids
            ]
        boxes.append(sample.gt.boxes[:, frames])
        valid.append(sample.gt.valid[:, frames])
    return Targets(
        masks=torch.cat(masks),
        boxes=torch.cat(boxes),
        valid=torch.cat(valid),
        labels=torch.cat([sample.gt.labels for sample in data_samples]),
        others=others or None)

from abc import ABCMeta, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from mmengine.model import BaseModel
from torch import Tensor

from mmrvos.registry import MODELS, TASK_UTILS
from mmrvos.structures import RVOSDataSample

from ..checkpointing import enable_checkpointing
from ..chunks import WHOLE, Chunks
from ..derive import derive
from ..features import ClipFeatures, Predictions, Targets, TextFeatures
from .backbone_maps import check_channels
from .batch import image_sizes, stack_clips, valid_indices
from .inference_cfg import InferenceCfg
from .parts import Part
from .staged_training import StagedTraining, on_backbone_map
from .window_streaming import WindowStreaming


class BaseRVOSSegmentor(StagedTraining,
                        WindowStreaming,
                        BaseModel,
                        metaclass=ABCMeta):
    """Segment the objects that expressions refer to, in three steps.

    A method implements :meth:`encode_clip`, :meth:`encode_text` and
    :meth:`decode` and declares its ``parts``. The frames of a clip are
    encoded once for all its expressions.

    The config sets a shared width or count once, see :func:`derive`: parts
    get ``embed_dims``, and what follows from ``backbone_channels``, from here.

    Args:
        backbone: config of an image backbone that takes (B*T, 3, H, W), or
            of a video backbone that takes (B, T, 3, H, W) and has
            ``temporal = True``. It returns maps, fine to coarse, the first
            of stride 4. None for a method that encodes frames with a part of
            its own, which its class calls ``backbone``.
        backbone_channels: channels of these maps.
        text_encoder: config of the text encoder.
        head: config of the head.
        embed_dims: C, the width of the model behind the backbone.
        category_head, dense_head: configs of training-only heads on a map of
            the backbone and on the method's dense map (``Predictions.dense``),
            see :class:`CategoryHead` and :class:`DenseMaskHead`.
        channels_last: keep maps as (h, w, C) in memory, so that maps and
            tokens are views of each other; faster on a CPU, same numbers up
            to rounding.
        checkpointing: compute activations of backbone, encoder, pixel decoder
            and dynamic masks again in the backward pass instead of keeping
            them (activation checkpointing). Training takes less memory and
            more time; gradients are the same.
        test_cfg: see :class:`InferenceCfg`.
        data_preprocessor: config of the data preprocessor.
        init_cfg: as in MMEngine.

    Raises:
        ValueError: two keys of the config contradict each other, or the
            backbone returns other channels than ``backbone_channels``.
    """
    #: features under the padding of a frame have no effect
    masks_padding: ClassVar[bool] = True
    #: all child modules with parameters; a method adds its own
    parts: ClassVar[tuple[Part, ...]] = (
        Part('backbone', compiled=True),
        Part('text_encoder'),
        Part('head'),
        Part('category_head'),
        Part('dense_head'),
    )

    def __init__(self,
                 *,
                 backbone: dict | None,
                 backbone_channels: Sequence[int],
                 text_encoder: dict,
                 head: dict,
                 embed_dims: int = 256,
                 category_head: dict | None = None,
                 dense_head: dict | None = None,
                 channels_last: bool = False,
                 checkpointing: bool = False,
                 test_cfg: dict | None = None,
                 data_preprocessor: dict | None = None,
                 init_cfg: dict | None = None) -> None:
        # built here, since BaseModel looks in MMEngine's root registry
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
        if backbone is not None:
            self.backbone = MODELS.build(backbone)
            check_channels(self.backbone, backbone_channels)
        self.text_encoder = MODELS.build(
            derive('text_encoder', text_encoder, out_channels=width))
        self.channels_last = channels_last
        self.checkpointing = checkpointing
        self.test_cfg = InferenceCfg(**(test_cfg or {}))
        self.postprocessor = TASK_UTILS.build(self.test_cfg.postprocessor)
        self.propagator = self.test_cfg.propagator and TASK_UTILS.build(
            self.test_cfg.propagator)

    def train(self, mode: bool = True) -> 'BaseRVOSSegmentor':
        """Switch between training and testing; see ``nn.Module``."""
        if mode and self.checkpointing:
            enable_checkpointing(self)  # all parts are built by now
        return super().train(mode)

    @property
    def chunks(self) -> Chunks:
        """Limits of what is computed at once; none in training."""
        return WHOLE if self.training else self.test_cfg.chunks

    def compile_parts(self, **options) -> None:
        """Pass the parts that declare it to ``torch.compile``.

        Weights keep their names.

        Args:
            options: of :func:`torch.compile`.
        """
        for part in self.parts:
            if part.compiled:
                for _, module in part.modules(self):
                    module.compile(**options)

    @abstractmethod
    def encode_clip(self,
                    frames: Tensor,
                    image_sizes: Tensor,
                    valid_index: Tensor | None = None) -> ClipFeatures:
        """Encode frames without language.

        Args:
            frames: (B, T, 3, H, W), normalised and padded.
            image_sizes: (B, 2) float, (height, width) without padding; on the
                CPU, where Python code reads it.
            valid_index: (B,) long. All T frames pass through the backbone,
                then only this frame of each clip is kept and T becomes 1
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
        """Run a batch; MMEngine calls this.

        Args:
            inputs: (T, 3, H, W) of each video, normalised and padded to a
                common size.
            data_samples: their data samples.
            mode: 'loss' for the losses of the training stage, 'predict' for
                data samples with ``pred``, 'tensor' for plain predictions.
        """
        if mode == 'loss':
            return self.stage_losses(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'tensor':
            return self.decode(*self.encode(inputs, data_samples))
        raise ValueError("mode is 'loss', 'predict' or 'tensor', got "
                         f'{mode!r}')

    def encode(self, inputs: Sequence[Tensor],
               data_samples: Sequence[RVOSDataSample]
               ) -> tuple[ClipFeatures, TextFeatures]:
        """Encode the frames and the expressions of a batch."""
        clip = self.encode_clip(
            stack_clips(inputs), image_sizes(data_samples),
            valid_indices(data_samples, inputs[0]))
        return clip, self.encode_text([s.texts for s in data_samples])

    def loss(self, predictions: Predictions,
             targets: Targets) -> dict[str, Tensor]:
        """Compute the losses of the head and of the dense head, if any."""
        losses = self.head.loss(predictions, targets)
        if self.dense_head is not None:
            losses.update(self.dense_head.loss(predictions.dense, targets))
        return losses

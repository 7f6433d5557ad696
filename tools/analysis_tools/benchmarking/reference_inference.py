"""Let a model compute as the official implementations do."""
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from unittest.mock import patch

import torch
import torch.nn.functional as F
from mmcv.ops.multi_scale_deform_attn import (
    multi_scale_deformable_attn_pytorch,
)
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from mmrvos.models import BaseRVOSSegmentor
from mmrvos.models.chunks import WHOLE
from mmrvos.models.features import MultiscaleFeatures, QueryPredictions
from mmrvos.models.heads.dynamic_mask import DynamicMaskLayers
from mmrvos.models.heads.referring_head import ReferringHead, of_matched
from mmrvos.models.layers import (
    FeedForward,
    WinogradConv2d,
    deformable_attention,
    dropout,
    feed_forward,
)


@contextmanager
def reference_layers(model: BaseRVOSSegmentor) -> Iterator[None]:
    """Compute the same predictions and gradients, without optimisations.

    Inside the context:

    - the loss builds the masks of all queries with gradients;
    - dynamic convolutions read one copy of mask features and coordinates per
      query;
    - attention matrices are materialised and returned;
    - deformable attention on a CPU stacks the samples of all levels;
    - padding masks are made and applied even if nothing is padded;
    - feed-forward networks, dropout and convolutions are plain PyTorch.

    With dropout, other random numbers are drawn.
    """
    with ExitStack() as stack:

        def put(owner: object, name: str, new: object) -> None:
            stack.enter_context(patch.object(owner, name, new))

        stack.callback(torch.backends.mha.set_fastpath_enabled,
                       torch.backends.mha.get_fastpath_enabled())
        torch.backends.mha.set_fastpath_enabled(False)
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        put(deformable_attention, 'sample_levels',
            multi_scale_deformable_attn_pytorch)
        for module in (dropout, feed_forward):
            put(module, 'runs_on_cpu', lambda x: False)
        for module in model.modules():
            if isinstance(module, nn.MultiheadAttention):
                put(module, 'forward', with_weights(module.forward))
            elif isinstance(module, FeedForward):
                # mmcv changes the hidden layer in place, which costs a copy
                put(module.layers[0][1], 'inplace', False)
            elif isinstance(module, WinogradConv2d):
                put(module, 'applies', lambda x: False)
        put(model, 'channels_last', False)
        put(model, 'encode_clip', with_padding(model.encode_clip))
        put(model, 'decode_for_masks', model.decode)
        head = model.head
        if hasattr(head, 'dynamic_layers'):
            put(head, 'dynamic_layers', RepeatedFeatures(head.dynamic_layers))
        if hasattr(head, 'masks_for_loss'):
            put(head, 'masks_for_loss', with_all_gradients(head))
        yield


@contextmanager
def reference_inference(model: BaseRVOSSegmentor) -> Iterator[None]:
    """Compute the same masks from the same weights, without optimisations.

    Inside the context, in addition to :func:`reference_layers`:

    - masks of all decoder layers and all queries are built;
    - ``test_cfg.chunks`` has no limits.

    The caller must run one sentence at a time. Two differences favour the
    reference. On a CPU, feed-forward networks and the windows of Video Swin
    are processed in pieces that fit the cache. Video Swin makes one mask per
    group of windows, while the official code makes one per window.

    Args:
        model: its parameters require no gradients.
    """
    head = model.head
    every = EveryMask(head, getattr(model, 'inference_layer', -1))
    with ExitStack() as stack:
        stack.enter_context(reference_layers(model))
        for owner, name, new in (
            (model, 'test_cfg', replace(model.test_cfg, chunks=WHOLE)),
            (head, 'forward', every.forward),
            (head, 'masks', every.masks)):
            stack.enter_context(patch.object(owner, name, new))
        yield


def with_weights(forward: Callable) -> Callable:
    """Let an ``nn.MultiheadAttention`` compute and return its matrix."""
    return lambda *args, **kwargs: forward(
        *args, **(kwargs | dict(need_weights=True)))


def with_padding(encode_clip: Callable) -> Callable:
    """Add padding masks that are False everywhere."""

    def encode(*args, **kwargs) -> MultiscaleFeatures:
        clip = encode_clip(*args, **kwargs)
        if (not isinstance(clip, MultiscaleFeatures)
                or clip.padding is not None):
            return clip
        return replace(
            clip,
            padding=tuple(
                position.new_zeros(
                    len(clip.image_sizes), *position.shape[-2:],
                    dtype=torch.bool) for position in clip.positions))

    return encode


def with_all_gradients(head: ReferringHead) -> Callable:
    """Build the masks of all queries with their graph for the loss."""

    def masks_for_loss(predictions: QueryPredictions) -> tuple:
        masks = head.masks(predictions)
        return masks, partial(of_matched, masks)

    return masks_for_loss


class EveryMask:
    """Build the masks of all layers and queries with the predictions.

    Args:
        head: the model's head. Heads without queries (MLRL's) are not changed.
        layer: the decoder layer whose masks are used.
    """

    def __init__(self, head: nn.Module, layer: int) -> None:
        self.predict, self.build = head.forward, head.masks
        self.layer = layer
        self.built: list[Tensor] = []

    def forward(self, *args, **kwargs) -> object:
        self.built = []  # free the memory before the next masks are built
        predictions = self.predict(*args, **kwargs)
        if isinstance(predictions, QueryPredictions):
            self.built = [
                self.build(predictions, layer=layer)
                for layer in range(len(predictions.queries))
            ]
        return predictions

    def masks(self,
              predictions: object,
              layer: int | None = None,
              chosen: Tensor | None = None) -> Tensor:
        """Select from the masks that :meth:`forward` has built."""
        if not self.built:
            return self.build(predictions, layer=layer, chosen=chosen)
        masks = self.built[self.layer]
        if chosen is None:
            return masks
        pairs = torch.arange(len(chosen), device=chosen.device)
        return masks.transpose(2, 3)[:, pairs, chosen].unsqueeze(3)


class RepeatedFeatures(DynamicMaskLayers):
    """Apply grouped convolutions to one copy of the features per query.

    Args:
        layers: the layers to replace.
    """

    def __init__(self, layers: DynamicMaskLayers) -> None:
        super().__init__(layers.in_channels, layers.channels,
                         layers.relative_coords)

    def __call__(self,
                 features: Tensor,
                 params: Tensor,
                 centres: Tensor,
                 stride: int,
                 projection: None = None) -> Tensor:
        frames, num_queries = params.shape[:2]
        height, width = features.shape[-2:]
        x = features[:, None].expand(-1, num_queries, -1, -1, -1)
        if self.relative_coords:
            rows, columns = (
                torch.arange(side, device=x.device) * stride + stride // 2
                for side in (height, width))
            cells = torch.stack(torch.meshgrid(columns, rows, indexing='xy'))
            x = torch.cat((x, centres[..., None, None] - cells), dim=2)
        x = x.reshape(1, -1, height, width)
        groups = frames * num_queries
        *weights, b1, b2, b3 = params.flatten(0, 1).split(self.sizes, dim=-1)
        sizes = (self.channels, self.channels, 1)
        for index, (weight, bias, size) in enumerate(
                zip(weights, (b1, b2, b3), sizes, strict=True)):
            x = F.conv2d(
                x if index == 0 else x.relu(),
                weight.reshape(groups * size, -1, 1, 1),
                bias.reshape(-1),
                groups=groups)
        return x.view(frames, num_queries, height, width)

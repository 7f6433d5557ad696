from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor
from transformers import Sam2VideoModel

from mmrvos.registry import MODELS
from mmrvos.utils import apply_init_cfg

from ..layers import upsample
from .sam2_build import initialise, load_network, network_config

# Parameters of SAM 2 that get no gradient from a mask: those for other prompts
# and outputs, and the object score.
UNTRAINED = (
    'no_memory_positional_encoding',
    'mask_downsample.',
    'prompt_encoder.mask_embed.',
    'prompt_encoder.point_embed.',
    'prompt_encoder.shared_embedding.',
    'shared_image_embedding.',
    'mask_decoder.iou_prediction_head.',
    'mask_decoder.pred_obj_score_head.',
    'mask_decoder.output_hypernetworks_mlps.1.',
    'mask_decoder.output_hypernetworks_mlps.2.',
    'mask_decoder.output_hypernetworks_mlps.3.')
ABSENT = -1024.  # mask logit where SAM 2 predicts that there is no object


@dataclass
class DecodedFrame:
    """What the mask decoder predicts for one frame of P pairs.

    Args:
        masks: (P, 4G, 4G) logits of the square, stride 4.
        scores: (P,) logits, positive where there is an object.
        pointers: (P, C), object pointers.
        tokens: (P, C), mask tokens after the first decoder layer.
    """
    masks: Tensor
    scores: Tensor
    pointers: Tensor
    tokens: Tensor


@MODELS.register_module()
class SAM2Network(BaseModule):
    """SAM 2 (Ravi et al., 2024) of transformers, step by step.

    Frames are padded to a square of S pixels; G = S / 16 is the side of the
    coarse maps. The settings are those of SAM 2.0, not of 2.1.

    Args:
        arch: 'tiny', 'small', 'base-plus', 'large', or keys of
            ``transformers.Sam2HieraDetConfig``.
        image_size: S, a multiple of 32.
        embed_dims: C, a multiple of 64, the width of the memory.
        weights: name of a Hugging Face model, a folder, or an official
            checkpoint of SAM 2.0 (``sam2_hiera_tiny.pt``); None for random
            weights.
        pretrained: load ``weights``. False for a model that gets all its
            weights from a checkpoint.
        frozen: no gradients for the weights. Dropout stays active in
            training, as in the official code.
        object_scores: predict whether there is an object. False for the
            pretraining on images, where the score is always 10.
        config: other keys of ``transformers.Sam2VideoConfig``.

    Raises:
        ValueError: an option that is unknown or out of range, or weights that
            do not fit.
        OSError: ``weights`` can neither be found nor downloaded.
    """

    def __init__(self,
                 *,
                 arch: str | dict = 'tiny',
                 image_size: int = 1024,
                 embed_dims: int = 256,
                 weights: str | None = None,
                 pretrained: bool = True,
                 frozen: bool = True,
                 object_scores: bool = True,
                 config: dict | None = None,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.image_size = image_size
        self.embed_dims = embed_dims
        self.frozen = frozen
        self.object_scores = object_scores
        settings = network_config(arch, image_size, embed_dims, config or {})
        if weights is not None and pretrained:
            self.network = load_network(weights, settings)
        else:
            self.network = Sam2VideoModel(settings)
        if weights is None:
            initialise(self.network)
        if not object_scores:
            del self.network.no_object_pointer
            del self.network.mask_decoder.obj_score_token
            del self.network.mask_decoder.pred_obj_score_head
        for name, parameter in self.network.named_parameters():
            if frozen or name.startswith(UNTRAINED):
                parameter.requires_grad_(False)
        hiera = settings.vision_config.backbone_config
        self.channels = tuple(hiera.embed_dim_per_stage)
        self.num_maps = settings.num_maskmem - 1
        self.num_pointers = settings.max_object_pointers_in_encoder - 1

    @classmethod
    def without_downloads(cls, cfg: dict, vocabulary: Sequence[str]) -> None:
        """Change a config, in place, so that it builds random weights."""
        cfg['weights'] = None

    @classmethod
    def weights_from_checkpoint(cls, cfg: dict) -> None:
        """Change a config, in place, so that it loads no weights."""
        cfg['pretrained'] = False

    def init_weights(self) -> None:
        """Keep the weights of transformers."""
        apply_init_cfg(self)

    # ---- image encoder

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Encode frames up to the second stage of Hiera.

        Args:
            frames: (n, 3, S, S).

        Returns:
            The map of stride 4 for the mask decoder, (n, C/8, 4G, 4G), and
            the map of the second stage, (n, C_1, 2G, 2G).
        """
        with torch.set_grad_enabled(torch.is_grad_enabled()
                                    and not self.frozen):
            x = self.run_stage(0, self.embed(frames))
            fine = self.network.mask_decoder.conv_s0(self.project(0, x))
            return fine, self.run_stage(1, x)

    def embed(self, frames: Tensor) -> Tensor:
        """Embed the patches of frames (n, 3, S, S) with their positions."""
        hiera = self.network.vision_encoder.backbone
        x = hiera.patch_embed(frames)
        x = x + hiera._get_pos_embed(x.shape[1:3])
        return x.permute(0, 3, 1, 2)

    def run_stages(self, frames: Tensor) -> list[Tensor]:
        """Run all stages; (n, C_i, h_i, w_i), of strides 4 to 32."""
        maps = [self.embed(frames)]
        for stage in range(len(self.channels)):
            maps.append(self.run_stage(stage, maps[-1]))
        return maps[1:]

    def run_stage(self, stage: int, x: Tensor) -> Tensor:
        """Run the blocks of one stage.

        Args:
            stage: 0 to 3.
            x: (n, C', h, w), the map before.

        Returns:
            (n, C_stage, h', w'), half the size from the second stage on.
        """
        hiera = self.network.vision_encoder.backbone
        ends = [0, *(end + 1 for end in hiera.stage_ends)]
        x = x.permute(0, 2, 3, 1)
        for block in hiera.blocks[ends[stage]:ends[stage + 1]]:
            x = block(x)
        return x.permute(0, 3, 1, 2)

    def project(self, stage: int, x: Tensor) -> Tensor:
        """Project the map of a stage to C channels, as the neck does."""
        return self.network.vision_encoder.neck.convs[3 - stage](x)

    def combine(self, maps: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Combine the maps of the last three stages.

        Args:
            maps: (n, C_i, h_i, w_i), of strides 8, 16 and 32.

        Returns:
            The map of stride 8 for the mask decoder, (n, C/4, 2G, 2G), and
            the features of the frames, (n, C, G, G).
        """
        fine, middle, coarse = (
            self.project(stage, x) for stage, x in enumerate(maps, 1))
        middle = middle + F.interpolate(coarse, scale_factor=2.)
        return self.network.mask_decoder.conv_s1(fine), middle

    # ---- memory

    def without_memory(self, features: Tensor) -> Tensor:
        """Mark features (P, C, G, G) as those of a frame without memory."""
        return features + self.network.no_memory_embedding.view(1, -1, 1, 1)

    def with_memory(self, features: Tensor, maps: Sequence[Tensor],
                    pointers: Sequence[Tensor]) -> Tensor:
        """Let the features of a frame attend to those of earlier frames.

        Args:
            features: (P, C, G, G).
            maps: (P, M, G, G) each, memory of the latest frames, oldest
                first, at most ``num_maps``.
            pointers: (P, C) each, object pointers, newest first, at most
                ``num_pointers``.

        Returns:
            (P, C, G, G).
        """
        network = self.network
        width = maps[0].shape[1]
        place = network.memory_encoder.position_encoding(
            maps[0].shape, features.device, features.dtype)
        memory, positions = [], []
        for age, x in zip(range(len(maps), 0, -1), maps, strict=True):
            time = network.memory_temporal_positional_encoding[age - 1]
            memory.append(x.flatten(2).permute(2, 0, 1))
            positions.append(place.flatten(2).permute(2, 0, 1) + time)
        # a pointer is C / M tokens of M channels
        tokens = torch.stack(list(pointers)).unflatten(-1, (-1, width))
        tokens = tokens.transpose(1, 2).flatten(0, 1)
        memory.append(tokens)
        positions.append(torch.zeros_like(tokens))
        position = network.vision_encoder.neck.position_encoding(
            features.shape, features.device, features.dtype)
        attended = network.memory_attention(
            current_vision_features=features.flatten(2).permute(2, 0, 1),
            current_vision_position_embeddings=position.flatten(2).permute(
                2, 0, 1),
            memory=torch.cat(memory),
            memory_posision_embeddings=torch.cat(positions),
            num_object_pointer_tokens=len(tokens))
        # (1, P, G*G, C)
        return attended[0].transpose(1, 2).reshape(features.shape)

    def encode_memory(self, features: Tensor, masks: Tensor) -> Tensor:
        """Encode a frame with its mask for the memory.

        transformers' own ``_encode_new_memory`` rounds to bfloat16.

        Args:
            features: (P, C, G, G), without memory.
            masks: (P, S, S) logits.

        Returns:
            (P, M, G, G).
        """
        config = self.network.config
        masks = (masks.sigmoid() * config.sigmoid_scale_for_mem_enc +
                 config.sigmoid_bias_for_mem_enc)
        return self.network.memory_encoder(features, masks[:, None])[0]

    # ---- mask decoder

    @property
    def no_prompt(self) -> Tensor:
        """Embedding of a prompt that is missing, (1, C)."""
        return self.network.prompt_encoder.not_a_point_embed.weight

    def decode(self, features: Tensor, fine: Sequence[Tensor],
               prompts: Tensor) -> DecodedFrame:
        """Predict the mask of some prompts.

        transformers' mask decoder returns neither the token of the first
        layer nor a mask without the object score, so its parts are called.

        Args:
            features: (P, C, G, G), with or without memory.
            fine: maps for the mask decoder: (P, C/8, 4G, 4G) and
                (P, C/4, 2G, 2G).
            prompts: (P, K, C), K tokens per pair.
        """
        decoder = self.network.mask_decoder
        prompt = self.network.prompt_encoder
        first = int(self.object_scores)  # place of the IoU token
        tokens = [decoder.iou_token.weight, decoder.mask_tokens.weight,
                  *[self.no_prompt] * 2]
        if self.object_scores:
            tokens.insert(0, decoder.obj_score_token.weight)
        tokens = torch.cat(tokens).expand(len(features), -1, -1)
        tokens = torch.cat([tokens, prompts], dim=1)[:, None]
        x = features + prompt.no_mask_embed.weight.view(1, -1, 1, 1)
        x = x.flatten(2).transpose(1, 2)[:, None]  # (P, 1, G*G, C)
        place = self.network.get_image_wide_positional_embeddings()
        place = place.flatten(2).transpose(1, 2)[:, None]
        queries, early = tokens, None
        for layer in decoder.transformer.layers:
            queries, x, _ = layer(
                queries=queries,
                keys=x,
                query_point_embedding=tokens,
                key_point_embedding=place,
                attention_similarity=None)
            early = queries if early is None else early
        attended, _ = decoder.transformer.final_attn_token_to_image(
            query=queries + tokens, key=x + place, value=x)
        queries = decoder.transformer.layer_norm_final_attn(
            queries + attended)[:, 0]
        token = queries[:, first + 1]
        masks = self.mask_of(token, x[:, 0], fine)
        pointers = self.network.object_pointer_proj(token)
        if self.object_scores:
            scores = decoder.pred_obj_score_head(queries[:, 0])[:, 0]
            present = (scores > 0)[:, None]
            pointers = torch.where(present, pointers,
                                   self.network.no_object_pointer)
            if not self.training:
                masks = torch.where(present[..., None], masks, ABSENT)
        else:
            scores = queries.new_full((len(queries), ), 10.)
        return DecodedFrame(
            masks=masks,
            scores=scores,
            pointers=pointers,
            tokens=early[:, 0, first + 1])

    def mask_of(self, token: Tensor, x: Tensor,
                fine: Sequence[Tensor]) -> Tensor:
        """Build the mask of a token.

        Args:
            token: (P, C).
            x: (P, G*G, C), pixels after the decoder.
            fine: see :meth:`decode`.

        Returns:
            (P, 4G, 4G) logits.
        """
        decoder = self.network.mask_decoder
        side = self.image_size // 16
        x = x.transpose(1, 2).unflatten(2, (side, side))
        x = decoder.upscale_conv1(x) + fine[1]
        x = decoder.activation(decoder.upscale_layer_norm(x))
        x = decoder.activation(decoder.upscale_conv2(x) + fine[0])
        kernel = decoder.output_hypernetworks_mlps[0](token)
        return torch.einsum('pc,pchw->phw', kernel, x)

    def to_square(self, masks: Tensor) -> Tensor:
        """Resize mask logits (..., 4G, 4G) to the pixels (..., S, S)."""
        return upsample(masks.float(), (self.image_size, ) * 2)

import torch
from mmdet.models.layers import inverse_sigmoid
from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn

from mmrvos.registry import MODELS
from mmrvos.utils import apply_init_cfg

from ..derive import derive
from ..layers import (
    DeformableDecoderLayer,
    Memory,
    init_deformable,
    layer_cfgs,
)


def refine(delta: Tensor, reference: Tensor) -> Tensor:
    """Add a predicted delta to a reference in logit space.

    Args:
        delta: (..., 4).
        reference: (..., 2 or 4) in [0, 1]; a point is only a centre, so
            width and height are those of ``delta`` alone.

    Returns:
        (..., 4) in [0, 1], (cx, cy, w, h); float32 in any precision of the
        model, because bf16 has steps of 1/256 between 0.5 and 1.
    """
    base = inverse_sigmoid(reference.float(), eps=1e-5)
    if base.shape[-1] == 2:
        base = nn.functional.pad(base, (0, 2))
    return (delta.float() + base).sigmoid()


@MODELS.register_module()
class LanguageQueryDecoder(BaseModule):
    """ReferFormer's decoder with language queries.

    The sentence is the content of all queries. N learned embeddings are their
    positions, the same in all frames. Frames are decoded independently
    (ReferFormer, section 3.3), unless ``inter_frame`` mixes them.

    Args:
        num_queries: N, queries per frame.
        num_layers: D.
        embed_dims: C.
        num_heads, num_levels, num_points: of deformable attention.
        feedforward_channels: width of the feed-forward network.
        dropout: after attention and inside the feed-forward network.
        inter_frame: config of a layer after each decoder layer with attention
            across frames, see :class:`InterFrameLayer`; it gets
            ``embed_dims``. None for no such layer.

    Raises:
        ValueError: ``inter_frame`` sets another ``embed_dims``.
    """

    def __init__(self,
                 *,
                 num_queries: int = 5,
                 num_layers: int = 4,
                 embed_dims: int = 256,
                 num_heads: int = 8,
                 num_levels: int = 4,
                 num_points: int = 4,
                 feedforward_channels: int = 2048,
                 dropout: float = 0.1,
                 inter_frame: dict | None = None,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        cross, ffn = layer_cfgs(embed_dims, num_heads, num_levels, num_points,
                                feedforward_channels, dropout)
        own = dict(
            embed_dims=embed_dims,
            num_heads=num_heads,
            attn_drop=dropout,
            proj_drop=dropout,
            batch_first=True)
        self.layers = ModuleList(
            DeformableDecoderLayer(
                self_attn_cfg=dict(own),
                cross_attn_cfg=dict(cross),
                ffn_cfg=dict(ffn)) for _ in range(num_layers))
        self.inter_frame = inter_frame and ModuleList(
            MODELS.build(
                derive('decoder.inter_frame', inter_frame,
                       embed_dims=('decoder.embed_dims', embed_dims)))
            for _ in range(num_layers))
        self.query_embed = nn.Embedding(num_queries, embed_dims)
        self.reference_points = nn.Linear(embed_dims, 2)

    def init_weights(self) -> None:
        init_deformable(self.layers)
        for layer in self.inter_frame or ():
            layer.init_weights()
        nn.init.normal_(self.query_embed.weight)
        nn.init.xavier_uniform_(self.reference_points.weight)
        nn.init.zeros_(self.reference_points.bias)
        apply_init_cfg(self)

    def forward(self, sentence: Tensor, memory: Memory, num_frames: int,
                box_branches: nn.ModuleList | None
                ) -> tuple[Tensor, Tensor, Tensor]:
        """Decode N queries in every frame.

        Args:
            sentence: (P, C).
            memory: of P*T frames.
            num_frames: T.
            box_branches: box predictors of the head, one per layer, that
                refine the references; None keeps the initial points.

        Returns:
            Queries (D, P, T, N, C); initial references (P, T, N, 2);
            references after each layer (D, P, T, N, 4), or (D, P, T, N, 2)
            without refinement. The latter are detached.
        """
        num_clips, num_queries = len(sentence), self.query_embed.num_embeddings
        shape = (num_clips * num_frames, num_queries, -1)
        queries = sentence[:, None, None].expand(
            -1, num_frames, num_queries, -1).reshape(shape)
        positions = self.query_embed.weight.expand(shape)
        with torch.autocast(positions.device.type, enabled=False):
            initial = self.reference_points(positions).sigmoid()

        references, all_queries, all_references = initial, [], []
        for index, layer in enumerate(self.layers):
            # one reference per level, relative to the padded maps
            scale = memory.valid_ratios.repeat(
                1, 1, references.shape[-1] // 2)[:, None]
            queries = layer(
                queries,
                value=memory.tokens,
                query_pos=positions,
                key_padding_mask=memory.padding,
                reference_points=references[:, :, None] * scale,
                shapes=memory.shapes,
                max_queries=memory.chunks.queries)
            if self.inter_frame is not None:
                queries = self.inter_frame[index](queries, num_frames,
                                                  references)
            if box_branches is not None:
                references = refine(box_branches[index](queries),
                                    references).detach()
            all_queries.append(queries)
            all_references.append(references)

        def unfold(x: Tensor) -> Tensor:
            return x.unflatten(-3, (num_clips, num_frames))

        return (unfold(torch.stack(all_queries)), unfold(initial),
                unfold(torch.stack(all_references)))

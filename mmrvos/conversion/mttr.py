"""Key names of the official MTTR checkpoints."""
from torch import Tensor

from .backbones import backbone_rules
from .key_map import Report, Rule, convert_keys
from .soc import SPATIAL_DECODER_RULES

ENCODER = r'transformer\.encoder\.layers\.(\d)\.'
DECODER = r'transformer\.decoder\.layers\.(\d)\.'

RULES = [
    Rule(r'vid_embed_proj\.(.+)', r'projection.\1'),
    Rule(
        r'transformer\.text_encoder\.embeddings\.position_ids',
        None,
        'a constant that current transformers computes',
        optional=True),
    Rule(r'transformer\.text_encoder\.(?!embeddings\.position_ids)(.+)',
         r'text_encoder.model.\1'),
    Rule(r'transformer\.txt_proj\.fc\.(.+)',
         r'text_encoder.projection.0.\1'),
    Rule(r'transformer\.txt_proj\.layer_norm\.(.+)',
         r'text_encoder.projection.1.\1'),
    Rule(rf'{ENCODER}self_attn\.(.+)', r'transformer.encoder.\1.attention.\2'),
    Rule(rf'{ENCODER}norm1\.(.+)',
         r'transformer.encoder.\1.attention_norm.\2'),
    Rule(rf'{ENCODER}linear1\.(.+)',
         r'transformer.encoder.\1.ffn.layers.0.0.\2'),
    Rule(rf'{ENCODER}linear2\.(.+)',
         r'transformer.encoder.\1.ffn.layers.1.\2'),
    Rule(rf'{ENCODER}norm2\.(.+)', r'transformer.encoder.\1.ffn_norm.\2'),
    Rule(rf'{DECODER}self_attn\.(.+)', r'transformer.decoder.\1.self_attn.\2'),
    Rule(rf'{DECODER}norm1\.(.+)', r'transformer.decoder.\1.self_norm.\2'),
    Rule(rf'{DECODER}multihead_attn\.(.+)',
         r'transformer.decoder.\1.attention.\2'),
    Rule(rf'{DECODER}norm2\.(.+)',
         r'transformer.decoder.\1.attention_norm.\2'),
    Rule(rf'{DECODER}linear1\.(.+)',
         r'transformer.decoder.\1.ffn.layers.0.0.\2'),
    Rule(rf'{DECODER}linear2\.(.+)',
         r'transformer.decoder.\1.ffn.layers.1.\2'),
    Rule(rf'{DECODER}norm3\.(.+)', r'transformer.decoder.\1.ffn_norm.\2'),
    Rule(r'transformer\.decoder\.norm\.(.+)', r'transformer.norm.\1'),
    Rule(r'obj_queries\.(.+)', r'transformer.query_embed.\1'),
    Rule(r'is_referred_head\.(.+)', r'head.scores.\1'),
    Rule(r'instance_kernels_head\.(.+)', r'head.kernels.\1'),
    *SPATIAL_DECODER_RULES,
]


def convert(state_dict: dict[str, Tensor]
            ) -> tuple[dict[str, Tensor], Report]:
    """Rename official MTTR weights to our keys.

    Raises:
        ValueError: the keys are not those of MTTR.
    """
    body = any(key.startswith('backbone.body.') for key in state_dict)
    prefix = 'backbone.body.' if body else 'backbone.'
    rules = backbone_rules(state_dict, prefix) + RULES
    return convert_keys(state_dict, rules, 'MTTR')

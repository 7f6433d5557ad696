"""Key names of the official ReferFormer checkpoints."""
import torch
from torch import Tensor

from .backbones import backbone_rules
from .key_map import Report, Rule, convert_keys, shifted

# The official decoder layer calls its norms in the order 2, 1, 3.
DECODER_NORMS = {'norm2': 0, 'norm1': 1, 'norm3': 2}
WB = r'(?P<wb>weight|bias)'

# MUTR has the pooler and does not use it.
POOLER_RULE = Rule(
    r'text_encoder\.(pooler\..+)', r'text_encoder.model.\1', optional=True)

# Keys that ReferFormer and SOC share: SOC is built on ReferFormer.
SHARED_RULES = [
    Rule(r'input_proj\.(\d)\.0\.(weight|bias)', r'projections.\1.conv.\2'),
    Rule(r'input_proj\.(\d)\.1\.(weight|bias)', r'projections.\1.gn.\2'),
    Rule(
        r'text_encoder\.embeddings\.position_ids',
        None,
        'a constant that current transformers computes',
        optional=True),
    Rule(r'text_encoder\.(?!embeddings\.position_ids|pooler\.)(.+)',
         r'text_encoder.model.\1'),
    POOLER_RULE,
    Rule(r'query_embed\.weight', 'decoder.query_embed.weight'),
    Rule(r'transformer\.level_embed', 'encoder.level_embed'),
    Rule(r'transformer\.reference_points\.(.+)',
         r'decoder.reference_points.\1'),
    Rule(r'transformer\.encoder\.layers\.(\d+)\.self_attn\.(.+)',
         r'encoder.layers.\1.self_attn.\2'),
    Rule(rf'transformer\.encoder\.layers\.(?P<l>\d+)\.norm(?P<n>\d)\.{WB}',
         shifted('encoder.layers.{l}.norms.{n}.{wb}', n=-1)),
    Rule(r'transformer\.encoder\.layers\.(\d+)\.linear1\.(.+)',
         r'encoder.layers.\1.ffn.layers.0.0.\2'),
    Rule(r'transformer\.encoder\.layers\.(\d+)\.linear2\.(.+)',
         r'encoder.layers.\1.ffn.layers.1.\2'),
    Rule(r'transformer\.decoder\.layers\.(\d+)\.self_attn\.(.+)',
         r'decoder.layers.\1.self_attn.attn.\2'),
    Rule(r'transformer\.decoder\.layers\.(\d+)\.cross_attn\.(.+)',
         r'decoder.layers.\1.cross_attn.\2'),
    Rule(
        r'transformer\.decoder\.layers\.(\d+)\.(norm\d)\.(.+)',
        lambda m: f'decoder.layers.{m[1]}.norms.{DECODER_NORMS[m[2]]}.{m[3]}'),
    Rule(r'transformer\.decoder\.layers\.(\d+)\.linear1\.(.+)',
         r'decoder.layers.\1.ffn.layers.0.0.\2'),
    Rule(r'transformer\.decoder\.layers\.(\d+)\.linear2\.(.+)',
         r'decoder.layers.\1.ffn.layers.1.\2'),
    Rule(
        r'transformer\.decoder\.bbox_embed\..+',
        None,
        'the same tensors as bbox_embed',
        optional=True),
    Rule(r'bbox_embed\.(\d+)\.(.+)', r'head.box_branches.\1.\2'),
    Rule(r'class_embed\.(\d+)\.(.+)', r'head.class_branches.\1.\2'),
    Rule(r'controller\.(.+)', r'head.controller.\1'),
]
RULES = [
    *SHARED_RULES,
    Rule(r'fusion_module\.multihead_attn\.(.+)', r'fusion.attention.\1'),
    Rule(r'resizer\.fc\.(.+)', r'text_encoder.projection.0.\1'),
    Rule(r'resizer\.layer_norm\.(.+)', r'text_encoder.projection.1.\1'),
    Rule(r'pixel_decoder\.adapter_(?P<k>\d)\.weight',
         shifted('pixel_decoder.laterals.{k}.conv.weight', k=-1)),
    Rule(rf'pixel_decoder\.adapter_(?P<k>\d)\.norm\.{WB}',
         shifted('pixel_decoder.laterals.{k}.gn.{wb}', k=-1)),
    Rule(r'pixel_decoder\.layer_(?P<k>\d)\.weight',
         shifted('pixel_decoder.outputs.{k}.conv.weight', k=-1)),
    Rule(rf'pixel_decoder\.layer_(?P<k>\d)\.norm\.{WB}',
         shifted('pixel_decoder.outputs.{k}.gn.{wb}', k=-1)),
    Rule(r'pixel_decoder\.cross_attn_(?P<k>\d)\.self_attn\.(?P<rest>.+)',
         shifted('pixel_decoder.blocks.{k}.self_attn.{rest}', k=-1)),
    Rule(r'pixel_decoder\.cross_attn_(?P<k>\d)\.multihead_attn\.(?P<rest>.+)',
         shifted('pixel_decoder.blocks.{k}.text_attn.{rest}', k=-1)),
    Rule(rf'pixel_decoder\.cross_attn_(?P<k>\d)\.linear1\.{WB}',
         shifted('pixel_decoder.blocks.{k}.ffn.layers.0.0.{wb}', k=-1)),
    Rule(rf'pixel_decoder\.cross_attn_(?P<k>\d)\.linear2\.{WB}',
         shifted('pixel_decoder.blocks.{k}.ffn.layers.1.{wb}', k=-1)),
    Rule(rf'pixel_decoder\.cross_attn_(?P<k>\d)\.norm(?P<n>\d)\.{WB}',
         shifted('pixel_decoder.blocks.{k}.norms.{n}.{wb}', k=-1, n=-1)),
    Rule(r'pixel_decoder\.mask_features\.(.+)',
         r'pixel_decoder.mask_features.\1'),
]


def check_twins(state_dict: dict[str, Tensor]) -> None:
    """Check the two copies of the box heads; the decoder stores one of them.

    Raises:
        ValueError: the two copies differ.
    """
    for key, value in state_dict.items():
        twin = f'transformer.decoder.{key}'
        if twin in state_dict and not torch.equal(state_dict[twin], value):
            raise ValueError(f'{key} and {twin} must be the same tensor, but '
                             'their values differ: the file is damaged')


def convert(state_dict: dict[str, Tensor]
            ) -> tuple[dict[str, Tensor], Report]:
    """Rename official ReferFormer weights to our keys.

    Raises:
        ValueError: the keys are not those of ReferFormer, or the two copies
            of the box heads differ.
    """
    check_twins(state_dict)
    rules = backbone_rules(state_dict, 'backbone.0.body.') + RULES
    return convert_keys(state_dict, rules, 'ReferFormer')

"""Key names of the official SOC checkpoints."""
from torch import Tensor

from .backbones import backbone_rules
from .key_map import Report, Rule, convert_keys, shifted
from .referformer import SHARED_RULES, WB, check_twins

# MTTR has the same decoder without the last step.
SPATIAL_DECODER_RULES = [
    Rule(rf'spatial_decoder\.lay1\.{WB}',
         r'pixel_decoder.first.conv.\g<wb>'),
    Rule(rf'spatial_decoder\.gn1\.{WB}', r'pixel_decoder.first.gn.\g<wb>'),
    Rule(rf'spatial_decoder\.lay(?P<k>[2-5])\.{WB}',
         shifted('pixel_decoder.outputs.{k}.conv.{wb}', k=-2)),
    Rule(rf'spatial_decoder\.gn(?P<k>[2-5])\.{WB}',
         shifted('pixel_decoder.outputs.{k}.gn.{wb}', k=-2)),
    Rule(rf'spatial_decoder\.adapter(?P<k>\d)\.{WB}',
         shifted('pixel_decoder.laterals.{k}.{wb}', k=-1)),
    Rule(r'spatial_decoder\.out_lay\.(.+)',
         r'pixel_decoder.mask_features.\1'),
]

def cluster_rules(name: str) -> list[Rule]:
    """List the rules of the module that aggregates the queries of all frames.

    SOC and MUTR have the same keys for encoder, decoder and positions.

    Args:
        name: prefix of the official keys.
    """
    rules = [
        # encoder: self-attention, then feed-forward network
        (r'enc_self_attn\.(\d)\.self_attn\.(.+)', r'encoder.\1.self_attn.\2'),
        (r'enc_self_attn\.(\d)\.norm\.(.+)', r'encoder.\1.norm1.\2'),
        (r'enc_ffn\.(\d)\.(linear\d\..+)', r'encoder.\1.\2'),
        (r'enc_ffn\.(\d)\.norm\.(.+)', r'encoder.\1.norm2.\2'),
        # decoder: cross-attention, self-attention, feed-forward network
        (r'transformer_cross_attention_layers\.(\d)\.multihead_attn\.(.+)',
         r'decoder.\1.cross_attn.attn.\2'),
        (r'transformer_cross_attention_layers\.(\d)\.norm\.(.+)',
         r'decoder.\1.norms.0.\2'),
        (r'transformer_self_attention_layers\.(\d)\.self_attn\.(.+)',
         r'decoder.\1.self_attn.attn.\2'),
        (r'transformer_self_attention_layers\.(\d)\.norm\.(.+)',
         r'decoder.\1.norms.1.\2'),
        (r'transformer_ffn_layers\.(\d)\.linear1\.(.+)',
         r'decoder.\1.ffn.layers.0.0.\2'),
        (r'transformer_ffn_layers\.(\d)\.linear2\.(.+)',
         r'decoder.\1.ffn.layers.1.\2'),
        (r'transformer_ffn_layers\.(\d)\.norm\.(.+)',
         r'decoder.\1.norms.2.\2'),
        (r'decoder_norm\.(.+)', r'norm.\1'),
        (r'fq_pos\.(.+)', r'frame_embed.\1'),
        (r'query_embed\.(.+)', r'video_embed.\1'),
    ]
    return [
        Rule(rf'{name}\.{pattern}', f'cluster.{target}')
        for pattern, target in rules
    ]


RULES = [
    *SHARED_RULES,
    Rule(r'vlf\.multihead_attn\.(.+)', r'fusion.vision.attention.\1'),
    Rule(r'lvf\.multihead_attn\.(.+)', r'fusion.language.\1'),
    Rule(r'txt_proj\.fc\.(.+)', r'text_encoder.projection.0.\1'),
    Rule(r'txt_proj\.layer_norm\.(.+)', r'text_encoder.projection.1.\1'),
    *cluster_rules('voc'),
    *SPATIAL_DECODER_RULES,
]


def convert(state_dict: dict[str, Tensor]
            ) -> tuple[dict[str, Tensor], Report]:
    """Rename official SOC weights to our keys.

    Raises:
        ValueError: the keys are not those of SOC, or the two copies of the
            box heads differ.
    """
    check_twins(state_dict)
    rules = backbone_rules(state_dict, 'backbone.0.body.') + RULES
    return convert_keys(state_dict, rules, 'SOC')

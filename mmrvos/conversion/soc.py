"""Key names of the official SOC checkpoints."""
from torch import Tensor

from .backbones import backbone_rules
from .key_map import Report, Rule, convert_keys, shifted
from .referformer import SHARED_RULES, WB, check_twins

VOC = {
    'transformer_cross_attention_layers': 'cross_attn',
    'transformer_self_attention_layers': 'self_attn',
}

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

RULES = [
    *SHARED_RULES,
    Rule(r'vlf\.multihead_attn\.(.+)', r'fusion.vision.attention.\1'),
    Rule(r'lvf\.multihead_attn\.(.+)', r'fusion.language.\1'),
    Rule(r'txt_proj\.fc\.(.+)', r'text_encoder.projection.0.\1'),
    Rule(r'txt_proj\.layer_norm\.(.+)', r'text_encoder.projection.1.\1'),
    # encoder of the cluster: self-attention, then feed-forward network
    Rule(r'voc\.enc_self_attn\.(\d)\.self_attn\.(.+)',
         r'cluster.encoder.\1.self_attn.\2'),
    Rule(r'voc\.enc_self_attn\.(\d)\.norm\.(.+)',
         r'cluster.encoder.\1.norm1.\2'),
    Rule(r'voc\.enc_ffn\.(\d)\.(linear\d\..+)', r'cluster.encoder.\1.\2'),
    Rule(r'voc\.enc_ffn\.(\d)\.norm\.(.+)', r'cluster.encoder.\1.norm2.\2'),
    # decoder: cross-attention, self-attention, feed-forward network
    Rule(
        r'voc\.(transformer_\w+_attention_layers)\.(\d)\.\w+_attn\.(.+)',
        lambda m: f'cluster.decoder.{m[2]}.{VOC[m[1]]}.attn.{m[3]}'),
    Rule(r'voc\.transformer_cross_attention_layers\.(\d)\.norm\.(.+)',
         r'cluster.decoder.\1.norms.0.\2'),
    Rule(r'voc\.transformer_self_attention_layers\.(\d)\.norm\.(.+)',
         r'cluster.decoder.\1.norms.1.\2'),
    Rule(r'voc\.transformer_ffn_layers\.(\d)\.linear1\.(.+)',
         r'cluster.decoder.\1.ffn.layers.0.0.\2'),
    Rule(r'voc\.transformer_ffn_layers\.(\d)\.linear2\.(.+)',
         r'cluster.decoder.\1.ffn.layers.1.\2'),
    Rule(r'voc\.transformer_ffn_layers\.(\d)\.norm\.(.+)',
         r'cluster.decoder.\1.norms.2.\2'),
    Rule(r'voc\.decoder_norm\.(.+)', r'cluster.norm.\1'),
    Rule(r'voc\.fq_pos\.(.+)', r'cluster.frame_embed.\1'),
    Rule(r'voc\.query_embed\.(.+)', r'cluster.video_embed.\1'),
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

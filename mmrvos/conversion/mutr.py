"""Key names of the official MUTR checkpoints."""
from torch import Tensor

from . import referformer
from .backbones import backbone_rules
from .key_map import Report, Rule, convert_keys
from .soc import cluster_rules

# The fusion of ReferFormer is a part of ours, and there is no pooler.
REPLACED = {
    r'fusion_module\.multihead_attn\.(.+)':
    Rule(r'fusion_module\.multihead_attn\.(.+)',
         r'fusion.vision.attention.\1'),
    referformer.POOLER_RULE.pattern:
    Rule(
        referformer.POOLER_RULE.pattern,
        None,
        'MUTR does not use the pooled sentence',
        optional=True),
}
RULES = [
    *(REPLACED.get(rule.pattern, rule) for rule in referformer.RULES),
    Rule(r'MTA\.layers\.0\.multihead_attn\.(.+)',
         r'fusion.aggregation.attention.\1'),
    Rule(r'MTA\.layers\.0\.norm1\.(.+)',
         r'fusion.aggregation.attention_norm.\1'),
    Rule(r'MTA\.layers\.0\.linear1\.(.+)',
         r'fusion.aggregation.ffn.layers.0.0.\1'),
    Rule(r'MTA\.layers\.0\.linear2\.(.+)',
         r'fusion.aggregation.ffn.layers.1.\1'),
    Rule(r'MTA\.layers\.0\.norm2\.(.+)', r'fusion.aggregation.ffn_norm.\1'),
    *cluster_rules('mti'),
    Rule(r'mti\.query_feat\.(.+)', r'cluster.start.\1'),
]


def convert(state_dict: dict[str, Tensor]
            ) -> tuple[dict[str, Tensor], Report]:
    """Rename official MUTR weights to our keys.

    Raises:
        ValueError: the keys are not those of MUTR, or the two copies of the
            box heads differ.
    """
    referformer.check_twins(state_dict)
    rules = backbone_rules(state_dict, 'backbone.0.body.') + RULES
    return convert_keys(state_dict, rules, 'MUTR')

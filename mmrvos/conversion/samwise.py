"""Key names of the official SAMWISE checkpoints."""
import torch
from torch import Tensor

from . import sam2
from .key_map import Report, Rule, convert_keys
from .sam2 import WB, prefixed

NETWORK = 'sam2.network.'
TEXT = 'text_encoder.model.'
WORDS = f'{TEXT}embeddings.word_embeddings.weight'
NORM = f'{TEXT}embeddings.LayerNorm.weight'
TYPES = f'{TEXT}embeddings.token_type_embeddings.weight'
SENTENCES = r'text_encoder\.model\.encoder\.sentence_encoder\.'
LAYER = SENTENCES + r'layers\.(\d+)\.'
ADAPTER = r'cmt_adapters\.([0-2])\.'
MEMORY = r'conditional_memory_encoder\.'
PROJECTIONS = dict(q='query', k='key', v='value')
# of nn.MultiheadAttention
ATTENTION = r'((?:in_proj_|out_proj\.)(?:weight|bias))'

# fairseq's RoBERTa to that of transformers
ROBERTA_RULES = [
    Rule(SENTENCES + r'embed_tokens\.weight', WORDS),
    Rule(SENTENCES + r'embed_positions\.weight',
         f'{TEXT}embeddings.position_embeddings.weight'),
    Rule(rf'{SENTENCES}layernorm_embedding\.{WB}',
         rf'{TEXT}embeddings.LayerNorm.\1'),
    Rule(
        rf'{LAYER}self_attn\.([qkv])_proj\.{WB}',
        lambda m: (f'{TEXT}encoder.layer.{m[1]}.attention.self.'
                   f'{PROJECTIONS[m[2]]}.{m[3]}')),
    Rule(rf'{LAYER}self_attn\.out_proj\.{WB}',
         rf'{TEXT}encoder.layer.\1.attention.output.dense.\2'),
    Rule(rf'{LAYER}self_attn_layer_norm\.{WB}',
         rf'{TEXT}encoder.layer.\1.attention.output.LayerNorm.\2'),
    Rule(rf'{LAYER}fc1\.{WB}',
         rf'{TEXT}encoder.layer.\1.intermediate.dense.\2'),
    Rule(rf'{LAYER}fc2\.{WB}',
         rf'{TEXT}encoder.layer.\1.output.dense.\2'),
    Rule(rf'{LAYER}final_layer_norm\.{WB}',
         rf'{TEXT}encoder.layer.\1.output.LayerNorm.\2'),
    Rule(
        r'text_encoder\.model\.encoder\.lm_head\..+',
        None,
        'SAMWISE predicts no words',
        optional=True),
    Rule(
        r'text_encoder\.(?:.+\.)?(?:_float_tensor|version)',
        None,
        'a constant of fairseq',
        optional=True),
]
ADAPTER_RULES = [
    Rule(
        rf'{ADAPTER}proj_vis_(down|up)\.([01]\.\w+)',
        r'adapters.\1.visual_\2.\3'),
    Rule(
        rf'{ADAPTER}proj_text_(down|up)\.0\.weight',
        r'adapters.\1.text_\2.weight'),
    Rule(rf'{ADAPTER}ca_V2T\.multihead_attn\.{ATTENTION}',
         r'adapters.\1.text_to_vision.\2'),
    Rule(rf'{ADAPTER}ca_T2V\.multihead_attn\.{ATTENTION}',
         r'adapters.\1.vision_to_text.\2'),
    # attention across frames, which the pretraining on images does without
    Rule(
        rf'{ADAPTER}hsa\.self_attn\.{ATTENTION}',
        r'adapters.\1.selective.attention.\2',
        optional=True),
    Rule(
        rf'{ADAPTER}hsa\.linear\.{WB}',
        r'adapters.\1.selective.linear.\2',
        optional=True),
    Rule(
        rf'{ADAPTER}norm_pre_HSA\.{WB}',
        r'adapters.\1.selective.norm.\2',
        optional=True),
    Rule(
        rf'{ADAPTER}spatial_pos_embed',
        r'adapters.\1.selective.position',
        optional=True),
]
MEMORY_RULES = [
    Rule(
        rf'{MEMORY}transformerBlock\.self_attn\.{ATTENTION}',
        r'memory_decision.attention.\1',
        optional=True),
    Rule(
        rf'{MEMORY}transformerBlock\.(linear[12]|norm1)\.{WB}',
        r'memory_decision.\1.\2',
        optional=True),
    Rule(
        rf'{MEMORY}transformerBlock\.norm3\.{WB}',
        r'memory_decision.norm2.\1',
        optional=True),
    Rule(
        rf'{MEMORY}transformerBlock\.norm2\.{WB}',
        None,
        'the official code does not use this norm',
        optional=True),
    Rule(
        rf'{MEMORY}decision_token\.weight',
        'memory_decision.token.weight',
        optional=True),
    Rule(
        rf'{MEMORY}decision_class_head\.{WB}',
        r'memory_decision.classifier.\1',
        optional=True),
]
# The pretraining on images neither uses nor trains this part.
UNTRAINED = Rule(f'{MEMORY}.+', None, 'random: the pretraining has no memory',
                 optional=True)
RULES = [
    *prefixed(sam2.RULES, r'sam\.', NETWORK),
    Rule(
        rf'sam\.sam_prompt_encoder\.project_text\.layers\.([0-2])\.{WB}',
        r'text_prompt.layers.\1.\2'),
    # only in models that are trained with this option
    Rule(
        rf'sam\.sam_prompt_encoder\.project_motion_prompts\.layers\.([0-2])\.'
        rf'{WB}',
        r'motion_prompt.layers.\1.\2',
        optional=True),
    *ROBERTA_RULES,
    *ADAPTER_RULES,
    *MEMORY_RULES,
]


def convert(state_dict: dict[str, Tensor]
            ) -> tuple[dict[str, Tensor], Report]:
    """Rename official SAMWISE weights to our keys.

    A checkpoint holds SAM 2, RoBERTa and the trained parts. A checkpoint of
    the pretraining on images lacks the object scores of SAM 2 and the
    attention across frames; its conditional memory encoder is dropped.

    Raises:
        ValueError: the keys are not those of SAMWISE.
    """
    rules = RULES
    if 'sam.no_obj_ptr' not in state_dict:
        rules = [*(r for r in RULES if r not in MEMORY_RULES), UNTRAINED]
    weights, report = convert_keys(state_dict, rules, 'SAMWISE')
    sam2.complete(weights, NETWORK)
    # fairseq has no token types
    weights[TYPES] = torch.zeros_like(weights[NORM])[None]
    return weights, report

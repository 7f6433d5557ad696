"""Key names of the official SAM 2 checkpoints."""
import re

import torch
from torch import Tensor

from .key_map import Report, Rule, convert_keys

WB = '(weight|bias)'
# layers of a perceptron, with three and with two layers
THREE = {'0': 'proj_in', '1': 'layers.0', '2': 'proj_out'}
TWO = {'0': 'proj_in', '1': 'proj_out'}
MASK_EMBED = {
    '0': 'conv1',
    '1': 'layer_norm1',
    '3': 'conv2',
    '4': 'layer_norm2',
    '6': 'conv3'
}
UPSCALING = {
    '0': 'upscale_conv1',
    '1': 'upscale_layer_norm',
    '3': 'upscale_conv2'
}
DWCONV = {
    'dwconv': 'depthwise_conv',
    'norm': 'layer_norm',
    'pwconv1': 'pointwise_conv1',
    'pwconv2': 'pointwise_conv2'
}
POINTS = 'prompt_encoder.point_embed.weight'
PLACE = 'shared_embedding.positional_embedding'


def perceptron(key: str, target: str, optional: bool = False) -> Rule:
    """Rename the three layers of a perceptron.

    Args:
        key: regular expression, with or without a group.
        target: our key; a reference to the group is replaced.
    """
    return Rule(
        rf'{key}\.layers\.([012])\.{WB}', lambda m: m.expand(target) +
        f'.{THREE[m[m.lastindex - 1]]}.{m[m.lastindex]}',
        optional=optional)


def downsampler(match: re.Match) -> str:
    """Name a layer of the mask downsampler: (conv, norm, activation) x 4."""
    index = int(match[1])
    part = 'layer_norm' if index % 3 else 'conv'
    return (f'memory_encoder.mask_downsampler.layers.{index // 3}.{part}.'
            f'{match[2]}')


# from the official keys to those of ``transformers.Sam2VideoModel``
RULES = [
    # Hiera and its neck
    Rule(r'image_encoder\.trunk\.(pos_embed(?:_window)?)',
         r'vision_encoder.backbone.\1'),
    Rule(rf'image_encoder\.trunk\.patch_embed\.proj\.{WB}',
         r'vision_encoder.backbone.patch_embed.projection.\1'),
    Rule(rf'image_encoder\.trunk\.(blocks\.\d+)\.norm([12])\.{WB}',
         r'vision_encoder.backbone.\1.layer_norm\2.\3'),
    Rule(
        r'image_encoder\.trunk\.(blocks\.\d+\.(?:proj|attn\.(?:qkv|proj))\.'
        r'\w+)', r'vision_encoder.backbone.\1'),
    Rule(
        rf'image_encoder\.trunk\.(blocks\.\d+)\.mlp\.layers\.([01])\.{WB}',
        lambda m: f'vision_encoder.backbone.{m[1]}.mlp.{TWO[m[2]]}.{m[3]}'),
    Rule(rf'image_encoder\.neck\.convs\.(\d)\.conv\.{WB}',
         r'vision_encoder.neck.convs.\1.\2'),
    # prompt encoder
    Rule(r'sam_prompt_encoder\.pe_layer\.positional_encoding_gaussian_matrix',
         f'prompt_encoder.{PLACE}'),
    *(  # rows of one table
        Rule(rf'sam_prompt_encoder\.point_embeddings\.{k}\.weight',
             f'{POINTS}[{k}]') for k in range(4)),
    Rule(r'sam_prompt_encoder\.((?:not_a_point|no_mask)_embed\.weight)',
         r'prompt_encoder.\1'),
    Rule(
        rf'sam_prompt_encoder\.mask_downscaling\.([01346])\.{WB}',
        lambda m: f'prompt_encoder.mask_embed.{MASK_EMBED[m[1]]}.{m[2]}'),
    # mask decoder
    Rule(
        r'sam_mask_decoder\.(transformer\.(?:layers\.\d\.)?\w*attn\w*)\.'
        rf'([qkv]_proj\.){WB}', r'mask_decoder.\1.\2\3'),
    Rule(
        r'sam_mask_decoder\.(transformer\.(?:layers\.\d\.)?\w*attn\w*)\.'
        rf'out_proj\.{WB}', r'mask_decoder.\1.o_proj.\2'),
    Rule(
        rf'sam_mask_decoder\.(transformer\.layers\.\d)\.norm(\d)\.{WB}',
        r'mask_decoder.\1.layer_norm\2.\3'),
    Rule(
        rf'sam_mask_decoder\.(transformer\.layers\.\d\.mlp)\.layers\.([01])\.'
        rf'{WB}', lambda m: f'mask_decoder.{m[1]}.{TWO[m[2]]}.{m[3]}'),
    Rule(rf'sam_mask_decoder\.transformer\.norm_final_attn\.{WB}',
         r'mask_decoder.transformer.layer_norm_final_attn.\1'),
    Rule(r'sam_mask_decoder\.((?:iou_token|mask_tokens)\.weight)',
         r'mask_decoder.\1'),
    Rule(
        rf'sam_mask_decoder\.output_upscaling\.([013])\.{WB}',
        lambda m: f'mask_decoder.{UPSCALING[m[1]]}.{m[2]}'),
    Rule(rf'sam_mask_decoder\.(conv_s[01])\.{WB}', r'mask_decoder.\1.\2'),
    perceptron(r'sam_mask_decoder\.output_hypernetworks_mlps\.(\d)',
               r'mask_decoder.output_hypernetworks_mlps.\1'),
    perceptron(r'sam_mask_decoder\.iou_prediction_head',
               'mask_decoder.iou_prediction_head'),
    # object scores, which the pretraining of SAMWISE does without
    Rule(r'sam_mask_decoder\.(obj_score_token\.weight)', r'mask_decoder.\1',
         optional=True),
    perceptron(r'sam_mask_decoder\.pred_obj_score_head',
               'mask_decoder.pred_obj_score_head', optional=True),
    Rule(r'no_obj_ptr', 'no_object_pointer', optional=True),
    # memory
    perceptron(r'obj_ptr_proj', 'object_pointer_proj'),
    Rule(r'maskmem_tpos_enc', 'memory_temporal_positional_encoding'),
    Rule(r'no_mem_embed', 'no_memory_embedding'),
    Rule(r'no_mem_pos_enc', 'no_memory_positional_encoding'),
    Rule(rf'(mask_downsample\.{WB})', r'\1'),
    Rule(
        r'(memory_attention\.layers\.\d\.(?:self_attn|cross_attn_image)\.'
        rf'[qkv]_proj\.){WB}', r'\1\2'),
    Rule(
        r'(memory_attention\.layers\.\d\.(?:self_attn|cross_attn_image))\.'
        rf'out_proj\.{WB}', r'\1.o_proj.\2'),
    Rule(rf'(memory_attention\.layers\.\d\.linear[12]\.){WB}', r'\1\2'),
    Rule(rf'(memory_attention\.(?:layers\.\d\.)?)norm(\d?)\.{WB}',
         r'\1layer_norm\2.\3'),
    Rule(rf'memory_encoder\.pix_feat_proj\.{WB}',
         r'memory_encoder.feature_projection.\1'),
    Rule(rf'memory_encoder\.out_proj\.{WB}',
         r'memory_encoder.projection.\1'),
    Rule(r'memory_encoder\.fuser\.(layers\.\d)\.gamma',
         r'memory_encoder.memory_fuser.\1.scale'),
    Rule(
        rf'memory_encoder\.fuser\.(layers\.\d)\.({"|".join(DWCONV)})\.{WB}',
        lambda m: f'memory_encoder.memory_fuser.{m[1]}.{DWCONV[m[2]]}.{m[3]}'),
    Rule(
        r'memory_encoder\.mask_downsampler\.encoder\.([0-9]|10)\.'
        rf'{WB}', downsampler),
    Rule(rf'memory_encoder\.mask_downsampler\.encoder\.12\.{WB}',
         r'memory_encoder.mask_downsampler.final_conv.\1'),
]


def prefixed(rules: list[Rule], key: str, target: str) -> list[Rule]:
    """Put prefixes in front of the keys of rules.

    Args:
        key: regular expression without groups.
        target: prefix of our keys.
    """

    def rename(rule: Rule) -> Rule:
        old = rule.target

        def new(match: re.Match) -> str:
            return target + (old(match) if callable(old) else match.expand(
                old))

        return Rule(key + rule.pattern, new if old is not None else None,
                    rule.why, rule.optional, rule.value)

    return [rename(rule) for rule in rules]


def complete(weights: dict[str, Tensor], prefix: str = '') -> None:
    """Add, in place, the weights that transformers stores in another form.

    The rows of the point embeddings become one table, and there is a second
    copy of the matrix of the positional encoding.

    Raises:
        ValueError: the point embeddings are no rows of a common length.
    """
    rows = [weights.pop(f'{prefix}{POINTS}[{k}]') for k in range(4)]
    shapes = {tuple(row.shape) for row in rows}
    if len(shapes) > 1 or not rows[0].dim():
        raise ValueError(
            'sam_prompt_encoder.point_embeddings have the shapes '
            f'{sorted(shapes)}, expected rows of one length: the file is '
            'damaged')
    weights[prefix + POINTS] = torch.cat(rows)
    weights[f'{prefix}shared_image_embedding.positional_embedding'] = weights[
        f'{prefix}prompt_encoder.{PLACE}'].clone()


def convert_sam2(state_dict: dict[str, Tensor]
                 ) -> tuple[dict[str, Tensor], Report]:
    """Rename the weights of an official SAM 2.0 to those of transformers.

    Raises:
        ValueError: the keys or shapes are not those of SAM 2.0.
    """
    weights, report = convert_keys(state_dict, RULES, 'SAM 2.0')
    complete(weights)
    return weights, report

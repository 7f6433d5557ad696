"""Key names of the backbones in official checkpoints."""
import re

from torch import Tensor

from .key_map import Report, Rule, convert_keys, shifted


def to_unfold_order(weight: Tensor) -> Tensor:
    """Reorder the input channels of a patch merging for ``nn.Unfold``.

    The official order is by neighbour, (row, column) = (0, 0), (1, 0), (0, 1),
    (1, 1), then by channel. ``nn.Unfold`` orders by channel, then by neighbour
    in row-major order.

    Args:
        weight: (..., 4 * C).
    """
    return weight.unflatten(-1, (2, 2, -1)).transpose(-1, -3).flatten(-3)


def swin_rules(prefix: str, target: str, temporal: bool) -> list[Rule]:
    """List the rules from Swin's keys to those of mmdet or our Video Swin.

    Args:
        prefix: regular expression of the prefix of the official keys.
        target: prefix of our keys.
        temporal: True for Video Swin.
    """
    block = target + (r'stages.\1.\2' if temporal else r'stages.\1.blocks.\2')
    window = '' if temporal else '.w_msa'
    merging = target + (r'downsamples.\1' if temporal else
                        r'stages.\1.downsample')
    layer = prefix + r'layers\.(\d)\.blocks\.(\d+)'
    # official segmentors store the mergings outside of the stages
    down = prefix + r'(?:layers\.(?=\d\.downsample\.)|downsamples\.)(\d)\.'
    down += r'(?:downsample\.)?'
    rules = [
        # our patches span one frame: the kernel is summed over time
        Rule(
            prefix + r'patch_embed\.proj\.weight',
            f'{target}patch_embed.projection.weight',
            value=(lambda weight: weight.sum(2)) if temporal else None),
        Rule(prefix + r'patch_embed\.proj\.bias',
             f'{target}patch_embed.projection.bias'),
        Rule(prefix + r'patch_embed\.norm\.(\w+)',
             rf'{target}patch_embed.norm.\1'),
        Rule(layer + r'\.(norm\d\.\w+)', rf'{block}.\3'),
        Rule(layer + r'\.attn\.((?:qkv|proj)\.\w+|\w+_bias_table)',
             rf'{block}.attn{window}.\3'),
        Rule(
            layer + r'\.attn\.relative_position_index',
            None,
            'a constant that the model computes',
            optional=True),
        Rule(layer + r'\.mlp\.fc1\.(\w+)', rf'{block}.ffn.layers.0.0.\3'),
        Rule(layer + r'\.mlp\.fc2\.(\w+)', rf'{block}.ffn.layers.1.\3'),
        Rule(
            down + r'((?:norm|reduction)\.\w+)',
            rf'{merging}.\2',
            value=to_unfold_order),
    ]
    if not temporal:  # every output has a norm
        rules.append(Rule(prefix + r'(norm\d\.\w+)', rf'{target}\1'))
    return rules


def timm_convnext_rules(prefix: str) -> list[Rule]:
    """List the rules from timm's keys of ConvNeXt to ours.

    Args:
        prefix: regular expression of the prefix of the official keys.
    """
    stage = 'backbone.model.encoder.stages'
    names = {
        'conv_dw': 'dwconv',
        'norm': 'layernorm',
        'mlp.fc1': 'pwconv1',
        'mlp.fc2': 'pwconv2'
    }
    return [
        Rule(prefix + r'stem\.0\.(.+)',
             r'backbone.model.embeddings.patch_embeddings.\1'),
        Rule(prefix + r'stem\.1\.(.+)',
             r'backbone.model.embeddings.layernorm.\1'),
        Rule(prefix + r'stages\.(\d)\.downsample\.(.+)',
             rf'{stage}.\1.downsampling_layer.\2'),
        Rule(prefix + r'stages\.(\d)\.blocks\.(\d+)\.gamma',
             rf'{stage}.\1.layers.\2.layer_scale_parameter'),
        Rule(
            prefix + r'stages\.(\d)\.blocks\.(\d+)\.'
            r'(conv_dw|norm|mlp\.fc\d)\.(weight|bias)', lambda m:
            f'{stage}.{m[1]}.layers.{m[2]}.{names[m[3]]}.{m[4]}'),
    ]


def backbone_rules(state_dict: dict[str, Tensor], prefix: str) -> list[Rule]:
    """List the rules for the backbone: ResNet, Swin or ConvNeXt.

    Args:
        prefix: prefix of its keys, for example 'backbone.0.body.'.
    """
    if f'{prefix}stem.0.weight' in state_dict:
        norms = re.escape(prefix.removesuffix('body.'))
        return [
            *timm_convnext_rules(re.escape(prefix)),
            Rule(
                norms + r'norm_layers\.(?P<k>\d)\.(?P<wb>weight|bias)',
                shifted(
                    'backbone.model.hidden_states_norms.stage{k}.{wb}', k=1)),
        ]
    patches = state_dict.get(f'{prefix}patch_embed.proj.weight')
    if patches is None:  # ResNet: torchvision and mmdet use the same keys
        return [Rule(re.escape(prefix) + r'(.+)', r'backbone.\1')]
    return swin_rules(re.escape(prefix), 'backbone.', patches.dim() == 5)


def convert_video_swin(state_dict: dict[str, Tensor], num_stages: int
                       ) -> tuple[dict[str, Tensor], Report]:
    """Rename official Kinetics weights of Video Swin to our backbone's keys.

    Args:
        state_dict: weights of the classifier. The keys of its backbone may
            have the prefix 'backbone.'.
        num_stages: number of stages of our backbone; weights of later stages
            are left out.

    Raises:
        ValueError: the keys are not those of Video Swin.
    """
    prefix = r'(?:backbone\.)?'
    weights, report = convert_keys(state_dict, [
        *swin_rules(prefix, '', temporal=True),
        Rule(prefix + r'norm\.\w+', None, 'not applied to feature maps',
             optional=True),
        Rule(r'cls_head\..+', None, 'the classifier', optional=True),
    ], 'Video Swin')

    def used(key: str) -> bool:
        kind, number = key.split('.')[:2]
        limit = {'stages': num_stages, 'downsamples': num_stages - 1}
        return kind not in limit or int(number) < limit[kind]

    return {k: v for k, v in weights.items() if used(k)}, report


CONVNEXT_RULES = [
    Rule(r'downsample_layers\.0\.0\.(.+)',
         r'model.embeddings.patch_embeddings.\1'),
    Rule(r'downsample_layers\.0\.1\.(.+)', r'model.embeddings.layernorm.\1'),
    Rule(r'downsample_layers\.([1-3])\.(.+)',
         r'model.encoder.stages.\1.downsampling_layer.\2'),
    Rule(r'stages\.(\d)\.(\d+)\.gamma',
         r'model.encoder.stages.\1.layers.\2.layer_scale_parameter'),
    Rule(r'stages\.(\d)\.(\d+)\.((?:dwconv|pwconv\d)\..+)',
         r'model.encoder.stages.\1.layers.\2.\3'),
    Rule(r'stages\.(\d)\.(\d+)\.norm\.(.+)',
         r'model.encoder.stages.\1.layers.\2.layernorm.\3'),
    Rule(r'(norm|head)\..+', None, 'the classifier', optional=True),
]


def convert_convnext(state_dict: dict[str, Tensor]
                     ) -> tuple[dict[str, Tensor], Report]:
    """Rename the published weights of ConvNeXt to our backbone's keys.

    Args:
        state_dict: weights of the classifier by Meta.

    Raises:
        ValueError: the keys are not those of ConvNeXt.
    """
    return convert_keys(state_dict, CONVNEXT_RULES, 'ConvNeXt')

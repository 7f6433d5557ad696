"""Key names of ResNet, Swin and Video Swin in official checkpoints."""
import re

from torch import Tensor

from .key_map import Report, Rule, convert_keys


def to_unfold_order(weight: Tensor) -> Tensor:
    """Reorder the inputs of a patch merging.

    Officially the four neighbours follow one another, (row, column) = (0, 0),
    (1, 0), (0, 1), (1, 1), each with all channels; ``nn.Unfold`` has the
    neighbours of a channel together, row by row.

    Args:
        weight: (..., 4 * C).
    """
    return weight.unflatten(-1, (2, 2, -1)).transpose(-1, -3).flatten(-3)


def swin_rules(prefix: str, target: str, temporal: bool) -> list[Rule]:
    """Swin's rules: to mmdet's names, or to those of our Video Swin.

    Args:
        prefix: regular expression in front of the official keys.
        target: what our keys begin with.
        temporal: Video Swin.
    """
    block = target + (r'stages.\1.\2' if temporal else r'stages.\1.blocks.\2')
    window = '' if temporal else '.w_msa'
    merging = target + (r'downsamples.\1' if temporal else
                        r'stages.\1.downsample')
    layer = prefix + r'layers\.(\d)\.blocks\.(\d+)'
    # in the segmentors' Video Swin the mergings have left their stages
    down = prefix + r'(?:layers\.(?=\d\.downsample\.)|downsamples\.)(\d)\.'
    down += r'(?:downsample\.)?'
    rules = [
        # a patch spans one frame: the taps over time are summed
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


def backbone_rules(state_dict: dict[str, Tensor], prefix: str) -> list[Rule]:
    """The rules of the backbone that a checkpoint holds.

    Args:
        prefix: what its keys begin with, 'backbone.0.body.' for example.
    """
    patches = state_dict.get(f'{prefix}patch_embed.proj.weight')
    if patches is None:  # ResNet has torchvision's names, as mmdet's
        return [Rule(re.escape(prefix) + r'(.+)', r'backbone.\1')]
    return swin_rules(re.escape(prefix), 'backbone.', patches.dim() == 5)


def convert_video_swin(state_dict: dict[str, Tensor], num_stages: int
                       ) -> tuple[dict[str, Tensor], Report]:
    """Official Kinetics weights of Video Swin under our backbone's names.

    Args:
        state_dict: the classifier's weights, its backbone with or without
            'backbone.' in front.
        num_stages: stages that the backbone has; weights of later ones are
            left out.

    Raises:
        ValueError: the keys are not Video Swin's.
    """
    prefix = r'(?:backbone\.)?'
    weights, report = convert_keys(state_dict, [
        *swin_rules(prefix, '', temporal=True),
        Rule(prefix + r'norm\.\w+', None, 'dense tasks read maps without it',
             optional=True),
        Rule(r'cls_head\..+', None, 'the classifier', optional=True),
    ], 'Video Swin')

    def used(key: str) -> bool:
        kind, number = key.split('.')[:2]
        limit = {'stages': num_stages, 'downsamples': num_stages - 1}
        return kind not in limit or int(number) < limit[kind]

    return {k: v for k, v in weights.items() if used(k)}, report

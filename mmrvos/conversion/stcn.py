"""Key names of the official STCN checkpoint (``stcn.pth``)."""
import re

from torch import Tensor

from .key_map import Report, Rule, convert_keys

# The convolutions of the value encoder have biases, those of torchvision have
# none. Each is followed by a norm in inference mode: subtracting the bias from
# the running mean of the norm gives the same output.
BIAS = r'value_encoder\.(?:layer\d\.\d\.)?(?:conv\d|downsample\.0)\.bias'

RULES = [
    Rule(r'key_encoder\.res2\.(.+)', r'key_encoder.layer1.\1'),
    Rule(r'key_encoder\.((?:conv1|bn1|layer\d)\..+)', r'key_encoder.\1'),
    Rule(r'key_proj\.key_proj\.(.+)', r'key_projection.\1'),
    Rule(r'key_comp\.(.+)', r'key_compression.\1'),
    Rule(BIAS, None, 'subtracted from the running mean of the next norm'),
    Rule(rf'(?!{BIAS})value_encoder\.((?:conv1|bn1|layer\d)\..+)',
         r'value_encoder.\1'),
    Rule(r'value_encoder\.fuser\.(block\d)\.(conv\d\..+)',
         r'value_fusion.\1.\2'),
    Rule(r'value_encoder\.fuser\.block1\.downsample\.(.+)',
         r'value_fusion.block1.shortcut.\1'),
    Rule(r'value_encoder\.fuser\.attention\.ChannelGate\.mlp\.1\.(.+)',
         r'value_fusion.attention.0.mlp.0.\1'),
    Rule(r'value_encoder\.fuser\.attention\.ChannelGate\.mlp\.3\.(.+)',
         r'value_fusion.attention.0.mlp.2.\1'),
    Rule(r'value_encoder\.fuser\.attention\.SpatialGate\.spatial\.conv\.(.+)',
         r'value_fusion.attention.1.conv.\1'),
    Rule(r'decoder\.compress\.downsample\.(.+)', r'compress.shortcut.\1'),
    Rule(r'decoder\.compress\.(conv\d\..+)', r'compress.\1'),
    Rule(r'decoder\.up_\d+_(\d)\.skip_conv\.(.+)', r'up_\1.skip.\2'),
    Rule(r'decoder\.up_\d+_(\d)\.out_conv\.(conv\d\..+)',
         r'up_\1.block.\2'),
    Rule(r'decoder\.up_16_8\.out_conv\.downsample\.(.+)',
         r'up_8.block.shortcut.\1'),
    Rule(r'decoder\.pred\.(.+)', r'predict.\1'),
]


def norm_of(bias: str) -> str:
    """Return the key of the running mean of the norm after a convolution."""
    norm = re.sub(r'conv(\d)\.bias$', r'bn\1', bias)
    norm = re.sub(r'downsample\.0\.bias$', 'downsample.1', norm)
    return f'{norm}.running_mean'


def convert(state_dict: dict[str, Tensor]
            ) -> tuple[dict[str, Tensor], Report]:
    """Rename official STCN weights to our keys.

    Raises:
        ValueError: the keys or shapes are not those of STCN.
    """
    folded = {
        norm_of(key): bias
        for key, bias in state_dict.items() if re.fullmatch(BIAS, key)
    }
    weights, report = convert_keys(state_dict, RULES, 'STCN')
    for key, bias in folded.items():
        if key not in report.renamed:
            raise ValueError(f'{key} is missing: the file is damaged')
        new = report.renamed[key]
        if weights[new].shape != bias.shape:
            raise ValueError(
                f'{key} is {tuple(weights[new].shape)}, the bias before it '
                f'{tuple(bias.shape)}: the file is damaged')
        weights[new] = weights[new] - bias
    return weights, report

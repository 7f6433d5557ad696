"""Configuration and weights of :class:`SAM2Network`."""
from typing import Any

from torch import nn
from transformers import Sam2VideoConfig, Sam2VideoModel

from mmrvos.conversion import convert_sam2
from mmrvos.utils import load_weights, read_checkpoint

from ..hugging_face import announce_download, load_hugging_face

#: Hiera of the published models: keys of ``Sam2HieraDetConfig``.
ARCHS = dict(
    tiny=dict(
        embed_dim_per_stage=[96, 192, 384, 768],
        num_attention_heads_per_stage=[1, 2, 4, 8],
        blocks_per_stage=[1, 2, 7, 2],
        global_attention_blocks=[5, 7, 9]),
    small=dict(
        embed_dim_per_stage=[96, 192, 384, 768],
        num_attention_heads_per_stage=[1, 2, 4, 8],
        blocks_per_stage=[1, 2, 11, 2],
        global_attention_blocks=[7, 10, 13]),
    large=dict(
        embed_dim_per_stage=[144, 288, 576, 1152],
        num_attention_heads_per_stage=[2, 4, 8, 16],
        blocks_per_stage=[2, 6, 36, 4],
        window_size_per_stage=[8, 4, 16, 8],
        global_attention_blocks=[23, 33, 43]),
)
ARCHS['base-plus'] = dict(
    embed_dim_per_stage=[112, 224, 448, 896],
    num_attention_heads_per_stage=[2, 4, 8, 16],
    blocks_per_stage=[2, 3, 16, 3],
    global_attention_blocks=[12, 16, 20],
    window_positional_embedding_background_size=[14, 14])


def network_config(arch: str | dict, image_size: int, embed_dims: int,
                   options: dict[str, Any]) -> Sam2VideoConfig:
    """Make the configuration of a SAM 2.0; see :class:`SAM2Network`."""
    if isinstance(arch, str):
        if arch not in ARCHS:
            raise ValueError(f'sam2.arch is one of {sorted(ARCHS)} or a dict, '
                             f'got {arch!r}')
        arch = ARCHS[arch]
    if image_size % 32:
        raise ValueError(f'sam2.image_size={image_size}: expected a multiple '
                         'of 32')
    # transformers accepts and stores unknown keys without an error
    if unknown := set(options) - set(Sam2VideoConfig().to_dict()):
        raise ValueError(f'Sam2VideoConfig has no {sorted(unknown)}; see its '
                         'page in the documentation of transformers')
    widths = list(arch['embed_dim_per_stage'])
    hiera = dict(
        arch,
        model_type='sam2_hiera_det_model',
        hidden_size=widths[0],
        num_attention_heads=arch['num_attention_heads_per_stage'][0],
        image_size=[image_size] * 2)
    vision = dict(
        model_type='sam2_vision_model',
        backbone_config=hiera,
        backbone_channel_list=widths[::-1],
        backbone_feature_sizes=[[image_size // s] * 2 for s in (4, 8, 16)],
        fpn_hidden_size=embed_dims)
    options = dict(options)
    mask_decoder = dict(
        hidden_size=embed_dims, dynamic_multimask_via_stability=False,
        **options.pop('mask_decoder_config', {}))
    prompt_encoder = dict(hidden_size=embed_dims, image_size=image_size)
    sizes = dict(
        memory_attention_hidden_size=embed_dims,
        memory_encoder_hidden_size=embed_dims,
        mask_downsampler_embed_dim=embed_dims,
        memory_fuser_embed_dim=embed_dims,
        memory_attention_rope_feat_sizes=[image_size // 16] * 2)
    return Sam2VideoConfig(
        **(dict(
            sizes,
            vision_config=vision,
            mask_decoder_config=mask_decoder,
            prompt_encoder_config=prompt_encoder,
            image_size=image_size,
            enable_temporal_pos_encoding_for_object_pointers=False,
            enable_occlusion_spatial_embedding=False) | options))


def initialise(network: Sam2VideoModel) -> None:
    """Draw random weights as the official code does.

    Layers have torch's initialisation. transformers draws all layers with a
    standard deviation of 0.02, too small for narrow ones, and sets to zero
    what makes the memory readable.
    """
    for module in network.modules():
        if hasattr(module, 'reset_parameters'):
            module.reset_parameters()
    for name in ('no_memory_embedding', 'memory_temporal_positional_encoding',
                 'no_object_pointer'):
        nn.init.trunc_normal_(getattr(network, name), std=0.02)
    for block in network.memory_encoder.memory_fuser.layers:
        nn.init.constant_(
            block.scale, network.config.memory_fuser_layer_scale_init_value)


def load_network(weights: str, config: Sam2VideoConfig) -> Sam2VideoModel:
    """Load published weights into a configuration of ours.

    Args:
        weights: name of a Hugging Face model, a folder, or an official
            checkpoint (``.pt``).
    """
    if weights.endswith(('.pt', '.pth')):
        official = read_checkpoint(weights)['state_dict']
        renamed, _ = convert_sam2(official.get('model', official))
        network = Sam2VideoModel(config)
        load_weights(network, renamed, source=weights)
        return network
    try:
        announce_download(weights)
        return load_hugging_face(Sam2VideoModel, weights, config=config)
    except OSError as error:
        raise OSError(
            f'{weights!r} is not a folder and cannot be downloaded from here: '
            'fetch it where there is a network (Sam2VideoModel'
            f".from_pretrained('{weights}').save_pretrained(FOLDER)) and pass "
            '--cfg-options model.sam2.weights=FOLDER. First cause: '
            f'{str(error).splitlines()[0]}') from None

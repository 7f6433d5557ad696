"""Keys of SAMWISE and SAM 2; that the weights land rightly is in the golden
cases."""
import re
from pathlib import Path

import pytest
import torch

from mmrvos.conversion import METHODS, convert_sam2
from mmrvos.models.backbones import SAM2Network
from mmrvos.registry import MODELS
from mmrvos.utils import fitted_weights, load_config

from ..config_values import CONFIGS, weightless
from ..golden_kinds.case import load_case

GOLDEN = Path(__file__).parents[1] / 'data' / 'golden'


def checkpoint(case: str) -> dict[str, torch.Tensor]:
    """All keys of a published checkpoint, on tensors without memory."""
    with torch.device('meta'):
        weights = {
            key: torch.empty(shape)
            for key, shape in load_case(
                GOLDEN / f'{case}.npz').state_shapes.items()
        }
        weights.update({
            key.replace('running_mean', 'num_batches_tracked'): torch.empty(())
            for key in list(weights) if key.endswith('running_mean')
        })
        encoder = 'text_encoder.model.encoder.'
        weights[f'{encoder}lm_head.weight'] = weights[
            f'{encoder}sentence_encoder.embed_tokens.weight']
        weights[f'{encoder}sentence_encoder.version'] = torch.empty(1)
        weights['text_encoder._float_tensor'] = torch.empty(1)
    return weights


def base_plus(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Make the keys of Hiera-B+ from those of Hiera-T.

    Widths are 7/6 of those of Hiera-T. Each block has the keys of a block of
    Hiera-T in the same place: first of its stage, or not.
    """
    block = re.compile(r'(sam\.image_encoder\.trunk\.blocks\.)(\d+)\.(.+)')
    visual = re.compile(r'sam\.image_encoder|cmt_adapters\.\d\.proj_vis')
    templates, grown = {}, {}
    for key, value in weights.items():
        if visual.match(key):
            value = torch.empty(
                [side if side % 96 else side // 6 * 7
                 for side in value.shape])
        if found := block.match(key):
            templates.setdefault(int(found[2]), {})[found[3]] = value
        else:
            grown[key] = value
    grown['sam.image_encoder.trunk.pos_embed'] = torch.empty(1, 112, 14, 14)
    first = 0
    for blocks, start, other in zip(
            (2, 3, 16, 3), (0, 1, 3, 10), (0, 2, 4, 11), strict=True):
        for index in range(blocks):
            template = templates[other if index else start]
            grown.update({
                f'sam.image_encoder.trunk.blocks.{first + index}.{key}': value
                for key, value in template.items()
            })
        first += blocks
    return grown


def model_of(config: str) -> torch.nn.Module:
    """Build the model of a config with the widths of the golden text model."""
    cfg = load_config(CONFIGS / 'samwise' / f'{config}.py').model
    cfg.sam2.update(weights=None)
    cfg.text_encoder = dict(
        type='StagedTextEncoder',
        vocabulary=['the'],
        config=dict(
            hidden_size=96, intermediate_size=192, num_attention_heads=4,
            vocab_size=120, max_position_embeddings=66, type_vocab_size=1))
    with weightless():
        return MODELS.build(cfg)


def shapes(weights: dict[str, torch.Tensor]) -> dict[str, torch.Size]:
    return {key: value.shape for key, value in weights.items()}


@pytest.mark.parametrize('case, config, renamed, dropped', [
    ('samwise_forward_s0', 'hiera-t_ytvos', 778, 10),
    # the conditional memory encoder has 17 keys, of which norm2 is unused
    ('samwise_image_s0', 'hiera-t_refcoco-pretrain', 728, 10 - 2 + 17),
])
def test_every_key_is_used_once_and_fits_the_config(case, config, renamed,
                                                    dropped):
    official = checkpoint(case)
    ours, report = METHODS['samwise'](official)
    assert {*report.renamed, *report.dropped} == {*official}
    assert (len(report.renamed), len(report.dropped)) == (renamed, dropped)
    assert shapes(ours) == shapes(model_of(config).state_dict())


def test_base_plus():
    """The published models; 144 more keys than Hiera-T."""
    with torch.device('meta'):
        official = base_plus(checkpoint('samwise_forward_s0'))
    ours, report = METHODS['samwise'](official)
    assert {*report.renamed, *report.dropped} == {*official}
    assert (len(report.renamed), len(report.dropped)) == (778 + 144, 10)
    assert sum(key.startswith('sam.') and 'project_text' not in key
               for key in official) == 612
    assert shapes(ours) == shapes(model_of('hiera-b_ytvos').state_dict())


def test_a_model_with_motion_prompt():
    name = 'sam.sam_prompt_encoder.project_{}.layers.{}.{}'
    official = checkpoint('samwise_forward_s0')
    for layer in range(3):
        for kind in ('weight', 'bias'):
            official[name.format('motion_prompts', layer, kind)] = official[
                name.format('text', layer, kind)]
    ours, _ = METHODS['samwise'](official)
    assert {key for key in ours if key.startswith('motion_prompt.')} == {
        f'motion_prompt.layers.{layer}.{kind}'
        for layer in range(3) for kind in ('weight', 'bias')
    }


def test_sam2_alone():
    """The keys of sam2_hiera_tiny.pt, from which the training starts."""
    official = {
        key.removeprefix('sam.'): value
        for key, value in checkpoint('samwise_forward_s0').items()
        if key.startswith('sam.') and 'project_text' not in key
    }
    assert len(official) == 468
    ours, report = convert_sam2(official)
    assert len(report.renamed) == 468 and not report.dropped
    network = model_of('hiera-t_ytvos').sam2.network
    assert shapes(ours) == shapes(network.state_dict())


def test_official_file_of_sam2_is_read(tmp_path):
    """As it is published, under the key 'model'."""
    keys = checkpoint('samwise_forward_s0')
    official = {
        key.removeprefix('sam.'): torch.full(value.shape, 0.25)
        for key, value in keys.items()
        if key.startswith('sam.') and 'project_text' not in key
    }
    torch.save(dict(model=official), tmp_path / 'sam2_hiera_tiny.pt')
    network = SAM2Network(weights=str(tmp_path / 'sam2_hiera_tiny.pt')).network
    for name, parameter in network.named_parameters():
        assert (parameter == 0.25).all(), name


def test_values_that_are_stored_in_another_form():
    official = {
        key: torch.zeros(()).expand(value.shape)
        for key, value in checkpoint('samwise_image_s0').items()
    }
    prompt = 'sam.sam_prompt_encoder.'
    rows = torch.arange(4.)
    for k in range(4):
        official[f'{prompt}point_embeddings.{k}.weight'] = rows[k].expand(
            1, 256)
    matrix = torch.rand(2, 128)
    official[f'{prompt}pe_layer.positional_encoding_gaussian_matrix'] = matrix
    ours, _ = METHODS['samwise'](official)
    network = 'sam2.network.'
    points = ours[f'{network}prompt_encoder.point_embed.weight']
    assert torch.equal(points, rows[:, None].expand(4, 256))
    for place in ('prompt_encoder.shared_embedding', 'shared_image_embedding'):
        assert torch.equal(ours[f'{network}{place}.positional_embedding'],
                           matrix)
    types = ours['text_encoder.model.embeddings.token_type_embeddings.weight']
    assert types.shape == (1, 96) and not types.any()


@pytest.mark.parametrize('key, message', [
    ('sam.sam_prompt_encoder.point_embeddings.2.weight',
     r'no key matches .*point_embeddings\\\.2'),
    ('cmt_adapters.0.proj_text_down.0.weight', None),
    ('sam.obj_ptr_tpos_proj.weight', '0 rules match'),
])
def test_other_checkpoints_are_refused(key, message):
    """A missing key, which the config notices, and a key of SAM 2.1."""
    weights = checkpoint('samwise_forward_s0')
    if key in weights:
        del weights[key]
    else:
        weights[key] = torch.empty(1)
    if message is None:
        ours, _ = METHODS['samwise'](weights)
        missing = set(model_of('hiera-t_ytvos').state_dict()) - set(ours)
        assert missing == {'adapters.0.text_down.weight'}
        return
    with pytest.raises(ValueError, match=message):
        METHODS['samwise'](weights)


@pytest.mark.parametrize('key, shape, message', [
    ('sam.sam_prompt_encoder.point_embeddings.0.weight', (1, 25),
     r'point_embeddings have the shapes \[\(1, 25\), \(1, 256\)\]'),
    ('text_encoder.model.encoder.sentence_encoder.embed_tokens.weight', (),
     r'word_embeddings.weight: \(\) in the file'),
])
def test_damaged_shapes_are_refused(key, shape, message):
    weights = checkpoint('samwise_forward_s0')
    weights[key] = torch.empty(shape, device='meta')
    with pytest.raises(ValueError, match=message):
        fitted_weights(model_of('hiera-t_ytvos'),
                       METHODS['samwise'](weights)[0])

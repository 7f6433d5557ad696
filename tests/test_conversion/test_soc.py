"""SOC's keys; that the weights land rightly is in the golden cases."""
import re
from pathlib import Path

import pytest
import torch

from mmrvos.conversion import METHODS

from ..golden_kinds.case import load_case

GOLDEN = Path(__file__).parents[1] / 'data' / 'golden'


def checkpoint(case: str) -> dict[str, torch.Tensor]:
    """All keys of a published checkpoint, on tensors without values."""
    shapes = load_case(GOLDEN / f'{case}.npz').state_shapes
    weights = {k: torch.zeros(()).expand(v) for k, v in shapes.items()}
    weights.update({
        f'transformer.decoder.{key}': value
        for key, value in weights.items() if key.startswith('bbox_embed.')
    })
    weights['text_encoder.embeddings.position_ids'] = torch.arange(514)[None]
    return weights


@pytest.mark.parametrize('case', ['soc_r50_s0', 'soc_video_swin_t_s0'])
def test_every_key_is_used_once(case):
    weights = checkpoint(case)
    if 'swin' in case:  # constants that older code stored
        for key in list(weights):
            if key.endswith('relative_position_bias_table'):
                weights[key.replace('bias_table', 'index')] = torch.zeros(1)
    ours, report = METHODS['soc'](weights)
    assert len(ours) + len(report.dropped) == len(weights)
    assert all(
        re.search(r'decoder\.bbox_embed|position_ids|position_index', key)
        for key in report.dropped)
    assert report.renamed['voc.fq_pos.weight'] == 'cluster.frame_embed.weight'


def test_differing_copies_of_the_box_heads_are_damage():
    weights = checkpoint('soc_r50_s0')
    key = 'transformer.decoder.bbox_embed.2.layers.1.bias'
    weights[key] = weights[key] + 1
    with pytest.raises(ValueError, match='bbox_embed.2.*damaged'):
        METHODS['soc'](weights)


def test_a_checkpoint_without_cluster_is_refused():
    weights = {
        k: v for k, v in checkpoint('soc_r50_s0').items()
        if not k.startswith('voc.')
    }
    with pytest.raises(ValueError, match=r'not a checkpoint of SOC.*\n.*voc'):
        METHODS['soc'](weights)

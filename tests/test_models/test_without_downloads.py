"""Builds without weights from files or from the network."""
import copy
from pathlib import Path
from typing import Any

import pytest

from mmrvos.registry import MODELS, TASK_UTILS
from mmrvos.utils import without_downloads

from ..config_values import leaf_configs, name_of, read

WORDS = ['red', 'dog', 'red']


def sources(node: Any) -> list[str]:
    """All weights and tokenizers that a model's config would read."""
    if isinstance(node, dict):
        own = [
            str(node[key]) for key in ('name', 'tokenizer', 'checkpoint')
            if node.get(key) is not None
        ]
        if str(node.get('type')).endswith('Propagator'):
            own += [node['weights']] if node.get('weights', True) else []
        return own + sources(list(node.values()))
    if isinstance(node, (list, tuple)):
        return [source for child in node for source in sources(child)]
    return []


@pytest.mark.parametrize('path', leaf_configs(), ids=name_of)
def test_no_config_has_sources_left(path: Path):
    model = copy.deepcopy(read(path)[0].model)
    without_downloads(model, WORDS)
    assert sources(model) == []


def test_pretrained_weights_are_found_anywhere():
    pretrained = dict(type='Pretrained', checkpoint='weights.pth')
    normal = dict(type='Normal', layer='Conv2d')
    model = dict(
        neck=dict(layers=[dict(type='x', init_cfg=pretrained)]),
        head=dict(init_cfg=[normal, pretrained]),
        other=dict(init_cfg=normal))
    without_downloads(model, WORDS)
    assert model == dict(
        neck=dict(layers=[dict(type='x', init_cfg=None)]),
        head=dict(init_cfg=None),
        other=dict(init_cfg=normal))


def test_text_encoder_and_propagator_are_built_at_random():
    text = dict(
        type='HuggingFaceTextEncoder',
        config=dict(
            hidden_size=8,
            num_hidden_layers=1,
            num_attention_heads=1,
            intermediate_size=8),
        tokenizer='roberta-base')
    without_downloads(text, WORDS)
    encoder = MODELS.build(text)
    ids, _ = encoder.tokenize(['red dog'])
    assert encoder.tokenizer.unk_token_id not in ids
    by_name = dict(type='HuggingFaceTextEncoder', name='roberta-base')
    without_downloads(by_name, WORDS)
    assert by_name['vocabulary'] == ['dog', 'red']
    assert 'name' not in by_name
    propagator = dict(type='STCNPropagator')
    without_downloads(propagator, WORDS)
    assert TASK_UTILS.build(propagator).weights is None

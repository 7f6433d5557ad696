"""From an official checkpoint to a score, as a user does it."""
import argparse
import json
from pathlib import Path

import pytest
import torch

from ..golden_kinds.case import load_case
from .running import options

CONVERTER = 'model_converters/official_to_mmrvos.py'
CASE = Path(__file__).parents[1] / 'data/golden/referformer_r50_s0.npz'

# The official model with the text model of the golden case.
CONFIG = """
_base_ = [
    '{configs}/_base_/models/referformer_r50.py',
    '{configs}/_base_/datasets/moving_shapes.py',
    '{configs}/_base_/default_runtime.py',
]
model = dict(
    backbone=dict(init_cfg=None),
    text_encoder=dict(
        _delete_=True,
        type='HuggingFaceTextEncoder',
        vocabulary=['the'],
        config={roberta}))
train_dataloader = val_dataloader = val_evaluator = None
test_dataloader = dict(
    num_workers=0, persistent_workers=False,
    dataset=dict(
        indices=1, size='mini', filter_cfg=dict(type_ids=['position'])))
test_evaluator = dict(_delete_=True, type='RefYoutubeVOSMetric')
test_cfg = dict()
"""


@pytest.fixture(scope='module')
def official(tmp_path_factory) -> Path:
    """A checkpoint as the official training writes it."""
    weights = load_case(CASE).state_dict()
    weights.update({
        f'transformer.decoder.{key}': value
        for key, value in weights.items() if key.startswith('bbox_embed.')
    })
    weights['text_encoder.embeddings.position_ids'] = torch.arange(514)[None]
    path = tmp_path_factory.mktemp('official') / 'ytvos_r50.pth'
    torch.save(
        dict(
            model=weights,
            optimizer=dict(state={}, param_groups=[]),
            lr_scheduler=dict(step_size=3),
            epoch=5,
            args=argparse.Namespace(binary=True, lr=1e-4)), path)
    return path


@pytest.fixture
def config(tmp_path) -> Path:
    path = tmp_path / 'r50_shapes.py'
    path.write_text(
        CONFIG.format(
            configs=Path(__file__).parents[2] / 'configs',
            roberta=load_case(CASE).meta['roberta']))
    return path


def test_converts_checks_and_tests(official, config, shapes, tool,
                                   tmp_path, capsys):
    ours = tmp_path / 'r50.pth'
    tool(CONVERTER, 'referformer', str(official), str(ours), '--config',
         str(config))
    said = capsys.readouterr().out
    assert 'backbone.0.body.conv1.weight' in said
    assert '(dropped: the same tensors as bbox_embed)' in said
    assert '644 keys renamed' not in said  # two text layers less the copies
    tool('test.py', str(config), str(ours), '--work-dir', str(tmp_path),
         '--out', str(tmp_path / 'scores.json'),
         *options(shapes)[:1], f'test_dataloader.dataset.data_root={shapes}')
    scores = json.loads((tmp_path / 'scores.json').read_text())
    assert 0 <= scores['metrics']['ytvos/J&F'] <= 100, scores


def test_a_foreign_checkpoint_is_refused_with_its_keys(tmp_path, tool):
    path = tmp_path / 'other.pth'
    torch.save({'encoder.weight': torch.zeros(1)}, path)
    with pytest.raises(SystemExit, match='encoder.weight: 0 rules match'):
        tool(CONVERTER, 'referformer', str(path), str(tmp_path / 'out.pth'))
    assert not (tmp_path / 'out.pth').exists()


def test_an_existing_file_is_kept(official, tmp_path, tool):
    kept = tmp_path / 'mine.pth'
    kept.write_text('precious')
    with pytest.raises(SystemExit, match='mine.pth exists'):
        tool(CONVERTER, 'referformer', str(official), str(kept))
    assert kept.read_text() == 'precious'


def test_checkpoints_that_name_their_weights_otherwise(tmp_path, tool):
    """MTTR and SOC store a ``model_state_dict``."""
    case = load_case(CASE.with_name('mttr_video_swin_t_s0.npz'))
    weights = case.state_dict()
    index = 'backbone.layers.0.blocks.0.attn.relative_position_index'
    weights[index] = torch.zeros(392, 392, dtype=torch.long)
    path, ours = tmp_path / 'mttr.pth.tar', tmp_path / 'mttr.pth'
    torch.save(dict(epoch=29, model_state_dict=weights), path)
    tool(CONVERTER, 'mttr', str(path), str(ours), '--quiet')
    converted = torch.load(ours)['state_dict']
    assert len(converted) == len(weights) - 1
    # one frame a patch
    assert converted['backbone.patch_embed.projection.weight'].shape == (
        96, 3, 4, 4)

"""A model index of small models, and their official files on a server.

The weights are those of the golden cases. Models have the real leaf configs
as bases, with the text model of the case and frames of 32 pixels.
"""
import argparse
import io
from pathlib import Path

import torch
import yaml

from .golden_kinds.case import load_case

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / 'tests/data/golden'
CONFIG = """
_base_ = '{base}'
model = dict(
    backbone=dict(init_cfg=None),
    text_encoder=dict(name=None, vocabulary=['the'], config={roberta}))
test_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    dataset=dict(pipeline={pipeline}))
"""


def official_file(case_name: str, key: str = 'model') -> bytes:
    """Return a checkpoint as an official training writes it.

    Args:
        case_name: golden case whose weights are used.
        key: of the weights: 'model' in ReferFormer, 'model_state_dict' in MTTR
            and SOC.
    """
    case = load_case(GOLDEN / f'{case_name}.npz')
    content = io.BytesIO()
    torch.save({
        key: case.state_dict(),
        'optimizer': dict(state={}, param_groups=[]),
        'epoch': 5,
        'args': argparse.Namespace(lr=1e-4)
    }, content)
    return content.getvalue()


def write_model(folder: Path, base: str, case_name: str, frames: str) -> str:
    """Write a config of a golden case; returns its path in the folder."""
    case = load_case(GOLDEN / f'{case_name}.npz')
    pipeline = [
        dict(type=frames) if frames == 'SampleAllFrames' else dict(
            type=frames, num_frames=3),
        dict(type='LoadFrames'),
        dict(type='ClipResize', short_sides=32),
        dict(type='PackRVOSInputs', keep_masks=True),
    ]
    path = folder / 'configs' / base
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        CONFIG.format(
            base=ROOT / 'configs' / base,
            roberta={k: v for k, v in case.meta['roberta'].items()
                     if k != 'attention'},
            pipeline=pipeline))
    return f'configs/{base}'


def entry(name: str, config: str, dataset: str, metrics: dict,
          **more: object) -> dict:
    """Return the metafile entry of a model."""
    return {
        'Name': name,
        'In Collection': 'Small',
        'Config': config,
        'Metadata': {'Task': 'RVOS', 'Test Data': dataset},
        'Results': [
            dict(Task='RVOS', Dataset=dataset, Metrics=metrics, Source='paper')
        ],
        **more
    }


def converted_from(weights: str, method: str, **more: object) -> dict:
    return {
        'Converted From': dict(
            Weights=weights,
            License='none stated',
            Converter=f'official_to_mmrvos.py {method}',
            **more)
    }


def write_index(folder: Path, entries: list[dict]) -> Path:
    """Write model-index.yml and a metafile; returns the folder."""
    (folder / 'configs').mkdir(exist_ok=True)
    (folder / 'configs/metafile.yml').write_text(
        yaml.safe_dump(dict(Models=entries)))
    (folder / 'model-index.yml').write_text('Import: [configs/metafile.yml]\n')
    return folder

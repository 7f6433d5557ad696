"""Configs hold the numbers of the papers."""
from fnmatch import fnmatch
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import HOOKS

from mmrvos.registry import METRICS
from mmrvos.utils import load_config

from .config_values import leaf_configs, name_of, plain
from .config_values import read as values_of
from .recipes import (
    PAGE,
    expected_values,
    find_rows,
    read_recipes,
    recipe,
    write_page,
)

CONFIGS = Path(__file__).parents[1] / 'configs'


METHODS, UNPUBLISHED = read_recipes()


def published_configs() -> list[Path]:
    """Return every leaf config of the methods with published recipes."""
    return [
        path for path in leaf_configs()
        if name_of(path).split('/')[0] in METHODS
        and not any(fnmatch(name_of(path), p) for p in UNPUBLISHED)
    ]


@pytest.mark.parametrize('path', published_configs(), ids=name_of)
def test_recipe_is_the_published_one(path):
    """Epochs, rates, frames, batch, sampler, weights, start of a config."""
    name = name_of(path)
    rows = find_rows(name, METHODS)
    assert len(rows) == 1, (
        f'{name} is in the rows {[row["recipe"] for row in rows]} of '
        'tests/data/recipes.yml, expected one: add the published recipe, or '
        'the name to unpublished')
    cfg, model, _ = values_of(path)
    actual, expected = recipe(cfg, model), expected_values(name, rows[0])
    assert actual.keys() == expected.keys()
    wrong = {
        key: f'{actual[key]}, published {expected[key]}'
        for key in actual if not equal(actual[key], expected[key])
    }
    assert not wrong


def equal(actual, expected) -> bool:
    """Compare values of a recipe; numbers up to a ten-thousandth."""
    if isinstance(expected, dict):
        return actual.keys() == expected.keys() and all(
            equal(actual[key], expected[key]) for key in expected)
    if isinstance(expected, list):
        return len(actual) == len(expected) and all(
            map(equal, actual, expected))
    if isinstance(expected, float):
        return actual == pytest.approx(expected, rel=1e-4)
    return actual == expected


def test_no_row_is_without_a_config():
    names = list(map(name_of, published_configs()))
    for method, rows in METHODS.items():
        for pattern in (p for row in rows for p in row['configs']):
            assert any(fnmatch(n, f'{method}/{pattern}') for n in names), (
                f'{method}: {pattern}')
    assert all(any(fnmatch(name_of(path), pattern) for path in leaf_configs())
               for pattern in UNPUBLISHED)


def test_the_page_of_recipes_is_up_to_date():
    assert PAGE.read_text() == write_page(), 'run python -m tests.recipes'


def read(name: str) -> Config:
    """Read a config by its name, such as 'html/r50_ytvos'."""
    return Config.fromfile(CONFIGS / f'{name}.py')


def rates(cfg: Config) -> tuple[float, float, float]:
    """Return the learning rates of backbone, text model and other parts."""
    lr = cfg.optim_wrapper.optimizer.lr
    keys = cfg.optim_wrapper.paramwise_cfg.custom_keys
    return (lr * keys['backbone'].lr_mult,
            lr * keys['text_encoder.model'].lr_mult, lr)


@pytest.mark.parametrize('name', [
    'r50_refcoco-pretrain', 'r50_ytvos', 'r50_a2d',
    'ablations/r50_ytvos_baseline', 'video-swin-t_ytvos',
])
def test_ifirvos_recipe(name):
    cfg = read(f'ifirvos/{name}')
    assert rates(cfg) == pytest.approx((1e-5, 1e-5, 5e-5))
    head = cfg.model.head
    assert head.loss_weights == dict(cls=2, bbox=5, giou=2, mask=1, dice=1)
    assert plain(head.matcher) == dict(
        type='SequenceMatcher', class_weight=2, box_weight=5, giou_weight=2,
        mask_weight=1, dice_weight=1)
    pretrain = 'pretrain' in name
    assert cfg.model.text_encoder.get('frozen', True) != pretrain
    assert cfg.train_cfg.max_epochs == (10 if pretrain else 6)
    assert cfg.param_scheduler[0].milestones == (
        [6, 8] if pretrain else [3, 5])
    assert cfg.train_dataloader.batch_size == (2 if pretrain else 1)
    if not pretrain:
        pipeline = cfg.train_dataloader.dataset.pipeline
        assert pipeline[0].num_frames == 6
        sizes = [branch[-1] for step in pipeline
                 for branch in step.get('transforms', [])]
        assert [(s.short_sides, s.longest) for s in sizes] == [(360, 640)] * 2


@pytest.mark.parametrize('name,fusion,inter_frame', [
    ('', 'VisionLanguageInteraction', True),
    ('_baseline', 'CrossModalFusion', False),
    ('_vli', 'VisionLanguageInteraction', False),
    ('_ifi', 'CrossModalFusion', True),
    ('_no-fusion', 'NoFusion', False),
])
@pytest.mark.parametrize('stage', ['refcoco-pretrain', 'ytvos'])
def test_table_4_of_ifirvos(stage, name, fusion, inter_frame):
    folder = 'ifirvos/ablations' if name else 'ifirvos'
    cfg = read(f'{folder}/r50_{stage}{name}')
    assert cfg.model.fusion.type == fusion
    assert bool(cfg.model.decoder.inter_frame) == inter_frame
    if stage == 'ytvos':  # each row has its own pre-training
        assert cfg.load_from == (
            f'checkpoints/ifirvos_r50_refcoco-pretrain{name}.pth')


def test_a2d_of_ifirvos_decodes_all_frames():
    for path in (CONFIGS / 'ifirvos').glob('*_a2d.py'):
        cfg = Config.fromfile(path)
        assert cfg.model.decode_all_frames is True, path
        for loader in (cfg.train_dataloader, cfg.test_dataloader):
            assert loader.dataset.pipeline[0].num_frames == 6
    changed = difference('ifirvos/ablations/r50_a2d_annotated-frame',
                         'ifirvos/r50_a2d')
    assert changed['model'].decode_all_frames is False
    assert changed.keys() == {'model'}


def test_the_baseline_of_ifirvos_is_referformer():
    model = read('ifirvos/ablations/r50_ytvos_baseline').model
    base = read('referformer/r50_ytvos').model
    assert model.decoder.pop('inter_frame') is None
    model.head = base.head  # other weights of the losses
    assert model == base


@pytest.mark.parametrize('name,frames,scales,direction', [
    ('r50_ytvos', 8, 3, 'coarse_to_fine'),
    ('video-swin-b_ytvos', 8, 3, 'coarse_to_fine'),
    ('ablations/r50_ytvos_5-frames', 5, 3, 'coarse_to_fine'),
    ('ablations/r50_ytvos_5-frames_no-cmp', 5, 3, 'none'),
    ('ablations/r50_ytvos_5-frames_1-scale', 5, 1, 'coarse_to_fine'),
    ('ablations/r50_ytvos_12-frames', 12, 3, 'coarse_to_fine'),
    ('ablations/r50_ytvos_fine-to-coarse', 8, 3, 'fine_to_coarse'),
    ('ablations/r50_ytvos_1-scale', 8, 1, 'coarse_to_fine'),
    ('ablations/r50_ytvos_2-scales', 8, 2, 'coarse_to_fine'),
    ('ablations/r50_ytvos_no-cmp', 8, 3, 'none'),
])
def test_tables_5_and_6_of_html(name, frames, scales, direction):
    cfg = read(f'html/{name}')
    dataset = cfg.train_dataloader.dataset
    # sliding windows, which start at every num_frames-th frame
    assert dataset.pipeline[0].type == 'SampleConsecutiveFrames'
    assert dataset.pipeline[0].num_frames == dataset.num_frames == frames
    assert cfg.model.get('num_scales', 3) == scales
    assert cfg.model.get('direction', 'coarse_to_fine') == direction
    # all other values are those of ReferFormer
    base = read('referformer/r50_ytvos')
    assert cfg.optim_wrapper == base.optim_wrapper
    assert dataset.pipeline[1:] == base.train_pipeline[1:]
    assert cfg.model.head == base.model.head


def difference(name: str, base: str) -> dict:
    """Return the values of a config that its base sets otherwise."""
    cfg, base = read(name), read(base)
    return {key: value for key, value in cfg.items() if value != base.get(key)}


def test_variants_of_html_change_one_thing():
    base = 'html/r50_ytvos'
    changed = difference('html/ablations/r50_ytvos_local-global', base)
    assert changed.keys() == {'train_pipeline', 'train_dataloader'}
    pipeline = changed['train_dataloader'].dataset.pipeline
    assert pipeline[0] == dict(type='SampleLocalGlobalFrames', num_frames=8)
    assert pipeline[1:] == read(base).train_pipeline[1:]

    for row, part, layer in [
        ('frame-attention', 'encoder', 'FrameAttention'),
        ('inter-frame', 'decoder', 'InterFrameLayer'),
    ]:
        changed = difference(f'html/ablations/r50_ytvos_{row}', base)
        assert changed.keys() == {'model', 'load_cfg'}
        assert changed['model'][part].pop('inter_frame') == dict(type=layer)
        assert changed['model'] == read(base).model
        # these weights are not in the pre-training
        assert changed['load_cfg'].drop[-1] == rf'{part}\.inter_frame\..*'

    changed = difference('html/ablations/r50_ytvos_equal-mask-weight', base)
    assert changed['model'].pop('equal_mask_weight') is True
    assert changed['model'] == read(base).model

    changed = difference('html/ablations/r50_ytvos_1-scale_5x-masks', base)
    assert changed['model'].pop('num_scales') == 1
    weights = changed['model'].head.loss_weights
    assert weights == dict(
        cls=2, bbox=5, giou=2, mask=pytest.approx(2 * 16 / 3),
        dice=pytest.approx(5 * 16 / 3))


def header(name: str) -> str:
    """Return the comment at the top of a config as one line."""
    lines = (CONFIGS / f'{name}.py').read_text().splitlines()
    return ' '.join(line[1:].strip() for line in lines if line[:1] == '#')


def test_none_of_table_6c_is_one_scale():
    """The row has J 55.0, F 57.3 and J&F 56.2, as the row of one scale in
    Table 6a; Table 5 (v), three scales without CMP, has 57.1."""
    one, none = (header(f'html/ablations/r50_ytvos_{row}')
                 for row in ('1-scale', 'no-cmp'))
    assert '6c (None)' in one
    assert 'Paper: J&F 56.2' in one
    assert 'r50_ytvos_1-scale.py' in none
    assert 'Paper: J&F 57.1 on' in none


@pytest.mark.parametrize('method', ['html', 'ifirvos'])
def test_all_frames_are_tested_at_360_and_640(method):
    """Both papers limit the long side, unlike ReferFormer's script."""
    for path in (CONFIGS / method).rglob('*.py'):
        if '_base_' in path.parts or 'tiny' in path.name:
            continue
        pipeline = Config.fromfile(path).test_dataloader.dataset.pipeline
        resize, = (s for s in pipeline if s.type == 'ClipResize')
        assert (resize.short_sides, resize.longest) == (360, 640), path


@pytest.mark.parametrize('method', ['ifirvos', 'html'])
def test_weights_of_another_backbone_are_not_asked_for(method):
    for path in (CONFIGS / method).rglob('*.py'):
        if '_base_' in path.parts:
            continue
        source = Config.fromfile(path).get('load_from')
        if source is not None:
            assert f"_{path.stem.split('_')[0]}_" in source, path


@pytest.mark.parametrize('method', ['mttr', 'soc'])
def test_the_best_epoch_on_a2d_is_kept(method):
    """The official code of both methods selects by mAP."""
    for path in (CONFIGS / method).glob('*_a2d*.py'):
        cfg = load_config(path)
        hook = HOOKS.build(cfg.default_hooks.checkpoint)
        assert hook.save_best == ['a2d/mAP'], path
        assert hook.rules == ['greater'], path
        metric = METRICS.build(cfg.val_evaluator)
        prefix, name = hook.save_best[0].split('/')
        assert prefix == metric.default_prefix
        assert name in metric.headline


@pytest.mark.parametrize('name', [
    'datasets/a2d_sentences', 'datasets/ref_davis17',
    '../html/_base_/a2d_sentences', '../html/_base_/ref_youtube_vos',
    '../referformer/_base_/refcoco_ref_youtube_vos',
    '../mutr/_base_/refcoco_ref_youtube_vos'
])
def test_augmentation_is_that_of_referformer(name):
    """Each data file shows its pipeline; those of one recipe are equal."""
    pipeline = read('_base_/datasets/ref_youtube_vos').train_pipeline
    assert read(f'_base_/{name}').train_pipeline[1:] == pipeline[1:]


@pytest.mark.parametrize('data', ['ytvos', 'mevis'])
def test_motion_is_all_that_a_motion_config_adds(data):
    base, cfg = (read(f'referformer/r50_{data}{name}')
                 for name in ('', '_motion'))
    assert cfg.model.pop('temporal').type == 'TemporalMixer'
    assert cfg.model.pop('motion_head').type == 'MotionHead'
    assert cfg.model == base.model
    assert cfg.load_from == base.load_from
    assert cfg.optim_wrapper == base.optim_wrapper
    # the mixer counts frames, the targets are the motion of all objects
    data, old = cfg.train_dataloader.dataset, base.train_dataloader.dataset
    assert data.num_frames == data.pipeline[0].num_frames == 8
    assert data.pipeline[0].type == 'SampleConsecutiveFrames'
    assert data.pipeline[2].all_objects
    assert data.pipeline[3:] == old.pipeline[3:]
    assert data.ann_file == old.ann_file

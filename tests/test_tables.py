"""Tables of numbers: made from the metafiles, and never anything else."""
import argparse
import json
import re
import runpy
import shlex
import shutil
import sys
from pathlib import Path

import pytest
import yaml
from mmengine.config import Config, DictAction

from mmrvos.commands import table
from mmrvos.metafiles import model_name
from mmrvos.model_index import read_model_index
from mmrvos.tables import SPLITS, filled, pages

from .config_values import leaf_configs, name_of

ROOT = Path(__file__).resolve().parents[1]
MODELS = read_model_index(ROOT)


def call(monkeypatch, *args):
    monkeypatch.setattr(sys, 'argv', ['mmrvos table', *map(str, args)])
    table.main()


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> Path:
    """A copy of what tables are made from: one method and two pages."""
    for name in ('configs/soc', 'configs/_base_',
                 'configs/referformer/_base_'):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / 'docs').mkdir()
    shutil.copy(ROOT / 'docs/moving_shapes_ceilings.yml', tmp_path / 'docs')
    (tmp_path / 'model-index.yml').write_text(
        'Import:\n  - configs/soc/metafile.yml\n')
    (tmp_path / 'README.md').write_text(
        '# Page\n\n<!-- table: methods -->\nold\n<!-- end of table -->\n'
        'text\n\n<!-- table: Moving Shapes (small) -->\n'
        '<!-- end of table -->\n')
    monkeypatch.setattr(table, 'index_folder', lambda: tmp_path)
    return tmp_path


def rows(text: str) -> list[dict[str, str]]:
    """Read the last table of a text."""
    head, _, *lines = [
        [cell.strip() for cell in line.strip('|').split(' | ')]
        for line in text.split('<!-- table: ')[-1].splitlines()
        if line.startswith('|')
    ]
    return [dict(zip(head, line, strict=True)) for line in lines]


def test_pages_are_made_from_metafiles_and_configs(monkeypatch):
    """Fails if a README, a metafile and a config contradict each other."""
    monkeypatch.setattr(sys, 'argv', ['make_tables.py', '--check'])
    runpy.run_path(str(ROOT / 'tools/analysis_tools/make_tables.py'),
                   run_name='__main__')


def test_every_method_page_and_the_zoo_have_tables():
    # a method without any number yet has a table of commands instead
    names = {p.relative_to(ROOT).as_posix() for p in pages(ROOT)}
    methods = {p.parent.relative_to(ROOT).as_posix()
               for p in ROOT.glob('configs/*/metafile.yml')
               if 'Results:' in p.read_text()}
    assert names >= {f'{m}/README.md' for m in methods} | {
        'README.md', 'docs/model_zoo.md', 'docs/moving_shapes.md'}
    zoo = (ROOT / 'docs/model_zoo.md').read_text()
    for name in MODELS:
        assert f'[{name}](' in zoo


@pytest.mark.parametrize('path', leaf_configs(), ids=name_of)
def test_paper_numbers_in_comments_are_in_the_metafile(path):
    """A config may say 'Paper: J&F 62.4 on ..., 63.5 on ...'."""
    comment = ''.join(
        line[1:] for line in path.read_text().split('\n_base_')[0].splitlines()
        if line.startswith('#'))
    said = re.search(r'Paper: (.*?)\.(?: |$)', comment)
    if said is None:
        return
    name = model_name(path)
    known = {float(value) for e in MODELS.values()
             if name in (e.name, e.weights_from)
             for r in e.results for value in r.metrics.values()}
    numbers = re.findall(r'\d+\.\d+', said[1])
    assert {float(n) for n in numbers} <= known


def test_stale_pages_are_named_and_then_written(checkout, monkeypatch,
                                                capsys):
    with pytest.raises(SystemExit, match=r'configs: .*README\.md; run'):
        call(monkeypatch, '--check')
    assert 'old' in (checkout / 'README.md').read_text()
    call(monkeypatch)
    text = (checkout / 'README.md').read_text()
    assert 'old' not in text and text.count('text\n') == 1
    assert '| [SOC](configs/soc/README.md) | paper | [67.3](' in text
    metrics = read_model_index(checkout)['soc_tiny_shapes'].results[0].metrics
    assert rows(text)[0]['static3'] == (
        f'{metrics["J&F/static3"]:.1f} / {metrics["hit/static3"]:.0f}')
    capsys.readouterr()
    call(monkeypatch, '--check')
    assert capsys.readouterr().out == ''


def test_facts_of_a_changed_config_reach_its_metafile(checkout, monkeypatch):
    config = checkout / 'configs/soc/video-swin-t_ytvos.py'
    config.write_text(config.read_text().replace('=20)', '=21)'))
    with pytest.raises(SystemExit, match='configs/soc/metafile.yml'):
        call(monkeypatch, '--check')
    call(monkeypatch)
    entry = read_model_index(checkout)['soc_video-swin-t_ytvos']
    assert entry.metadata['Epochs'] == 21


def test_a_new_config_gets_an_entry(checkout, monkeypatch):
    folder = checkout / 'configs/soc'
    (folder / 'ablations/mine.py').write_text(
        "_base_ = '../video-swin-t_ytvos.py'\n")
    call(monkeypatch)
    entry = read_model_index(checkout)['soc_mine']
    assert entry.config == folder / 'ablations/mine.py'
    assert entry.metadata['Epochs'] == 20 and not entry.results


def test_two_models_of_one_name(checkout):
    metafile = checkout / 'configs/soc/metafile.yml'
    content = yaml.safe_load(metafile.read_text())
    content['Models'] += content['Models'][:1]
    metafile.write_text(yaml.safe_dump(content))
    with pytest.raises(ValueError, match='rename one of them'):
        read_model_index(checkout)


def test_metrics_of_a_test_become_a_row(checkout, monkeypatch):
    """A second test replaces the row of the first; the paper's row stays."""
    name, file = 'soc_video-swin-t_ytvos', checkout / 'metrics.json'
    for value in (61.111, 62.222):
        file.write_text(json.dumps(dict(
            config=str(checkout / 'configs/soc/video-swin-t_ytvos.py'),
            checkpoint='x.pth', command='python tools/test.py x', seed=None,
            metrics={'ytvos/J&F': value, 'ytvos/J&F/static': 1.,
                     'ytvos/stability': 0.5})))
        call(monkeypatch, '--add', file, '--source', 'converted')
    paper, ours = read_model_index(checkout)[name].results
    assert (paper.source, paper.metrics) == (
        'paper', {'J&F': 62.4, 'J': 61.1, 'F': 63.7})
    assert (ours.source, ours.metrics) == ('converted', {'J&F': 62.22})
    assert (ours.seed, ours.command) == (None, 'python tools/test.py x')
    assert '| converted | [62.2](' in (checkout / 'README.md').read_text()
    page = (checkout / 'configs/soc/README.md').read_text()
    assert '| converted | 62.22 |' in page and '| paper | 62.40 |' in page
    with pytest.raises(SystemExit, match='needs the seed of its training'):
        call(monkeypatch, '--add', file)
    call(monkeypatch, '--add', file, '--seed', 3)
    assert read_model_index(checkout)[name].results[-1].seed == 3


@pytest.mark.parametrize('content, message', [
    ('{}', 'is not a file of tools/test.py --out'),
    ('no json', 'is not a file of tools/test.py --out'),
    ('{"config": "configs/soc/tiny_shapes.py", "command": "", "seed": 0, '
     '"metrics": {"loss": 1.0}}', "none of J&F, .* is among"),
])
def test_a_wrong_result_changes_nothing(content, message, checkout,
                                        monkeypatch):
    before = (checkout / 'configs/soc/metafile.yml').read_text()
    (checkout / 'metrics.json').write_text(content)
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit, match=message):
        call(monkeypatch, '--add', checkout / 'metrics.json')
    assert (checkout / 'configs/soc/metafile.yml').read_text() == before


@pytest.mark.parametrize('marker, message', [
    ('sco; Ref-DAVIS17', 'names no method or data set'),
    ('soc; Ref-DAVIS', "no model of soc has a result on 'Ref-DAVIS'"),
    ('soc', 'names no method or data set'),
    ('soc; ablations of nothing', "'nothing' is no config"),
    ('Moving Shapes (small); nobody', "'nobody' is no model"),
])
def test_a_marker_that_names_nothing(marker, message, checkout):
    page = checkout / 'README.md'
    page.write_text(f'<!-- table: {marker} -->\n<!-- end of table -->\n')
    with pytest.raises(ValueError, match=f'README.md: .*{message}'):
        filled(page, checkout)


def write_work_dir(work_dir: Path, name: str = 'tiny_shapes',
                   options: dict | None = None) -> None:
    """Write the config and the log of a training that was resumed once."""
    log = work_dir / '20260101_000000' / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    config, = (ROOT / 'configs' / work_dir.parent.name).rglob(f'{name}.py')
    used = Config.fromfile(config)
    used.merge_from_dict(options or {})
    used.work_dir, used.launcher = str(work_dir), 'none'
    used.dump(work_dir / f'{name}.py')
    used.dump(log.with_name('config.py'))
    scores = {'shapes/J&F': 50., 'shapes/hit': 60., 'shapes/J': 9.}
    for i, split in enumerate(s for s in SPLITS if s != 'total'):
        scores |= {f'shapes/J&F/{split}': 10. + i, f'shapes/hit/{split}': 20.}
    train = [
        dict(loss=1., iter=50, time=6.),
        # repeated after a stop: its first time does not count
        dict(loss=1., iter=100, time=600.),
        dict(loss=1., iter=100, time=12.),
    ]
    scores['step'] = used.train_cfg.max_epochs
    log.write_text('\n'.join(map(json.dumps, [*train, scores])))


def test_a_training_becomes_a_row(checkout, monkeypatch, tmp_path):
    work_dir = tmp_path / 'work_dirs/soc/tiny_shapes'
    write_work_dir(work_dir)
    call(monkeypatch, '--add', work_dir, '--machine', 'a laptop')
    result = read_model_index(checkout)['soc_tiny_shapes'].results[0]
    assert result.training == {
        'Clips': 1600, 'Minutes': 15, 'Parameters': 2.6, 'Machine': 'a laptop'}
    row = rows((checkout / 'README.md').read_text())[0]
    assert row['seed'] == '0' and row['machine'] == 'a laptop'
    assert row['static3'] == '10.0 / 20' and row['total'] == '50.0 / 60'


def test_a_row_per_seed(checkout, monkeypatch, tmp_path):
    """A seed replaces its own row, and the table of methods has the mean."""
    for seed, value in [(0, 40.), (1, 50.), (2, 51.), (1, 56.)]:
        work_dir = tmp_path / f'{value}/soc/tiny_shapes'
        write_work_dir(work_dir, options={'randomness.seed': seed})
        scores = next(work_dir.rglob('scalars.json'))
        scores.write_text(scores.read_text().replace(
            '"shapes/J&F": 50.0', f'"shapes/J&F": {value}'))
        call(monkeypatch, '--add', work_dir)
    results = read_model_index(checkout)['soc_tiny_shapes'].results
    assert [(r.seed, r.metrics['J&F']) for r in results] == [
        (0, 40), (2, 51), (1, 56)]
    page = (checkout / 'README.md').read_text()
    assert [r['seed'] for r in rows(page)[:3]] == ['0', '2', '1']
    assert '[49.0](configs/soc/tiny_shapes.py)' in page
    with pytest.raises(SystemExit, match='the seed 1: remove --seed 2'):
        call(monkeypatch, '--add', work_dir, '--seed', 2)
    with pytest.raises(SystemExit, match='or a work dir'):
        call(monkeypatch, '--add', tmp_path / 'none')


def test_clips_of_whole_epochs(checkout, monkeypatch, tmp_path):
    """Epochs of 75 steps, of which one is logged; one more was begun."""
    work_dir = tmp_path / 'soc/tiny_shapes'
    write_work_dir(work_dir)
    log = next(work_dir.rglob('scalars.json'))
    *_, scores = log.read_text().splitlines()
    train = [dict(loss=1., iter=50 + 75 * epoch, epoch=epoch + 1, time=8.)
             for epoch in range(101)]
    log.write_text('\n'.join([*map(json.dumps, train), scores]))
    call(monkeypatch, '--add', work_dir)
    training = read_model_index(checkout)['soc_tiny_shapes'].results[-1]
    assert training.training['Clips'] == 100 * 75 * 16
    assert training.training['Minutes'] == 100 * 75 * 8 / 60


def test_the_command_of_an_ablation(checkout, monkeypatch, tmp_path):
    work_dir = tmp_path / 'soc/tiny_shapes_5queries'
    write_work_dir(work_dir, work_dir.name)
    call(monkeypatch, '--add', work_dir)
    model = read_model_index(checkout)['soc_tiny_shapes_5queries']
    assert model.results[0].command == (
        'python tools/train.py configs/soc/ablations/tiny_shapes_5queries.py')


def test_the_command_has_the_options_of_the_training(checkout, monkeypatch,
                                                     tmp_path):
    options = {
        'train_dataloader.batch_size': 16,
        'randomness.seed': 2,
        'model.cluster': None,
        'model.head.loss_weights.giou': 0.25,
        'optim_wrapper.optimizer.betas': (0.8, 0.99),
        'param_scheduler.0.end': 10,
        'val_evaluator.extras': ['target', 'spans'],
        'load_from': 'start.pth',
    }
    work_dir = tmp_path / 'soc/tiny_shapes'
    write_work_dir(work_dir, options=options)
    call(monkeypatch, '--add', work_dir)
    result = read_model_index(checkout)['soc_tiny_shapes'].results[-1]
    assert result.seed == 2
    start, said = result.command.split(' --cfg-options ')
    assert start == 'python tools/train.py configs/soc/tiny_shapes.py'
    parser = argparse.ArgumentParser()
    parser.add_argument('--options', nargs='+', action=DictAction)
    read = parser.parse_args(['--options', *shlex.split(said)]).options
    assert read == options


def test_options_that_do_not_belong_to_the_recipe(checkout, monkeypatch,
                                                  tmp_path):
    work_dir = tmp_path / 'soc/tiny_shapes'
    write_work_dir(work_dir, options={
        'resume': True, 'load_from': str(work_dir / 'epoch_3.pth'),
        'default_hooks.checkpoint.max_keep_ckpts': 30,
        'default_hooks.checkpoint.interval': 1, 'train_cfg.val_interval': 5})
    call(monkeypatch, '--add', work_dir)
    result = read_model_index(checkout)['soc_tiny_shapes'].results[-1]
    assert result.command == (
        'python tools/train.py configs/soc/tiny_shapes.py')


def test_a_change_that_no_option_expresses(checkout, monkeypatch, tmp_path):
    work_dir = tmp_path / 'soc/tiny_shapes'
    write_work_dir(work_dir, options={'train_dataloader.dataset.pipeline': [
        dict(type='LoadFrames')]})
    with pytest.raises(SystemExit, match=(
            r'soc/tiny_shapes.py differs from it in '
            r'train_dataloader.dataset.pipeline, which no option can')):
        call(monkeypatch, '--add', work_dir)


@pytest.mark.parametrize('options, step, message', [
    ({}, 92, 'the last validation is after 92 of 100 epochs'),
    ({'train_cfg.max_epochs': 120}, 100, 'is after 100 of 120 epochs'),
    ({'train_cfg.max_epochs': 92}, 92, 'the training had 92 of 100 epochs'),
    ({'val_dataloader.dataset.indices': 1}, 100, 'used a part of the data'),
    ({'train_dataloader.dataset.indices': 4}, 100, 'used a part of the data'),
])
def test_a_result_of_less_than_the_config(options, step, message, checkout,
                                          monkeypatch, tmp_path):
    work_dir = tmp_path / 'soc/tiny_shapes'
    write_work_dir(work_dir, options=options)
    scores = next(work_dir.rglob('scalars.json'))
    scores.write_text(
        re.sub('"step": [0-9]+', f'"step": {step}', scores.read_text()))
    before = read_model_index(checkout)['soc_tiny_shapes'].results
    with pytest.raises(SystemExit, match=message):
        call(monkeypatch, '--add', work_dir)
    assert read_model_index(checkout)['soc_tiny_shapes'].results == before


def test_a_later_run_without_validation_changes_no_row(checkout, monkeypatch,
                                                       tmp_path):
    """--resume of a finished training writes its config and no scores."""
    work_dir = tmp_path / 'soc/tiny_shapes'
    write_work_dir(work_dir, options={'val_dataloader.dataset.indices': 1})
    log = work_dir / '20260102_000000' / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    log.touch()
    for path in (work_dir / 'tiny_shapes.py', log.with_name('config.py')):
        Config.fromfile(ROOT / 'configs/soc/tiny_shapes.py').dump(path)
    with pytest.raises(SystemExit, match='val_dataloader.dataset.indices'):
        call(monkeypatch, '--add', work_dir)


@pytest.mark.parametrize('scores, message', [
    (None, 'is no work dir of a training'),
    ('', 'holds no validation'),
    ('{"loss": 1.0, "it', r'scalars.json: line 1 is no JSON object'),
    ('{"shapes/J&F": 5.0, "step": 3}', 'holds no training step')])
def test_what_is_no_training(scores, message, checkout, monkeypatch,
                             tmp_path):
    work_dir = tmp_path / 'soc/tiny_shapes'
    work_dir.mkdir(parents=True)
    if scores is not None:
        work_dir.rmdir()
        write_work_dir(work_dir)
        next(work_dir.rglob('scalars.json')).write_text(scores)
    good = tmp_path / 'good/soc/tiny_shapes'
    write_work_dir(good)
    before = read_model_index(checkout)['soc_tiny_shapes'].results
    with pytest.raises(SystemExit, match=message):
        call(monkeypatch, '--add', good, work_dir)
    # the results in front of a wrong one are not written either
    assert read_model_index(checkout)['soc_tiny_shapes'].results == before


def test_ceilings_file_has_all_columns():
    known = yaml.safe_load(
        (ROOT / 'docs/moving_shapes_ceilings.yml').read_text())
    for metrics in known['Moving Shapes (small)'].values():
        assert {f'J&F/{s}' for s in SPLITS if s != 'total'} < set(metrics)

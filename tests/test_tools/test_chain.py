"""Pre-training, fine-tuning and test: each step reads what the last wrote."""
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmrvos.metafiles import model_name
from mmrvos.utils import read_checkpoint

from .running import CONFIG, ROOT, options

CLASSIFIER = 'head.class_branches.'


def shrink(config: Path, target: Path) -> Path:
    """Write a config with a tiny model and two steps on Moving Shapes.

    What connects the steps stays: the name, ``load_from`` and ``load_cfg``.
    """
    cfg = Config.fromfile(ROOT / config)
    tiny = Config.fromfile(
        ROOT / 'configs' / config.parts[1] / 'tiny_shapes.py')
    data = Config.fromfile(ROOT / CONFIG)
    for key in ('category_head', 'dense_head'):  # of the tiny recipe
        tiny.model.pop(key, None)
    resize = dict(type='ClipResize', short_sides=[32])
    data.train_dataloader.update(batch_size=1)
    data.train_dataloader.dataset.update(indices=2)
    data.train_dataloader.dataset.pipeline[1:] = [
        dict(type='SampleExpressions', num=1),
        dict(type='LoadFrames'),
        dict(type='LoadClipMasks'), resize,
        dict(type='PackRVOSInputs')
    ]
    data.val_dataloader.dataset.update(indices=1)
    data.val_dataloader.dataset.pipeline.insert(2, resize)
    small = Config(dict(
        load_from=cfg.load_from,
        load_cfg=cfg.load_cfg,
        model=tiny.model,
        train_dataloader=data.train_dataloader,
        test_dataloader=data.val_dataloader,
        test_evaluator=data.val_evaluator,
        train_cfg=dict(by_epoch=True, max_epochs=1),
        test_cfg=dict(),
        optim_wrapper=data.optim_wrapper,
        default_hooks=data.default_hooks,
        default_scope='mmrvos',
        visualizer=cfg.visualizer)).to_dict()
    target.mkdir()
    (target / config.name).write_text(
        '\n'.join(f'{key} = {value!r}' for key, value in small.items()))
    return target / config.name


@pytest.mark.parametrize('folder, steps', [
    ('referformer', ('r50_refcoco-pretrain', 'r50_ytvos', 'r50_davis17')),
    ('soc', ('video-swin-t_refcoco-pretrain', 'video-swin-t_ytvos',
             'video-swin-t_davis17')),
])
def test_every_step_reads_what_the_last_wrote(folder, steps, shapes, tmp_path,
                                              tool, monkeypatch, capsys):
    monkeypatch.setenv('MMRVOS_HOME', str(tmp_path / 'home'))
    # yapf formats each dumped config, which takes half of the time
    monkeypatch.setattr('yapf.yapflib.yapf_api.FormatCode',
                        lambda text, **kwargs: (text, True))
    published = {}
    for i, step in enumerate(steps[:2]):
        config = Path('configs', folder, f'{step}.py')
        work_dir = tmp_path / 'work_dirs' / step
        # fine-tuning with a rate of zero shows which weights it started from
        tool('train.py', str(shrink(config, tmp_path / step)), '--work-dir',
             str(work_dir), *options(shapes, 'optim_wrapper.optimizer.lr='
                                     f'{0.01 * (i == 0)}'))
        target = tmp_path / f'home/checkpoints/{model_name(config)}.pth'
        tool('model_converters/publish_model.py',
             str(work_dir / 'epoch_1.pth'), str(target))
        published[step] = read_checkpoint(target)['state_dict']
    before, after = published.values()
    same = {key for key in before if torch.equal(before[key], after[key])}
    changed = {key for key in set(before) - same
               if not key.endswith(('running_mean', 'running_var',
                                    'num_batches_tracked'))}
    assert changed
    assert all(key.startswith(CLASSIFIER) for key in changed)

    config = Path('configs', folder, f'{steps[2]}.py')
    tool('test.py', str(shrink(config, tmp_path / steps[2])),
         f'checkpoints/{folder}_{steps[1]}.pth', '--work-dir', str(tmp_path),
         '--out', str(tmp_path / 'metrics.json'), *options(shapes))
    assert (tmp_path / 'metrics.json').is_file()
    file = tmp_path / f'home/checkpoints/{folder}_{steps[1]}.pth'
    assert f'Load checkpoint from {file}' in capsys.readouterr().out

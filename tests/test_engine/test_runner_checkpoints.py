"""What RVOSRunner saves, and how strictly it loads and resumes."""
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from mmrvos.engine import RVOSRunner
from mmrvos.engine.resuming import prepare_resume
from mmrvos.registry import MODELS
from mmrvos.utils import CheckpointMismatch, read_checkpoint

COUNT = itertools.count()


class Line(BaseModel):
    """Two weights that follow the mean of a batch."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.zeros(2))
        self.norm = nn.BatchNorm1d(2)

    def forward(self, inputs: Tensor, mode: str) -> dict | Tensor:
        loss = (self.norm(inputs) + self.slope - 1).square().mean()
        return dict(loss=loss) if mode == 'loss' else inputs


def runner(work_dir: Path, epochs: int = 1, **options) -> RVOSRunner:
    """A training on four samples in batches of two."""
    samples = torch.arange(8.).view(4, 2)
    config = dict(
        model=Line(),
        work_dir=str(work_dir),
        train_dataloader=dict(
            dataset=[dict(inputs=s) for s in samples],
            batch_size=2,
            sampler=dict(type='DefaultSampler', shuffle=False),
            collate_fn=dict(type='default_collate')),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='AdamW', lr=0.1)),
        param_scheduler=[
            dict(type='MultiStepLR', milestones=[1], by_epoch=True)
        ],
        default_scope='mmrvos',
        experiment_name=f'runner_{next(COUNT)}')
    built = RVOSRunner(**(config | options))
    built.cfg.plain = dict(scales=(1, 2), name='x')
    built.cfg.param_scheduler = (config | options)['param_scheduler']
    return built


@pytest.fixture(scope='module')
def trained(tmp_path_factory) -> Path:
    """A checkpoint after one epoch, with averaged weights."""
    folder = tmp_path_factory.mktemp('trained')
    running = runner(folder, custom_hooks=[dict(type='EMAHook')])
    running.message_hub.update_info('number', np.float32(3))
    running.message_hub.update_info('object', object())
    running.train()
    return folder / 'epoch_1.pth'


def ema_hook(running: RVOSRunner):
    return next(h for h in running.hooks if type(h).__name__ == 'EMAHook')


def test_saved_files_are_plain_data(trained):
    """torch.load needs no list of safe globals, and nothing is lost."""
    content = torch.load(trained, weights_only=True)
    hub = content['message_hub']
    history = hub['log_scalars']['train/loss']
    assert history['log_history'].shape == (2, )
    assert history['count_history'].tolist() == [1, 1]
    assert hub['runtime_info']['number'] == 3.
    assert 'object' not in hub['runtime_info']
    assert content['meta']['cfg']['plain'] == dict(scales=(1, 2), name='x')
    assert content['meta']['epoch'] == 1
    assert set(content['ema_state_dict']) >= {'steps', 'module.slope'}


def test_saving_does_not_format_the_config(tmp_path, monkeypatch):
    """Formatting takes a third of a second, and loses Ctrl-C."""
    running = runner(tmp_path)

    def fail(*args, **kwargs) -> None:
        raise AssertionError('the text of the config is not needed')

    monkeypatch.setattr('yapf.yapflib.yapf_api.FormatCode', fail)
    cfg = running.cfg
    running.optim_wrapper = running.build_optim_wrapper(running.optim_wrapper)
    running.save_checkpoint(
        str(tmp_path), 'a.pth', save_param_scheduler=False)
    content = torch.load(tmp_path / 'a.pth', weights_only=True)
    assert content['meta']['cfg'] == cfg.to_dict()
    assert running.cfg is cfg


def test_resumed_log_goes_on(trained, tmp_path):
    resumed = runner(
        tmp_path,
        epochs=2,
        resume=True,
        load_from=str(trained),
        custom_hooks=[dict(type='EMAHook')])
    resumed.train()
    assert resumed.epoch == 2
    history = resumed.message_hub.get_scalar('train/loss')
    assert isinstance(history, HistoryBuffer)
    assert history.data[0].shape == (4, )
    before = read_checkpoint(trained)['message_hub']['log_scalars']
    np.testing.assert_array_equal(
        history.data[0][:2], before['train/loss']['log_history'])
    assert np.isfinite(history.statistics('mean'))


@pytest.mark.parametrize('step, epoch', [(1, 0), (2, 1), (3, 1), (4, 2)])
def test_resuming_from_a_step(tmp_path, step, epoch):
    """The last step of an epoch ends it; within one, it starts again."""
    options = dict(param_scheduler=[
        dict(type='MultiStepLR', milestones=[1], by_epoch=True),
        dict(type='LinearLR', end=6, by_epoch=False)
    ])
    whole = runner(
        tmp_path / 'whole', 3, **options, default_hooks=dict(
            checkpoint=dict(
                type='CheckpointHook', by_epoch=False, interval=1)))
    whole.train()
    resumed = runner(tmp_path / 'resumed', 3, **options, resume=True,
                     load_from=str(tmp_path / f'whole/iter_{step}.pth'))
    epochs = []

    class Epochs(Hook):

        def before_train_epoch(self, runner) -> None:
            epochs.append((runner.epoch, runner.iter))

    resumed.register_hook(Epochs())
    resumed.train()
    assert epochs == [(e, 2 * e) for e in range(epoch, 3)]
    assert resumed.iter == 6
    assert resumed.optim_wrapper.get_lr() == whole.optim_wrapper.get_lr()
    if step == 2 * epoch:
        assert resumed.model.slope.tolist() == whole.model.slope.tolist()


def test_resuming_a_finished_training_says_so(trained, tmp_path, caplog):
    resumed = runner(tmp_path, 1, resume=True, load_from=str(trained))
    resumed.logger.addHandler(caplog.handler)
    resumed.train()
    assert 'nothing is left to train' in caplog.text
    assert 'raise train_cfg.max_epochs' in caplog.text
    caplog.clear()
    resumed = runner(tmp_path, 2, resume=True, load_from=str(trained))
    resumed.logger.addHandler(caplog.handler)
    resumed.train()
    assert 'nothing is left' not in caplog.text
    # one that counts steps, of which the checkpoint has two
    resumed = runner(
        tmp_path,
        resume=True,
        load_from=str(trained),
        train_cfg=dict(by_epoch=False, max_iters=2))
    resumed.logger.addHandler(caplog.handler)
    resumed.train()
    assert 'raise train_cfg.max_iters' in caplog.text


def as_mmengine(path: Path, target: Path) -> Path:
    """Rewrite a checkpoint with the objects that MMEngine stores."""
    content = torch.load(path, weights_only=True)
    hub = content['message_hub']
    hub['log_scalars'] = {
        name: HistoryBuffer(value['log_history'].numpy(),
                            value['count_history'].numpy())
        for name, value in hub['log_scalars'].items()
    }
    hub['runtime_info']['number'] = np.float32(3)
    torch.save(content, target)
    return target


def test_older_checkpoints_are_resumed(trained, tmp_path):
    path = as_mmengine(trained, tmp_path / 'old.pth')
    old, new = read_checkpoint(path), read_checkpoint(trained)
    for name, value in new['message_hub']['log_scalars'].items():
        found = old['message_hub']['log_scalars'][name]
        assert torch.equal(found['log_history'], value['log_history'])
        assert found['max_length'] == value['max_length']
    assert old['message_hub']['runtime_info']['number'] == 3.
    resumed = runner(tmp_path, 2, resume=True, load_from=str(path))
    resumed.train()
    history = resumed.message_hub.get_scalar('train/loss')
    assert history.data[0].shape == (4, )


def test_config_text_is_not_run_by_resuming(trained, tmp_path):
    """MMEngine runs meta.config to find out the number of GPUs."""
    marker = tmp_path / 'marker'
    content = torch.load(trained, weights_only=True)
    content['meta']['config'] = f"open({str(marker)!r}, 'w').close()"
    torch.save(content, tmp_path / 'crafted.pth')
    runner(
        tmp_path, 2, resume=True,
        load_from=str(tmp_path / 'crafted.pth')).train()
    assert not marker.exists()


@pytest.mark.parametrize('change', [
    lambda c: c.pop('optimizer'),
    lambda c: c.pop('message_hub'),
    lambda c: c.update(meta=None),
    lambda c: c['meta'].pop('epoch'),
    lambda c: c['message_hub'].update(log_scalars=dict(a=3)),
])
def test_what_cannot_be_resumed_is_named(trained, tmp_path, change):
    content = torch.load(trained, weights_only=True)
    change(content)
    path = tmp_path / 'part.pth'
    torch.save(content, path)
    with pytest.raises(ValueError, match=r'part\.pth.*load_from'):
        runner(tmp_path, 2, resume=True, load_from=str(path)).train()


def test_files_that_a_checkpoint_names_are_not_deleted(trained, tmp_path):
    """CheckpointHook deletes its earlier files; MMEngine takes their names
    from the checkpoint, and deletes folders as well."""
    mine = tmp_path / 'mine'
    work = tmp_path / 'work'
    for folder in (mine, work / 'epoch_', work / 'folder.pth'):
        folder.mkdir(parents=True)
        (folder / 'notes.pth').touch()
    content = torch.load(trained, weights_only=True)
    info = content['message_hub']['runtime_info']
    named = dict(
        best_ckpt=str(mine),
        best_ckpt_a=str(mine / 'notes.pth'),
        best_ckpt_b=str(work / 'folder.pth'),
        last_ckpt=str(work / '../mine/notes.pth'),
        keep_ckpt_ids=['/../../mine/notes', 1])
    info.update(named)
    content['message_hub']['resumed_keys'].update(dict.fromkeys(named, True))
    own = dict(best_ckpt_c=str(work / 'best_c.pth'))
    info.update(own)
    path = work / 'crafted.pth'
    torch.save(content, path)
    checkpoint = read_checkpoint(path)
    prepare_resume(checkpoint, Line(), str(path))
    found = checkpoint['message_hub']['runtime_info']
    assert not named.keys() & found.keys()
    assert not named.keys() & checkpoint['message_hub']['resumed_keys'].keys()
    assert own.items() <= found.items()
    assert found['number'] == 3.

    hook = dict(checkpoint=dict(type='CheckpointHook', max_keep_ckpts=1))
    runner(
        work, 3, resume=True, load_from=str(path),
        default_hooks=hook).train()
    assert len(list(tmp_path.rglob('notes.pth'))) == 3
    assert [p.name for p in work.glob('epoch_*.pth')] == ['epoch_3.pth']


def loaded(path: Path, work_dir: Path, **options) -> RVOSRunner:
    """A runner whose EMAHook and model have loaded a file."""
    built = runner(
        work_dir,
        load_from=str(path),
        custom_hooks=[dict(type='EMAHook')],
        **options)
    built.call_hook('before_run')
    built.load_or_resume()
    return built


@pytest.mark.parametrize('prefix', ['', 'module.'])
def test_averaged_weights_get_every_key(tmp_path, prefix):
    """EMAHook loads by itself; keys with 'module.' passed it by."""
    weights = Line().state_dict()
    weights['slope'] += 7
    path = tmp_path / 'weights.pth'
    torch.save({f'{prefix}{k}': v for k, v in weights.items()}, path)
    built = loaded(path, tmp_path)
    averaged = ema_hook(built).ema_model.module.state_dict()
    for key, value in weights.items():
        assert torch.equal(averaged[key], value)
        assert torch.equal(built.model.state_dict()[key], value)


def test_dropped_keys_reach_the_averaged_weights(tmp_path):
    weights = Line().state_dict()
    weights['slope'] = torch.ones(9)
    weights['norm.weight'] += 4
    torch.save(weights, tmp_path / 'weights.pth')
    cfg = dict(load_cfg=dict(drop=['^slope']))
    built = runner(
        tmp_path,
        load_from=str(tmp_path / 'weights.pth'),
        custom_hooks=[dict(type='EMAHook')])
    built.cfg.merge_from_dict(cfg)
    built.call_hook('before_run')
    built.load_or_resume()
    averaged = ema_hook(built).ema_model.module.state_dict()
    assert averaged['slope'].tolist() == [0, 0]
    assert averaged['norm.weight'].tolist() == [5, 5]


class Published(nn.Module):
    """A part with published weights."""

    def __init__(self, pretrained: bool = True) -> None:
        super().__init__()
        self.score = nn.Parameter(torch.full((1, ), float(pretrained)))

    @classmethod
    def weights_from_checkpoint(cls, cfg: dict) -> None:
        cfg['pretrained'] = False


class PublishedModel(nn.Module):

    def __init__(self, part: dict) -> None:
        super().__init__()
        self.part = MODELS.build(part)
        self.head = nn.Linear(1, 1)


@pytest.mark.parametrize('drop, published', [
    ([], 0), (['^head'], 0), (['^head', r'^part\.sc'], 1)])
def test_parts_that_are_kept_have_their_published_weights(
        monkeypatch, drop, published):
    for kind in (Published, PublishedModel):
        monkeypatch.setitem(MODELS._module_dict, kind.__name__, kind)
    building = object.__new__(RVOSRunner)
    building._load_from = 'pretraining.pth'
    building.cfg = dict(load_cfg=dict(drop=drop))
    with DefaultScope.overwrite_default_scope('mmrvos'):
        model = building.build_model(
            dict(type='PublishedModel', part=dict(type='Published')))
    assert model.part.score.item() == published


@pytest.mark.parametrize('group', ['state_dict', 'ema_state_dict'])
def test_mismatches_of_a_training_are_named(trained, tmp_path, group):
    content = torch.load(trained, weights_only=True)
    prefix = 'module.' if group == 'ema_state_dict' else ''
    content[group][f'{prefix}extra'] = content[group].pop(f'{prefix}slope')
    path = tmp_path / 'other.pth'
    torch.save(content, path)
    with pytest.raises(CheckpointMismatch,
                       match=r'(?s)other\.pth.*slope.*extra'):
        loaded(path, tmp_path, resume=True)

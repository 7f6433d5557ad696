import argparse

from mmengine.config import Config

from mmrvos.downloads import is_remote
from mmrvos.model_index import checkpoint_hint
from mmrvos.utils import (
    KeyValueAction,
    check_file,
    check_output_folder,
    clear_errors,
    find_checkpoint,
)

# Functions import what imports torch: --help does not wait for it.


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Train a model')
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--work-dir',
        help='folder of logs and checkpoints (default: work_dirs/<method>/'
        '<config name>)')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='continue from this checkpoint; without a file, from the latest '
        'checkpoint of the work dir')
    parser.add_argument(
        '--amp',
        nargs='?',
        const='fp16',
        choices=['bf16', 'fp16'],
        help='mixed precision on a GPU (default: fp16)')
    parser.add_argument(
        '--compile',
        action='store_true',
        help='compile the large parts of the model with torch.compile')
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='multiply the learning rate by the number of clips per step, '
        'divided by auto_scale_lr.base_batch_size')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=KeyValueAction,
        metavar='KEY=VALUE',
        help='change values of the config, e.g. train_dataloader.batch_size=2 '
        'optim_wrapper.optimizer.lr=5e-5; a key that does not exist is '
        'an error')
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='the program that starts the processes, see tools/dist_train.sh')
    # torch.distributed.launch passes it, torchrun sets the variable
    parser.add_argument(
        '--local_rank', '--local-rank', type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def use_amp(cfg: Config, precision: str) -> None:
    from mmrvos.utils import ConfigError

    kind = cfg.optim_wrapper.get('type', 'OptimWrapper')
    if kind not in ('OptimWrapper', 'AmpOptimWrapper'):
        raise ConfigError(
            f'--amp replaces an OptimWrapper, but the config uses {kind}')
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
    cfg.optim_wrapper.dtype = dict(
        bf16='bfloat16', fp16='float16')[precision]


def check_amp(cfg: Config) -> None:
    from mmengine import device

    from mmrvos.utils import ConfigError

    kind = str(cfg.get('optim_wrapper', {}).get('type', ''))
    if kind.endswith('AmpOptimWrapper') and not (
            device.is_cuda_available() or device.is_npu_available()
            or device.is_mlu_available() or device.is_musa_available()):
        raise ConfigError(
            "--amp (or optim_wrapper.type='AmpOptimWrapper') needs a GPU, and "
            'there is none: leave it out')


def use_auto_scale_lr(cfg: Config) -> None:
    from mmrvos.utils import ConfigError

    if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
        raise ConfigError(
            '--auto-scale-lr needs auto_scale_lr.base_batch_size in the '
            'config: the number of clips per step that its learning rate is '
            'tuned for')
    cfg.auto_scale_lr.enable = True


def check_load_from(cfg: Config) -> None:
    source = cfg.get('load_from')
    if not source or is_remote(source):
        return
    try:
        check_file(find_checkpoint(source))
    except FileNotFoundError as error:
        raise FileNotFoundError(f'{error}{checkpoint_hint(source)}') from None


def train(args: argparse.Namespace) -> None:
    from mmrvos.engine import (
        RVOSRunner,
        bare_model,
        check_resumable,
        latest_checkpoint,
    )
    from mmrvos.utils import default_work_dir, load_config

    cfg = load_config(args.config, args.cfg_options)
    cfg.launcher = args.launcher
    cfg.work_dir = (
        args.work_dir or cfg.get('work_dir') or default_work_dir(args.config))
    if args.amp:
        use_amp(cfg, args.amp)
    check_amp(cfg)
    if args.auto_scale_lr:
        use_auto_scale_lr(cfg)
    check_output_folder(cfg.work_dir)
    if args.resume:
        cfg.resume = True
        cfg.load_from = None if args.resume == 'auto' else args.resume
    if cfg.get('resume') and not cfg.get('load_from'):
        cfg.load_from = latest_checkpoint(cfg.work_dir)
    if cfg.get('load_from') and not cfg.get('resume'):
        from mmrvos.weights import resolve_weights  # imports web clients
        cfg.load_from = resolve_weights(cfg.load_from)
    check_load_from(cfg)
    if cfg.get('resume'):
        check_resumable(cfg.load_from)
    runner = RVOSRunner.from_cfg(cfg)
    if args.compile:
        bare_model(runner.model).compile_parts()
    runner.train()


@clear_errors
def main() -> None:
    train(parse_args())
    from mmrvos.engine import disconnect
    disconnect()


if __name__ == '__main__':
    main()

import argparse
import shlex
import sys

import mmengine

from mmrvos.downloads import is_remote
from mmrvos.model_index import checkpoint_hint
from mmrvos.utils import (
    KeyValueAction,
    check_file,
    check_output_file,
    check_output_folder,
    clear_errors,
    find_checkpoint,
)

# Functions import what imports torch: --help does not wait for it.


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Evaluate a checkpoint')
    parser.add_argument('config', help='config file')
    parser.add_argument(
        'checkpoint',
        nargs='?',
        help='checkpoint file, URL or name of a model (mmrvos list), whose '
        'weights are fetched; every key must fit. GroundedSegmentor '
        'and SAM3Segmentor load published weights and have none')
    parser.add_argument(
        '--work-dir',
        help='folder of the log (default: work_dirs/<method>/<config name>)')
    parser.add_argument(
        '--out',
        metavar='FILE.json',
        help='write the metrics to this file; `mmrvos table --add` reads it')
    parser.add_argument(
        '--show-dir',
        metavar='DIR',
        help='folder for overlays of the predicted masks: per test video one '
        'video and one image of some frames')
    parser.add_argument(
        '--amp',
        nargs='?',
        const='bf16',
        choices=['auto', 'bf16', 'fp16'],
        help='mixed precision (default: bf16); auto takes what the device '
        'computes in hardware; fp16 needs a GPU')
    parser.add_argument(
        '--compile',
        action='store_true',
        help='compile the large parts of the model with torch.compile')
    parser.add_argument(
        '--tta',
        nargs='*',
        type=float,
        metavar='SCALE',
        help='test-time augmentation: test each clip also mirrored, with left '
        'and right swapped in the sentences, at these scales (default: 1), '
        'and merge the masks by a vote')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=KeyValueAction,
        metavar='KEY=VALUE',
        help='change values of the config, e.g. data_root=DIR; a key that '
        'does not exist is an error')
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='the program that starts the processes, see tools/dist_test.sh')
    # torch.distributed.launch passes it, torchrun sets the variable
    parser.add_argument(
        '--local_rank', '--local-rank', type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def test(args: argparse.Namespace) -> None:
    if args.out:
        if not args.out.endswith('.json'):
            raise ValueError(
                f'--out {args.out}: expected a name that ends in .json')
        check_output_file(args.out)
    if args.show_dir:
        check_output_folder(args.show_dir)
    if args.checkpoint:
        from mmrvos.weights import resolve_weights  # imports web clients
        args.checkpoint = resolve_weights(args.checkpoint)
    if args.checkpoint and not is_remote(args.checkpoint):
        try:
            check_file(find_checkpoint(args.checkpoint))
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f'{error}{checkpoint_hint(args.checkpoint)}') from None
    from mmengine.dist import is_main_process

    from mmrvos.engine import evaluate
    from mmrvos.utils import default_work_dir, load_config, needs_checkpoint
    from mmrvos.utils.unfinished import replacing

    cfg = load_config(args.config, args.cfg_options)
    if not args.checkpoint and needs_checkpoint(cfg.model):
        raise ValueError(
            f'{args.config} needs a checkpoint: pass a file or URL behind '
            'the config')
    cfg.launcher = args.launcher
    cfg.work_dir = (
        args.work_dir or cfg.get('work_dir') or default_work_dir(args.config))
    check_output_folder(cfg.work_dir)
    if args.show_dir:
        cfg.default_hooks.visualization.update(
            draw=True, out_dir=args.show_dir)
    if args.amp:
        cfg.merge_from_dict({'model.test_cfg.amp': args.amp})
    tta_scales = None if args.tta is None else args.tta or [1.]
    metrics = evaluate(cfg, args.checkpoint, args.compile, tta_scales)
    if args.out and is_main_process():
        with replacing(args.out) as partial:
            mmengine.dump(
                dict(
                    config=args.config,
                    checkpoint=args.checkpoint,
                    command=shlex.join(['python', *sys.argv]),
                    seed=cfg.get('randomness', {}).get('seed'),
                    metrics=metrics),
                partial,
                indent=2)
        print(f'metrics written to {args.out}')


@clear_errors
def main() -> None:
    test(parse_args())
    from mmrvos.engine import disconnect
    disconnect()


if __name__ == '__main__':
    main()

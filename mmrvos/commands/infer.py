"""Segment a video by sentences.

    mmrvos infer referformer_tiny_shapes shapes.mp4 "the small red circle"
    mmrvos infer configs/referformer/r50_ytvos.py 'frames/*.jpg' "a red car" \\
        --weights r50_ytvos.pth
    mmrvos infer referformer_r50_ytvos 0 "the cup" --window 8  # a camera

Weights of a name are fetched on first use, see `mmrvos download`. Writes into
--out-dir: overlay.mp4 and overlay.png (the masks over the video, and some of
its frames), masks/<sentence>/<frame>.png (0 or 255), result.json (scores and
areas). Results of an earlier run in this folder are replaced.
"""
import argparse
import signal
from pathlib import Path

from mmrvos.apis import (
    OUTPUTS,
    LiveVideo,
    VideoSource,
    check_folder,
    find_model,
    open_video,
)
from mmrvos.apis.arguments import check_device, check_min_score, check_texts
from mmrvos.utils import KeyValueAction, clear_errors
from mmrvos.visualization import STYLES, check_fps


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'model', metavar='NAME', help='see `mmrvos list`; or a config file')
    parser.add_argument(
        'video',
        help='video file, folder of frames, quoted glob, index of a camera, '
        'or a URL (http, rtsp, ...)')
    parser.add_argument(
        'text',
        nargs='+',
        metavar='SENTENCE',
        help='what to segment; the video is encoded once for all sentences')
    add_options(parser, out_dir='output')
    return parser.parse_args()


def add_options(parser: argparse.ArgumentParser, out_dir: str) -> None:
    """Add all options of inference.

    Args:
        parser: gets the options.
        out_dir: default of --out-dir.
    """
    parser.add_argument(
        '--weights',
        help='checkpoint file or URL; default: that of model-index.yml')
    parser.add_argument(
        '--out-dir', default=out_dir, help='default: %(default)s')
    parser.add_argument(
        '--device', help="'cuda:0', 'cpu', ...; default: the first GPU if any")
    parser.add_argument(
        '--window',
        type=int,
        help='frames decoded together: the video is read, segmented and '
        'written in windows, so that memory does not grow with its length; '
        'default: that of the config')
    parser.add_argument(
        '--overlap',
        type=int,
        help='frames shared by neighbouring windows; default: that of the '
        'config')
    parser.add_argument(
        '--max-frames',
        type=int,
        metavar='N',
        help='end after N frames; Ctrl-C also ends a camera or a stream, and '
        'the frames so far are written')
    parser.add_argument(
        '--amp',
        nargs='?',
        const='bf16',
        choices=['auto', 'bf16', 'fp16'],
        help='mixed precision (bf16 if no value is given); auto takes what '
        'the device computes in hardware; fp16 needs a GPU')
    parser.add_argument(
        '--compile',
        action='store_true',
        help='use torch.compile: takes minutes, pays for long videos')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=KeyValueAction,
        metavar='KEY=VALUE',
        help='change values of the config, e.g. '
        'model.text_encoder.name=FOLDER; unknown keys are refused')
    parser.add_argument(
        '--fps',
        type=float,
        help='frames per second of the overlay; default: that of the video, '
        'or 10')
    parser.add_argument(
        '--style',
        choices=list(STYLES),
        help='of the overlay: lines around the objects, a dark background, '
        'or tinted objects; default: that of the config (outline)')
    parser.add_argument(
        '--min-score',
        type=float,
        default=0.,
        help='sentences with a lower score get empty masks (not found); '
        'default: %(default)s, see docs/inference.md')
    parser.add_argument(
        '--no-progress', action='store_true', help='show no progress bars')


def infer(args: argparse.Namespace) -> None:
    """Segment ``args.video`` by the sentences ``args.text``."""
    # everything that needs no model is checked before the model is loaded
    video = open_video(args.video, args.max_frames)
    check_texts(args.text)
    check_min_score(args.min_score)
    if args.fps is not None:
        check_fps(args.fps)
    try:
        check_folder(args.out_dir, OUTPUTS)
    except OSError as error:
        error.add_note('from --out-dir')
        raise
    if args.device is not None:
        check_device(args.device)
    weights = args.weights
    is_config = Path(args.model).suffix == '.py' or Path(args.model).is_file()
    if weights is None and not is_config:
        from mmrvos.weights import needed_weights  # imports web clients
        weights = needed_weights(
            find_model(args.model), progress=not args.no_progress)
    from mmrvos.apis import RVOSInferencer  # imports torch
    inferencer = RVOSInferencer(
        args.model,
        weights,
        device=args.device,
        window=args.window,
        overlap=args.overlap,
        amp=args.amp,
        compile=args.compile,
        style=args.style,
        cfg_options=args.cfg_options,
        show_progress=not args.no_progress)
    stop_at_interrupt(video)
    results = inferencer(
        video,
        args.text,
        out_dir=args.out_dir,
        fps=args.fps,
        min_score=args.min_score)
    for e, result in enumerate(results):
        note = '' if result.found else '  (not found)'
        print(f'{e}  score {result.score:.2f}  {result.text}{note}')
    print(f'{args.out_dir}: overlay.mp4, overlay.png, masks/, result.json')


def stop_at_interrupt(video: VideoSource) -> None:
    """Let Ctrl-C end a live video; a second Ctrl-C ends the program."""
    if not isinstance(video, LiveVideo):
        return

    def stop(*_) -> None:
        video.stop()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    print(f'{video.name}: Ctrl-C ends the video', flush=True)
    signal.signal(signal.SIGINT, stop)


@clear_errors
def main() -> None:
    infer(parse_args())

"""Segment a video by sentences.

    python demo/video_demo.py dog.mp4 --text "the dog that jumps" "the ball"
    python demo/video_demo.py 'frames/*.jpg' --text "a red car" \\
        --model configs/referformer/r50_ytvos.py --weights r50_ytvos.pth

Writes into --out-dir: overlay.mp4 and overlay.png (the masks over the video,
and some of its frames), masks/<sentence>/<frame>.png (0 or 255), result.json
(scores and areas).
"""
import argparse

from mmengine.config import DictAction

from mmrvos.apis import RVOSInferencer
from mmrvos.utils import clear_errors


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'video', help='video file, folder of frames, or a quoted glob')
    parser.add_argument(
        '--text',
        nargs='+',
        required=True,
        metavar='SENTENCE',
        help='what to look for; several sentences share the encoding')
    parser.add_argument(
        '--model',
        default='referformer/tiny_shapes',
        help='config file, or a name of model-index.yml (default: '
        '%(default)s, which knows moving shapes and nothing else)')
    parser.add_argument(
        '--weights',
        help='checkpoint file or URL; a name of model-index.yml has its own')
    parser.add_argument(
        '--out-dir', default='demo/output', help='default: %(default)s')
    parser.add_argument(
        '--device', help="'cuda:0', 'cpu', ...; default: the first GPU if any")
    parser.add_argument(
        '--window',
        type=int,
        help='frames decoded together: a video of any length is then read, '
        "segmented and written piece by piece; default: the config's")
    parser.add_argument(
        '--overlap',
        type=int,
        help="frames that windows share; default: the config's")
    parser.add_argument(
        '--amp',
        nargs='?',
        const='bf16',
        choices=['bf16', 'fp16'],
        help='mixed precision, bf16 where nothing is said; fp16 needs a GPU')
    parser.add_argument(
        '--compile',
        action='store_true',
        help='torch.compile, worth its minutes on long videos')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='change values of the config, e.g. '
        'model.text_encoder.name=FOLDER; a key that does not exist is refused')
    parser.add_argument(
        '--fps',
        type=float,
        help='of the overlay; default: that of the video, or 10')
    parser.add_argument(
        '--no-progress', action='store_true', help='show no progress bars')
    return parser.parse_args()


@clear_errors
def main() -> None:
    args = parse_args()
    inferencer = RVOSInferencer(
        args.model,
        args.weights,
        device=args.device,
        window=args.window,
        overlap=args.overlap,
        amp=args.amp,
        compile=args.compile,
        cfg_options=args.cfg_options,
        show_progress=not args.no_progress)
    results = inferencer(
        args.video, args.text, out_dir=args.out_dir, fps=args.fps)
    for e, result in enumerate(results):
        print(f'{e}  score {result.score:.2f}  {result.text}')
    print(f'{args.out_dir}: overlay.mp4, overlay.png, masks/, result.json')


if __name__ == '__main__':
    main()

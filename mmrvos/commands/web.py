"""Segment videos in the browser.

    mmrvos web
    mmrvos web referformer_r50_ytvos --device cuda:0 --port 8000

The page takes a video or a recording of the camera and sentences, plays the
video with the masks and gives the masks as a zip. Needs gradio
(pip install gradio). The page is for this machine only, unless --host says
otherwise: it has no password.
"""
import argparse

from mmrvos.apis.arguments import check_device
from mmrvos.commands.list import weights
from mmrvos.model_index import find_model, read_model_index
from mmrvos.utils import clear_errors
from mmrvos.visualization import STYLES
from mmrvos.web import Limits, Segmenter, check_address, import_gradio, serve

DEFAULT = 'referformer_tiny_shapes_motion'


def parse_args() -> argparse.Namespace:
    limits = Limits()
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'names',
        nargs='*',
        metavar='NAME',
        help='models to offer, whose weights are fetched if they are missing; '
        'default: those of `mmrvos list` whose weights are here')
    parser.add_argument(
        '--host',
        default='127.0.0.1',
        help='address to serve at; 0.0.0.0 is for everybody who reaches this '
        'machine; default: %(default)s')
    parser.add_argument(
        '--port', type=int, default=7860, help='default: %(default)s')
    parser.add_argument(
        '--device', help="'cuda:0', 'cpu', ...; default: the first GPU if any")
    parser.add_argument(
        '--window',
        type=int,
        help='frames decoded together, which bounds the memory; default: that '
        'of the config, or 36')
    parser.add_argument(
        '--style',
        choices=list(STYLES),
        help='of the overlay; default: that of the config (outline)')
    parser.add_argument(
        '--max-frames',
        type=int,
        default=limits.frames,
        help='of a video; default: %(default)s')
    parser.add_argument(
        '--max-megabytes',
        type=int,
        default=limits.megabytes,
        help='of an uploaded file; default: %(default)s')
    return parser.parse_args()


def local_names() -> list[str]:
    """Return the methods whose weights are here, the default first."""
    names = [
        entry.name for entry in read_model_index().values()
        if weights(entry) in ('shipped', 'downloaded')
        and 'Test Data' in entry.metadata  # a method, not a part of one
    ]
    return sorted(names, key=lambda name: (name != DEFAULT, name))


@clear_errors
def main() -> None:
    args = parse_args()
    for name in ('max_frames', 'max_megabytes'):
        if getattr(args, name) < 1:
            raise ValueError(f'--{name.replace("_", "-")} '
                             f'{getattr(args, name)}: expected at least 1')
    import_gradio()
    check_address(args.host, args.port)
    if args.device is not None:
        check_device(args.device)
    entries = [find_model(name) for name in args.names]
    if entries:
        from mmrvos.weights import needed_weights  # imports web clients
        for entry in entries:
            needed_weights(entry)
    names = [entry.name for entry in entries] or local_names()
    if not names:
        raise ValueError('the weights of no model are here: give names of '
                         'models, see `mmrvos list`')
    limits = Limits(megabytes=args.max_megabytes, frames=args.max_frames)
    serve(names, Segmenter(limits, args.device, args.window, args.style),
          args.host, args.port)

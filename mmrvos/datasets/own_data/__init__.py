"""Read your own data, and the files of annotation programs.

tools/dataset_converters/custom.py writes them in the layout of
Ref-YouTube-VOS. One module per format of annotation files; all return
:class:`ExportedVideo`.
"""
from .base import ExportedVideo
from .formats import FORMATS, read_export
from .frames import Frames, frames_of
from .mask_folder import MaskFolder
from .sentences import read_sentences
from .splits import assign_splits, parse_shares

__all__ = [
    'FORMATS', 'ExportedVideo', 'Frames', 'MaskFolder', 'assign_splits',
    'frames_of', 'parse_shares', 'read_export', 'read_sentences'
]

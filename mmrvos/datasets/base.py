import copy
import os.path as osp
import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmrvos.utils import check_name, read_lines


class SerializedList:
    """A list of picklable items in one byte array.

    Worker processes share the bytes; a list of Python objects would be copied
    page by page as its reference counts change.
    """

    def __init__(self, items: Sequence[Any]) -> None:
        chunks = [
            np.frombuffer(pickle.dumps(item, protocol=4), dtype=np.uint8)
            for item in items
        ]
        ends = np.cumsum([len(c) for c in chunks], dtype=np.int64)
        self.ends = np.concatenate([[0], ends]).astype(np.int64)
        self.data = np.concatenate(chunks) if chunks else np.empty(
            0, dtype=np.uint8)

    def __len__(self) -> int:
        return len(self.ends) - 1

    def __getitem__(self, i: int) -> Any:
        return pickle.loads(
            memoryview(self.data[self.ends[i]:self.ends[i + 1]]))

    def __deepcopy__(self, memo: dict) -> 'SerializedList':
        return self  # never written to, so subsets can share it


def pipeline_steps(pipeline: Sequence[dict | Callable] = (),
                   lower_case: bool = True,
                   **options: Any) -> list[dict | Callable]:
    """List all transforms of a data set, given the items of its config.

    Args:
        pipeline: the transforms of the config.
        lower_case: put ``CleanText`` in front of them.
        options: other items of the config, without effect on the pipeline.
    """
    steps = list(pipeline)
    return [dict(type='CleanText'), *steps] if lower_case else steps


def unchanged(data: dict) -> dict:
    return data


def compose(steps: Sequence[dict | Callable]) -> Callable[[dict], Any]:
    """Build a pipeline; one without steps returns its input."""
    if not steps:
        return unchanged
    from mmengine.dataset import Compose  # imports torch
    return Compose(steps)


class BaseRVOSDataset:
    """Videos with expressions about objects in them.

    The class follows the protocol of MMEngine's ``BaseDataset`` but does not
    inherit from it: its import loads PyTorch (1.5 s), which scoring files on
    disk does not need.

    A subclass implements :meth:`load_videos`; everything else is here. Each
    video it returns is a dict with

    - ``video_id`` (str) and ``frame_names`` (list[str], in time order);
    - ``img_dir`` and ``img_suffix``: frame ``name`` lies at
      ``img_dir/name + img_suffix``; or ``video_path``, a video file whose
      i-th frame is ``frame_names[i]``. Both may be None in testing: then the
      entries have no ``img_paths`` and only their masks can be read;
    - ``mask_source`` (:class:`mmrvos.structures.MaskSource` or None);
    - ``expressions``, dicts of ``exp_id``, ``text``, ``obj_ids`` (list[str],
      their union is the target; empty: no target) and optionally ``type_id``,
      ``length`` ('short' or 'long'), ``label`` (0 by default);
    - optionally ``key_frame``, the only annotated frame, and ``valid_span``,
      (first, last) index of the frames in which targets count: outside they
      are absent in training and not scored in testing.

    Entries, i.e. what :meth:`get_data_info` returns, are such dicts, with
    ``img_paths`` (list[str]) for all frames and

    - in training one for every expression and every ``num_frames``-th frame,
      its ``key_frame`` (``entry='expression'``). The video's other
      expressions are in ``other_expressions``, for ``SampleExpressions``;
      or one for every ``num_frames``-th frame with all expressions
      (``entry='video'``), where expressions are drawn from a large pool;
    - in testing one for every video, with all expressions.

    Samples without any valid frame are replaced by others when the pipeline
    returns None; a broken or missing file always stops the run.

    Args:
        num_frames: distance of the start frames in training; the clip length,
            in the official recipes.
        entry: 'expression' or 'video', see above.
        expression_subset: 'all'; 'short' or 'long' keeps these: as marked by
            ``length`` where the data set marks it, else, of an object's
            expressions, the half with fewer words or the other one (HTML,
            Fig. 3; with an odd number the middle one is short).
        lower_case: start the pipeline with ``CleanText``. The official
            inference on Ref-YouTube-VOS and Ref-DAVIS17 uses the texts as
            they are.
        filter_cfg: ``min_frames`` (int) drops shorter videos; ``type_ids``
            (list) keeps expressions of these types; ``with_target`` (bool)
            drops expressions without an object.
        serialize_data: keep the videos in one byte array, which worker
            processes share.
        ann_file, metainfo, data_root, data_prefix, indices: as in MMEngine.
        pipeline, test_mode, lazy_init, max_refetch: as in MMEngine.
    """

    #: default of ``metainfo``
    METAINFO: dict[str, Any] = {}
    #: keys of ``data_prefix``
    PREFIXES: tuple[str, ...] = ('img', 'mask')
    #: what to do when a file is missing, one line
    hint: str = 'the dataset page of the docs shows the tree.'

    def __init__(self,
                 ann_file: str = '',
                 *,
                 num_frames: int = 5,
                 entry: str = 'expression',
                 expression_subset: str = 'all',
                 lower_case: bool = True,
                 metainfo: dict | None = None,
                 data_root: str = '',
                 data_prefix: dict | None = None,
                 filter_cfg: dict | None = None,
                 indices: int | Sequence[int] | None = None,
                 serialize_data: bool = True,
                 pipeline: Sequence[dict | Callable] = (),
                 test_mode: bool = False,
                 lazy_init: bool = False,
                 max_refetch: int = 1000) -> None:
        for name, value, known in (
            ('entry', entry, ('expression', 'video')),
            ('expression_subset', expression_subset, ('all', 'short',
                                                      'long'))):
            if value not in known:
                raise ValueError(
                    f'{type(self).__name__} got {name}={value!r}, expected '
                    f'one of {known}')
        unknown = set(filter_cfg or ()) - {
            'min_frames', 'type_ids', 'with_target'
        }
        if unknown:
            raise ValueError(
                f'{type(self).__name__} got filter_cfg keys '
                f'{sorted(unknown)}, expected min_frames, type_ids or '
                'with_target')
        self.num_frames = num_frames
        self.entry = entry
        self.expression_subset = expression_subset
        for key, prefix in (data_prefix or {}).items():
            if key not in self.PREFIXES:
                raise ValueError(
                    f'{type(self).__name__} got data_prefix.{key}, expected '
                    f'some of {self.PREFIXES}')
            if not isinstance(prefix, str):
                raise TypeError(
                    f'{type(self).__name__} got data_prefix.{key}={prefix!r}, '
                    'expected a text')
        # osp.join keeps paths that are absolute
        self.ann_file = osp.join(data_root, ann_file) if ann_file else ''
        self.data_root = data_root
        self.data_prefix = {
            key: osp.join(data_root, prefix)
            for key, prefix in (data_prefix or {}).items()
        }
        self.metainfo = dict(self.METAINFO)
        for key, value in (metainfo or {}).items():
            is_file = isinstance(value, str) and Path(value).is_file()
            self.metainfo[key] = read_lines(value) if is_file else value
        self.filter_cfg = copy.deepcopy(filter_cfg)
        self.indices = indices
        self.serialize_data = serialize_data
        self.test_mode = test_mode
        self.max_refetch = max_refetch
        self.lower_case = lower_case
        #: types of the expressions, before ``filter_cfg``
        self.type_ids: set[str | int | None] = set()
        #: (entries, 3): video, expression (-1: all), start frame
        self.entries: np.ndarray | None = None
        self.set_pipeline(pipeline)
        if not lazy_init:
            self.full_init()

    # ---------------------------------------------------------------- loading

    def frame_root(self, key: str = 'img') -> Path | None:
        """The folder of the frames, ``data_prefix[key]``.

        Returns:
            None in testing if the prefix is not set: predictions on disk are
            scored without the frames.

        Raises:
            FileNotFoundError: the folder is missing, or training has none.
        """
        root = self.data_prefix.get(key)
        if root is None and self.test_mode:
            return None
        if root is None:
            raise FileNotFoundError(
                f'{type(self).__name__} got no data_prefix.{key}; training '
                f'needs the frames. {self.hint}')
        return Path(self.require(root))

    def load_videos(self) -> list[dict]:
        """Read the annotations; see the class for what to return."""
        raise NotImplementedError

    def require(self, path: str | Path) -> str:
        """``path`` if it is there.

        Raises:
            FileNotFoundError: naming it and what to do.
        """
        if not Path(path).exists():
            raise FileNotFoundError(f'{path} is missing. {self.hint}')
        return str(path)

    def place(self, video_id: str, exp_id: str) -> str:
        """Name an expression of the annotation file in a message."""
        return f'{self.ann_file}: expression {exp_id} of video {video_id}'

    def full_init(self) -> None:
        """Read the annotations, once.

        Raises:
            ValueError: no expression is left.
        """
        if self.entries is not None:
            return
        videos = [v for v in map(self._prepare, self.load_videos()) if v]
        if not videos:
            raise ValueError(
                f'{type(self).__name__} found no expressions in '
                f'{self.ann_file} (expression_subset='
                f'{self.expression_subset!r}, filter_cfg={self.filter_cfg})')
        self._check_types('filter_cfg.type_ids',
                          (self.filter_cfg or {}).get('type_ids', ()))
        self._check_pipeline(self.steps)
        self.videos = SerializedList(videos) if self.serialize_data else videos
        self.entries = self._chosen(np.array([
            (v, expression, start) for v, video in enumerate(videos)
            for expression, start in self._entries(video)
        ]), self.indices)

    def set_pipeline(self, pipeline: Sequence[dict | Callable]) -> None:
        """Change the pipeline, for example in a stage of training.

        Args:
            pipeline: transforms or their configs, as in the constructor;
                ``lower_case`` puts ``CleanText`` in front of them, too.

        Raises:
            ValueError: no expression is of a type in ``type_weights``.
        """
        self.steps = pipeline_steps(pipeline, self.lower_case)
        if self.entries is not None:
            self._check_pipeline(self.steps)
        self.pipeline = compose(self.steps)

    def _check_pipeline(self, steps: Sequence[dict | Callable]) -> None:
        """Check the types of expressions that a pipeline draws.

        Args:
            steps: configs of transforms; others are not checked.

        Raises:
            ValueError: no expression is of a type in ``type_weights``.
        """
        for step in steps:
            if isinstance(step, Mapping):
                self._check_types(f'type_weights of {step.get("type")}',
                                  step.get('type_weights') or ())

    def _check_types(self, where: str, types: Iterable[str | int]) -> None:
        if unknown := [name for name in types if name not in self.type_ids]:
            known = sorted(map(str, self.type_ids - {None}))
            raise ValueError(
                f'{where} names {unknown[0]!r}, but no expression in '
                f'{self.ann_file} is of this type; its types are '
                f'{", ".join(known) or "not marked"}')

    @staticmethod
    def _chosen(entries: np.ndarray,
                indices: int | Sequence[int] | None) -> np.ndarray:
        """Some entries: the first or, if negative, last ``indices`` of them.
        """
        if indices is None:
            return entries
        if isinstance(indices, int):
            return entries[:indices] if indices >= 0 else entries[indices:]
        return entries[list(indices)]

    def get_subset(self,
                   indices: int | Sequence[int]) -> 'BaseRVOSDataset':
        """A copy with some of the entries, see ``indices``."""
        self.full_init()
        subset = copy.copy(self)
        subset.entries = self._chosen(self.entries, indices)
        return subset

    def _entries(self, video: dict) -> list[tuple[int, int]]:
        if self.test_mode:
            return [(-1, 0)]
        starts = ([video['key_frame']] if 'key_frame' in video else range(
            0, len(video['frame_names']), self.num_frames))
        exps = [-1] if self.entry == 'video' else range(
            len(video['expressions']))
        return [(e, start) for e in exps for start in starts]

    def _prepare(self, video: dict) -> dict | None:
        """Check, complete and filter a video; None if nothing is left."""
        name, cfg = video['video_id'], self.filter_cfg or {}
        if not video['frame_names']:
            raise ValueError(
                f'{self.ann_file}: video {name} lists no frames; remove it or '
                'name its frames')
        self._check_names(video)
        if len(video['frame_names']) < cfg.get('min_frames', 0):
            return None
        expressions = []
        for e in video['expressions']:
            e = dict(type_id=None, length=None, label=0) | e
            place = self.place(name, e['exp_id'])
            if not e['text'].strip():
                raise ValueError(
                    f'{place} is empty; remove it or give it words')
            for key in ('type_id', 'length'):
                if not isinstance(e[key], str | int | None):
                    raise ValueError(
                        f'{place} has {key} {e[key]!r}, expected a text or '
                        'an integer')
            self.type_ids.add(e['type_id'])
            expressions.append(e)
        expressions = [
            e for e in self._subset(expressions)
            if e['type_id'] in cfg.get('type_ids', [e['type_id']]) and
            (e['obj_ids'] or not cfg.get('with_target'))
        ]
        return dict(video, expressions=expressions) if expressions else None

    def _check_names(self, video: dict) -> None:
        """Refuse names that lead out of their folders, see ``check_name``.
        """
        check_name(video['video_id'], 'video id', self.ann_file)
        for name in video['frame_names']:
            check_name(name, f'frame of video {video["video_id"]!r},',
                       self.ann_file)
        for e in video['expressions']:
            check_name(e['exp_id'], f'expression id of {video["video_id"]!r},',
                       self.ann_file)

    def _subset(self, expressions: list[dict]) -> list[dict]:
        if self.expression_subset == 'all':
            return expressions
        marked = [e for e in expressions if e['length'] is not None]
        if not marked:
            groups: dict[tuple, list[dict]] = {}
            for e in expressions:
                groups.setdefault(tuple(e['obj_ids']), []).append(e)
            for group in groups.values():
                group = sorted(group, key=lambda e: len(e['text'].split()))
                half = (len(group) + 1) // 2
                for i, e in enumerate(group):
                    e['length'] = 'short' if i < half else 'long'
        return [
            e for e in expressions if e['length'] == self.expression_subset
        ]

    # ---------------------------------------------------------------- reading

    def __len__(self) -> int:
        self.full_init()
        return len(self.entries)

    def __getitem__(self, idx: int) -> dict:
        """Run the pipeline on an entry.

        In training, another entry is drawn if the pipeline returns None.

        Raises:
            ValueError: the pipeline returns None for the entry in testing, or
                for ``max_refetch`` further entries in training.
        """
        drawn = idx
        for _ in range(1 if self.test_mode else self.max_refetch + 1):
            data = self.pipeline(self.get_data_info(drawn))
            if data is not None:
                return data
            drawn = np.random.randint(len(self))  # noqa: NPY002
        info = self.get_data_info(idx)
        first = info['expressions'][0]
        raise ValueError(
            f'{self.place(info["video_id"], first["exp_id"])}: its objects '
            f'{first["obj_ids"]} are in no frame of the clip, and neither are '
            f'those of {self.max_refetch} other entries. Look at the masks '
            'with tools/analysis_tools/check_dataset.py --decode')

    def get_data_info(self, idx: int) -> dict:
        """One entry with everything about its video."""
        self.full_init()
        video, expression, start = self.entries[idx].tolist()
        info = self.videos[video]
        if not self.serialize_data:
            info = copy.deepcopy(info)
        if info.get('video_path') is not None:
            info['img_paths'] = [info['video_path']] * len(info['frame_names'])
        elif info.get('img_dir') is not None:
            folder, suffix = info.pop('img_dir'), info.pop('img_suffix')
            info['img_paths'] = [
                f'{folder}/{name}{suffix}' for name in info['frame_names']
            ]
        if expression >= 0:
            others = info['expressions']
            info['expressions'] = [others.pop(expression)]
            info['other_expressions'] = others
        info.setdefault('key_frame', start)
        info['sample_idx'] = idx % len(self)
        return info

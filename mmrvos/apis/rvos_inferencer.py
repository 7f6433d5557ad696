import copy
from collections import deque
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config, ConfigDict
from mmengine.dataset import Compose, pseudo_collate
from mmengine.infer import BaseInferencer
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from rich.progress import Progress
from torch import Tensor, nn

from mmrvos.datasets.base import pipeline_steps
from mmrvos.model_index import find_model, find_weights
from mmrvos.models import merge_windows
from mmrvos.models.postprocessors.masks import empty_below
from mmrvos.registry import MODELS, TRANSFORMS, VISUALIZERS
from mmrvos.utils import (
    apply_options,
    load_config,
    load_weights,
    needs_checkpoint,
    read_checkpoint,
    weights_from_checkpoint,
)
from mmrvos.visualization import RVOSVisualizer, check_fps

from .arguments import (
    check_apart,
    check_device,
    check_end,
    check_min_score,
    check_texts,
)
from .frame_sources import VideoSource
from .hub_mixin import HubMixin
from .image_store import ImageStore
from .output_folder import OUTPUTS, check_folder
from .result_writer import ResultWriter
from .results import ExpressionResult, SegmentedFrames, results_of
from .stored_config import stored_config
from .video_source import open_video


class RVOSInferencer(BaseInferencer, HubMixin):
    """Segment videos by sentences.

    The frames go through the test pipeline of the config, so the masks are
    those of ``tools/test.py``. The frames are encoded once for all sentences
    of a call. With a ``window`` the video is read, segmented and written in
    parts, so that memory does not grow with its length.

    Examples:
        >>> inferencer = RVOSInferencer('referformer_tiny_shapes')
        >>> results = inferencer('shapes.mp4', ['the small red circle'],
        ...                      out_dir='output')
        >>> results[0].score, results[0].masks.shape  # (T, H, W), bool

    :meth:`push_to_hub` and :meth:`from_pretrained` exchange models over the
    Hugging Face hub, see :class:`HubMixin`.

    Args:
        model: a config file, a name of model-index.yml, or a config. None
            reads the config from a training checkpoint.
        weights: checkpoint file or URL; by default the published weights
            of a name, or those that ``mmrvos download`` wrote. None for a
            :class:`PretrainedSegmentor`.
        device: e.g. 'cuda:1'; by default the first GPU, else the CPU.
        window, overlap, amp: replace those of ``test_cfg``, see
            :class:`InferenceCfg`. A window bounds the memory.
        compile: compile the model with torch.compile. It takes minutes, which
            pays for long videos and for many videos of one size.
        style: of the overlay, see :class:`RVOSVisualizer`; by default that of
            the config.
        cfg_options: dotted key to value, changes of the config; an unknown
            key is an error.
        show_progress: show progress bars.

    Raises:
        FileNotFoundError, ValueError: config or weights are missing or do not
            fit, or the device is not available.
    """

    def __init__(self,
                 model: str | Path | Config | ConfigDict | None = None,
                 weights: str | None = None,
                 device: str | None = None,
                 window: int | None = None,
                 overlap: int | None = None,
                 amp: str | None = None,
                 compile: bool = False,
                 style: str | None = None,
                 cfg_options: Mapping[str, Any] | None = None,
                 show_progress: bool = True) -> None:
        if device is not None:
            check_device(device)
        init_default_scope('mmrvos')
        entry = None  # of model-index.yml
        if isinstance(model, str | Path):
            if Path(model).suffix == '.py' or Path(model).is_file():
                model = load_config(model)
            else:
                entry = find_model(str(model))
                model = load_config(entry.config)
        if model is not None and 'test_dataloader' not in model:
            raise ValueError(
                f'{entry.name if entry else "the config"} has no '
                'test_dataloader, whose pipeline prepares frames: expected a '
                'method. The weights of a part, such as a propagator, are '
                'named in the config of a method')
        if weights is None and entry is not None and needs_checkpoint(
                model.model):
            weights = find_weights(entry)
        self.test_cfg = {
            name: value
            for name, value in dict(
                window=window, overlap=overlap, amp=amp).items()
            if value is not None
        }
        self.compile = compile
        self.style = style
        self.cfg_options = cfg_options or {}
        super().__init__(
            model=model,
            weights=weights,
            device=device,
            scope='mmrvos',
            show_progress=show_progress)

    def __call__(self,
                 video: str | Path | int | Sequence | np.ndarray | Iterable
                 | VideoSource,
                 texts: str | Sequence[str],
                 out_dir: str | Path | None = None,
                 outputs: str | Collection[str] = OUTPUTS,
                 fps: float | None = None,
                 min_score: float = 0.) -> list[ExpressionResult]:
        """Segment a video by sentences.

        Args:
            video: a video file, a folder or a glob of frames, the index of a
                camera, a URL, a list of image files, a list or an iterator of
                uint8 RGB arrays; see :func:`open_video`.
            texts: one sentence or several.
            out_dir: where to write; None writes nothing. Results of an
                earlier call in this folder are replaced.
            outputs: what to write: 'overlay' (``overlay.mp4``, and some of
                its frames in ``overlay.png``), 'masks' (``masks/<index of
                the sentence>/<frame>.png``, 0 or 255), 'json'
                (``result.json``: scores and areas).
            fps: of the overlay, without sound; by default the overlay has the
                times and the sound of the video, or 10 frames per second.
            min_score: a sentence with a lower score has empty masks: nothing
                was found. With a ``window`` this is decided per window.

        Returns:
            One result per sentence, in the given order.

        Raises:
            FileNotFoundError, TypeError, ValueError: the video cannot be
                read, a sentence is empty or too long, or an argument is out
                of range. Nothing is written then.
            OSError: ``out_dir`` or the overlay cannot be written. This is
                checked before the first frame is segmented.
        """
        texts = check_texts(texts)
        check_min_score(min_score)
        if fps is not None:
            check_fps(fps)
        outputs = {outputs} if isinstance(outputs, str) else set(outputs)
        if out_dir is not None:
            out_dir = check_folder(out_dir, outputs)
        source = open_video(video)
        check_end(source, self.model)
        if out_dir is not None:
            check_apart(source, out_dir)
        chunks = self.preprocess(source, texts)
        first = next(chunks)
        shape = first[1][0].shape[:2]
        parts = self._segment(put_back(first, chunks), source, texts,
                              min_score)
        del first
        preds, names = [], []
        with ExitStack() as stack:
            writer = None
            if out_dir is not None:
                writer = stack.enter_context(
                    ResultWriter(
                        out_dir, outputs, self.visualizer, source,
                        shape, texts, fps))
            for part in parts:
                preds.append(part.pred)
                names += part.names
                if writer is not None:
                    writer.add(part)
            results = self.postprocess(preds, texts)
            if writer is not None:
                writer.finish(source.name, results, names)
        return results

    def stream(self,
               video: str | Path | int | Sequence | np.ndarray | Iterable
               | VideoSource,
               texts: str | Sequence[str],
               min_score: float = 0.) -> Iterator[SegmentedFrames]:
        """Segment a video of any length, part by part.

        Frames are read when they are needed. They are returned with their
        masks window by window (all at once if ``window`` is None), each
        window when its last frame is read. With an ``overlap`` or a
        propagator later frames may be needed first, see
        :class:`InferenceCfg` and :class:`MaskPropagator`.

        Args:
            video, texts, min_score: see :meth:`__call__`.

        Raises:
            FileNotFoundError, TypeError, ValueError: see :meth:`__call__`.
        """
        texts = check_texts(texts)
        check_min_score(min_score)
        source = open_video(video)
        check_end(source, self.model)
        return self._segment(
            self.preprocess(source, texts), source, texts, min_score)

    @property
    def window(self) -> int | None:
        """Frames that are segmented together; None for all."""
        return getattr(self.model.test_cfg, 'window', None)

    @torch.no_grad()
    def _segment(self, chunks: Iterator[tuple], source: VideoSource,
                 texts: Sequence[str],
                 min_score: float) -> Iterator[SegmentedFrames]:
        """Segment what :meth:`preprocess` yields."""
        with Progress(disable=not self.show_progress) as progress:
            tasks = [
                progress.add_task(what, total=len(source) or None)
                for what in ('Reading',
                             f'Segmenting, {len(texts)} sentence(s)')
            ]
            waiting = deque()  # frames that are read, but not yet segmented
            first = next(chunks)
            sample = first[-1]['data_samples']
            chunks = put_back(first, chunks)
            del first
            store = None
            if getattr(self.model, 'propagator', None) is not None:
                store = ImageStore()
                # A propagator reads the whole video first: check the
                # sentences before that.
                self.model.encode_text([sample.texts])

            def pieces() -> Iterator[Tensor]:
                for names, images, packed in chunks:
                    kept = images if store is None else map(
                        store.write, images)
                    waiting.extend(zip(names, kept, strict=True))
                    progress.advance(tasks[0], len(names))
                    yield self.model.data_preprocessor(
                        self.collate_fn([packed]))['inputs'][0]

            # the config may set a limit for testing, too
            limit = max(min_score,
                        getattr(self.model.test_cfg, 'min_score', 0.))
            try:
                for pred in self.model.stream(pieces(), sample):
                    names, images = zip(
                        *(waiting.popleft() for _ in pred.masks[0]),
                        strict=True)
                    progress.advance(tasks[1], len(names))
                    empty_below(pred, limit)
                    if store is not None:
                        images = [store.take(*image) for image in images]
                    yield SegmentedFrames(list(names), list(images), pred)
            except torch.OutOfMemoryError:
                raise ValueError(
                    f'{source.name}: the GPU has too little memory for '
                    f'{len(texts)} sentence(s) and these frames; set a '
                    '(smaller) window, or a limit of test_cfg.chunks'
                ) from None

    def preprocess(
        self, source: VideoSource, texts: Sequence[str]
    ) -> Iterator[tuple[list[str], list[np.ndarray], dict]]:
        """Read frames and pass them through the test pipeline.

        Frames are read one by one if the model has a window, so that no frame
        of a live video waits, else 16 at a time.

        Args:
            source: the video.
            texts: E sentences.

        Yields:
            Frame names, the frames as read, and the output of the pipeline:
            ``inputs`` (t, 3, h, w) uint8 and ``data_samples``.
        """
        expressions = [
            dict(
                exp_id=str(e),
                text=text,
                obj_ids=[],
                type_id=None,
                length=None,
                label=0) for e, text in enumerate(texts)
        ]
        chunk = 16 if self.window is None else 1
        for names, paths, images in source.chunks(chunk):
            shape = images[0].shape[:2]
            yield names, images, self.pipeline(
                dict(
                    video_id=source.name,
                    frame_names=names,
                    img_paths=paths,
                    frame_inds=np.arange(len(names)),
                    frames=np.stack(images),
                    ori_shape=shape,
                    img_shape=shape,
                    mask_source=None,
                    expressions=[dict(e) for e in expressions]))

    def visualize(self, part: SegmentedFrames,
                  texts: Sequence[str]) -> Iterator[np.ndarray]:
        """Draw frames with their masks, (H', W', 3) uint8 RGB each."""
        return self.visualizer.draw_clip(part.images, part.pred.masks, texts,
                                         part.pred.scores)

    def postprocess(self, preds: Sequence[InstanceData],
                    texts: Sequence[str]) -> list[ExpressionResult]:
        """Merge the parts of a video into one result per sentence."""
        return results_of(texts, merge_windows(preds))

    # ------------------------------------------ overrides of BaseInferencer

    def _init_model(self, cfg: Config | ConfigDict, weights: str | None,
                    device: str) -> nn.Module:
        published = cfg and not needs_checkpoint(cfg.model)
        if weights is None and not published:
            raise ValueError(
                'weights is None: pass a checkpoint file, or a name of '
                'model-index.yml as model; random weights segment nothing')
        checkpoint = weights and read_checkpoint(weights)
        if not cfg:  # BaseInferencer's way to say: model is None
            cfg.update(stored_config(checkpoint, weights))
        if self.test_cfg:
            cfg.model.setdefault('test_cfg', ConfigDict())
            cfg.model.test_cfg.update(self.test_cfg)
        if self.cfg_options:
            changed = Config(cfg.to_dict())
            apply_options(changed, self.cfg_options)
            cfg.update(changed._cfg_dict)
        part = copy.deepcopy(cfg.model)
        weights_from_checkpoint(part)
        model = MODELS.build(part)
        if checkpoint is not None:
            load_weights(
                model,
                checkpoint['state_dict'],
                source=weights,
                meta=checkpoint.get('meta'))
        if self.compile:
            model.compile_parts()
        return model.to(device).eval()

    def _init_pipeline(self, cfg: Config | ConfigDict) -> Callable:
        """Build the test pipeline without sampling and reading of frames."""
        steps = pipeline_steps(**cfg.test_dataloader.dataset)
        types = [step['type'] for step in steps]
        if 'LoadFrames' not in types:
            raise ValueError(
                'the test pipeline has no LoadFrames, its steps are '
                f'{", ".join(types)}; the frames of a video take its place')
        start = types.index('LoadFrames')
        return Compose([
            TRANSFORMS.build(step) for i, step in enumerate(steps)
            if step['type'] == 'CleanText' or (
                i > start and step['type'] != 'LoadClipMasks')
        ])

    def _init_collate(self, cfg: Config | ConfigDict) -> Callable:
        return pseudo_collate

    def _init_visualizer(self, cfg: Config | ConfigDict) -> RVOSVisualizer:
        options = dict(cfg.get('visualizer') or dict(type='RVOSVisualizer'))
        # files are written where the caller says, not by a backend
        options.pop('vis_backends', None)
        options['name'] = f'inferencer_{id(self)}'
        if self.style is not None:
            options['style'] = self.style
        return VISUALIZERS.build(options)


def put_back(item: Any, rest: Iterator) -> Iterator:
    """Yield an item before the others.

    Unlike ``itertools.chain``, this keeps no reference to the item.
    """
    yield item
    del item
    yield from rest

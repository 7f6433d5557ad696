from collections import deque
from collections.abc import (
    Callable,
    Collection,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import ExitStack
from functools import partial
from itertools import islice
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
from mmrvos.models import join_windows
from mmrvos.registry import MODELS, TRANSFORMS, VISUALIZERS
from mmrvos.utils import apply_options, load_weights, read_checkpoint
from mmrvos.visualization import RVOSVisualizer, captions_of

from .results import (
    OUTPUTS,
    ExpressionResult,
    SegmentedFrames,
    results_of,
    write_results,
)
from .video_source import VideoSource, open_video


class RVOSInferencer(BaseInferencer):
    """Video and sentences in, masks out.

    The frames go through the test pipeline of the config, so the masks are
    those that testing would give. All sentences of a call share the encoding
    of the frames. With a ``window`` the video is read, segmented and written
    piece by piece, whatever its length.

    Examples:
        >>> inferencer = RVOSInferencer('referformer/tiny_shapes')
        >>> results = inferencer('shapes.mp4', ['the small red circle'],
        ...                      out_dir='output')
        >>> results[0].score, results[0].masks.shape  # (T, H, W), bool

    Args:
        model: a config file, a name of model-index.yml, or a config.
        weights: checkpoint file or URL; by default the one that
            model-index.yml gives for a name. None for ``model`` reads the
            config from a training checkpoint.
        device: e.g. 'cuda:1'; by default the first GPU, else the CPU.
        window, overlap, amp: in the place of those of ``test_cfg``, see
            :class:`InferenceCfg`. A window bounds the memory.
        compile: have torch.compile make faster code; worth its minutes on
            long videos, and on many of one size.
        cfg_options: dotted key to value, what to change in the config; an
            unknown key is refused.
        show_progress: show progress bars.

    Raises:
        FileNotFoundError, ValueError: config or weights are missing or do not
            fit.
    """

    def __init__(self,
                 model: str | Config | ConfigDict | None = None,
                 weights: str | None = None,
                 device: str | None = None,
                 window: int | None = None,
                 overlap: int | None = None,
                 amp: str | None = None,
                 compile: bool = False,
                 cfg_options: Mapping[str, Any] | None = None,
                 show_progress: bool = True) -> None:
        if isinstance(model, str) and model.endswith(
                '.py') and not Path(model).is_file():
            raise FileNotFoundError(
                f'{model} is missing: expected a config file')
        init_default_scope('mmrvos')
        self.test_cfg = {
            name: value
            for name, value in dict(
                window=window, overlap=overlap, amp=amp).items()
            if value is not None
        }
        self.compile = compile
        self.cfg_options = cfg_options or {}
        super().__init__(
            model=model,
            weights=weights,
            device=device,
            scope='mmrvos',
            show_progress=show_progress)

    def __call__(self,
                 video: str | Path | Sequence | np.ndarray,
                 texts: str | Sequence[str],
                 out_dir: str | Path | None = None,
                 outputs: Collection[str] = OUTPUTS,
                 fps: float | None = None) -> list[ExpressionResult]:
        """Segment a video by sentences.

        Args:
            video: a video file, a folder or a glob of frames, a list of
                image files or of uint8 RGB arrays; see :func:`open_video`.
            texts: one sentence or several.
            out_dir: where to write; None writes nothing.
            outputs: what to write: 'overlay' (``overlay.mp4``, and some of
                its frames in ``overlay.png``), 'masks' (``masks/<index of
                the sentence>/<frame>.png``, 0 or 255), 'json'
                (``result.json``: scores and areas).
            fps: of the overlay; by default the video's own, or 10.

        Returns:
            One result for every sentence, in their order.

        Raises:
            FileNotFoundError, ValueError: the video cannot be read, or a
                sentence is empty. Nothing is written then.
        """
        if unknown := set(outputs) - set(OUTPUTS):
            raise ValueError(f'outputs has {sorted(unknown)}, expected some '
                             f'of {OUTPUTS}')
        texts = self._check_texts(texts)
        source = open_video(video)
        parts = self._segment(source, texts)
        # what cannot be used at all fails here, before any file is made
        parts = put_back(next(parts), parts)
        preds, names = [], []
        with ExitStack() as stack:
            writer = None
            if out_dir is not None:
                writer = stack.enter_context(
                    write_results(
                        Path(out_dir), outputs,
                        partial(self.visualize, texts=texts),
                        partial(
                            self.visualizer.open_overlay,
                            fps=fps or source.fps or 10)))
            for part in parts:
                preds.append(part.pred)
                names += part.names
                if writer is not None:
                    writer.add(part)
            results = self.postprocess(preds, texts)
            if writer is not None:
                writer.finish(source.name, results, names)
        return results

    def stream(self, video: str | Path | Sequence | np.ndarray,
               texts: str | Sequence[str]) -> Iterator[SegmentedFrames]:
        """Segment a video of any length, for one's own use of the masks.

        Frames are read when they are asked for, and come back with their
        masks window by window (all at once where ``window`` is None).

        Args:
            video, texts: as in a call.

        Raises:
            FileNotFoundError, ValueError: as in a call.
        """
        return self._segment(open_video(video), self._check_texts(texts))

    @staticmethod
    def _check_texts(texts: str | Sequence[str]) -> list[str]:
        texts = [texts] if isinstance(texts, str) else list(texts)
        if not texts or not all(t.strip() for t in texts):
            raise ValueError(
                f'the sentences are {texts}: expected at least one, none of '
                'them empty')
        return texts

    @torch.no_grad()
    def _segment(self, source: VideoSource,
                 texts: Sequence[str]) -> Iterator[SegmentedFrames]:
        with Progress(disable=not self.show_progress) as progress:
            tasks = [
                progress.add_task(what, total=len(source) or None)
                for what in ('Reading',
                             f'Segmenting, {len(texts)} sentence(s)')
            ]
            waiting = deque()  # read, but not segmented yet
            chunks = self.preprocess(source, texts)
            first = next(chunks)
            sample = first[-1]['data_samples']
            chunks = put_back(first, chunks)
            del first

            def pieces() -> Iterator[Tensor]:
                for names, images, packed in chunks:
                    waiting.extend(zip(names, images, strict=True))
                    progress.advance(tasks[0], len(names))
                    yield self.model.data_preprocessor(
                        self.collate_fn([packed]))['inputs'][0]

            for pred in self.model.stream(pieces(), sample):
                names, images = zip(
                    *(waiting.popleft() for _ in pred.masks[0]), strict=True)
                progress.advance(tasks[1], len(names))
                yield SegmentedFrames(list(names), list(images), pred)

    def preprocess(
        self, source: VideoSource, texts: Sequence[str], chunk: int = 16
    ) -> Iterator[tuple[list[str], list[np.ndarray], dict]]:
        """Frames through the test pipeline, a few at a time.

        Args:
            source: where the frames are.
            texts: what is asked, E sentences.
            chunk: frames at a time.

        Yields:
            Their names, the frames as they are, and what the pipeline makes
            of them: ``inputs`` (t, 3, h, w) uint8 and ``data_samples``.
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
        for names, paths, images in self._chunks(source, chunk):
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

    @staticmethod
    def _chunks(
        source: VideoSource, size: int
    ) -> Iterator[tuple[list[str], list[str], list[np.ndarray]]]:
        frames = source.frames()
        shape = None
        while chunk := list(islice(frames, size)):
            names, paths, images = map(list, zip(*chunk, strict=True))
            for name, image in zip(names, images, strict=True):
                shape = shape or image.shape
                if image.shape != shape:
                    raise ValueError(
                        f'{source.name}: frame {name} is {image.shape[:2]}, '
                        f'the first is {shape[:2]} (height, width); all must '
                        'have one size')
            yield names, paths, images
        if shape is None:
            raise ValueError(f'{source.name} has no frames that can be read')

    def visualize(self, part: SegmentedFrames,
                  texts: Sequence[str]) -> Iterator[np.ndarray]:
        """Overlay frames, (H', W', 3) uint8 RGB, one after the other."""
        return self.visualizer.draw_clip(
            part.images, part.pred.masks,
            captions_of(texts, part.pred.scores))

    def postprocess(self, preds: Sequence[InstanceData],
                    texts: Sequence[str]) -> list[ExpressionResult]:
        """One result a sentence, from all parts of a video."""
        return results_of(texts, join_windows(preds))

    # ------------------------------------------------- BaseInferencer's parts

    def _load_model_from_metafile(self, model: str) -> tuple[Config, str]:
        folder = Path(self._get_repo_or_mim_dir(self.scope))
        known = [m['Name'] for m in self._get_models_from_metafile(folder)]
        if model not in known:
            raise ValueError(
                f'{model!r} is neither a config file nor a model of '
                f'model-index.yml; those are {", ".join(known)}')
        cfg, weights = super()._load_model_from_metafile(model)
        if '://' not in weights:
            weights = str(folder / weights)
        return cfg, weights

    def _init_model(self, cfg: Config | ConfigDict, weights: str | None,
                    device: str) -> nn.Module:
        if weights is None:
            raise ValueError(
                'weights is None: pass a checkpoint file, or a name of '
                'model-index.yml as model; random weights segment nothing')
        checkpoint = read_checkpoint(weights)
        if not cfg:  # BaseInferencer's way to say: model is None
            text = checkpoint.get('meta', {}).get('cfg')
            if text is None:
                raise ValueError(
                    f'{weights} holds no config, expected a checkpoint of '
                    'tools/train.py; pass the config file as model')
            cfg.update(Config.fromstring(text, '.py')._cfg_dict)
        if self.test_cfg:
            cfg.model.setdefault('test_cfg', ConfigDict())
            cfg.model.test_cfg.update(self.test_cfg)
        if self.cfg_options:
            changed = Config(cfg.to_dict())
            apply_options(changed, self.cfg_options)
            cfg.update(changed._cfg_dict)
        model = MODELS.build(cfg.model)
        load_weights(model, checkpoint['state_dict'], source=weights)
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
        return VISUALIZERS.build(options)


def put_back(item: Any, rest: Iterator) -> Iterator:
    """The item again before the others; unlike ``chain``, this does not hold
    on to it."""
    yield item
    del item
    yield from rest

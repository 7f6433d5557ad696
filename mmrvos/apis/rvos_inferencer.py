from collections.abc import (
    Callable,
    Collection,
    Iterator,
    Mapping,
    Sequence,
)
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config, ConfigDict
from mmengine.dataset import Compose, pseudo_collate
from mmengine.infer import BaseInferencer
from mmengine.registry import init_default_scope
from rich.progress import Progress, track
from torch import Tensor, nn

from mmrvos.datasets.base import clean_text
from mmrvos.registry import MODELS, TRANSFORMS, VISUALIZERS
from mmrvos.structures import RVOSDataSample
from mmrvos.utils import apply_options, load_weights, read_checkpoint
from mmrvos.visualization import (
    RVOSVisualizer,
    captions_of,
)

from .results import ExpressionResult, results_of, write_json, write_masks
from .video_source import VideoSource, open_video

OUTPUTS = ('overlay', 'masks', 'json')


class RVOSInferencer(BaseInferencer):
    """Video and sentences in, masks out.

    The frames go through the test pipeline of the config, so the masks are
    those that testing would give. All sentences of a call share the encoding
    of the frames.

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
        window: frames decoded together, which bounds the memory; each window
            chooses its own object. By default ``test_cfg.window``.
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
                 cfg_options: Mapping[str, Any] | None = None,
                 show_progress: bool = True) -> None:
        if isinstance(model, str) and model.endswith(
                '.py') and not Path(model).is_file():
            raise FileNotFoundError(
                f'{model} is missing: expected a config file')
        init_default_scope('mmrvos')
        self.window = window
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
        texts = self._check_texts(texts)
        unknown = set(outputs) - set(OUTPUTS)
        if unknown:
            raise ValueError(
                f'outputs has {sorted(unknown)}, expected some of {OUTPUTS}')
        source = open_video(video)
        batch = self.preprocess(source, texts)
        sample, = preds = self.forward(batch)
        results = self.postprocess(preds)
        for result, text in zip(results, texts, strict=True):
            result.text = text  # as it was asked
        if out_dir is not None:
            self._write(
                Path(out_dir), source, sample, results, outputs,
                fps or source.fps or 10)
        return results

    @staticmethod
    def _check_texts(texts: str | Sequence[str]) -> list[str]:
        texts = [texts] if isinstance(texts, str) else list(texts)
        if not texts or not all(t.strip() for t in texts):
            raise ValueError(
                f'the sentences are {texts}: expected at least one, none of '
                'them empty')
        return texts

    def preprocess(self,
                   source: VideoSource,
                   texts: Sequence[str],
                   chunk: int = 16) -> dict:
        """Frames and sentences to a batch of one for ``model.test_step``.

        Frames are reduced to the network's size a few at a time: a long video
        is never in memory at its own size.

        Args:
            source: where the frames are.
            texts: what is asked, E sentences.
            chunk: frames at a time.
        """
        expressions = [
            dict(
                exp_id=str(e),
                text=clean_text(text) if self.lower_case else text,
                obj_ids=[],
                type_id=None,
                length=None,
                label=0) for e, text in enumerate(texts)
        ]
        packed = [
            self.pipeline(
                dict(
                    video_id=source.name,
                    frame_names=names,
                    img_paths=paths,
                    frame_inds=np.arange(len(names)),
                    frames=frames,
                    ori_shape=frames.shape[1:3],
                    img_shape=frames.shape[1:3],
                    mask_source=None,
                    expressions=[dict(e) for e in expressions]))
            for names, paths, frames in self._chunks(source, chunk)
        ]
        samples = [p['data_samples'] for p in packed]
        clip: RVOSDataSample = samples[0]
        clip.set_metainfo(
            dict(
                frame_names=[n for s in samples for n in s.frame_names],
                img_paths=[p for s in samples for p in s.img_paths],
                frame_inds=np.arange(sum(len(s.img_paths) for s in samples))))
        frames = torch.cat([p['inputs'] for p in packed])
        return self.collate_fn([dict(inputs=frames, data_samples=clip)])

    def _chunks(
        self, source: VideoSource, size: int
    ) -> Iterator[tuple[list[str], list[str], np.ndarray]]:
        frames = iter(self._track(source.frames(), len(source), 'Reading'))
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
            yield names, paths, np.stack(images)
        if shape is None:
            raise ValueError(f'{source.name} has no frames that can be read')

    def forward(self, inputs: dict) -> list[RVOSDataSample]:
        """The model's predictions; the bar counts the frames of every window
        that has been encoded."""
        sample = inputs['data_samples'][0]
        encode_clip = self.model.encode_clip
        with Progress(disable=not self.show_progress) as progress:
            task = progress.add_task(
                f'Segmenting, {len(sample.texts)} sentence(s)',
                total=len(sample.frame_names))

            def counted(frames: Tensor, *args) -> Any:
                features = encode_clip(frames, *args)
                progress.advance(task, frames.shape[1])
                return features

            self.model.encode_clip = counted
            try:
                return super().forward(inputs)
            finally:
                del self.model.encode_clip

    def visualize(self, source: VideoSource,
                  sample: RVOSDataSample) -> Iterator[np.ndarray]:
        """Overlay frames, (H', W', 3) uint8 RGB, one after the other."""
        frames = (image for _, _, image in source.frames())
        return self.visualizer.draw_clip(
            self._track(frames, len(sample.frame_names), 'Drawing'),
            sample.pred.masks, captions_of(sample))

    def _track(self, items: Iterator, total: int, what: str) -> Iterator:
        return track(
            items,
            description=what,
            total=total or None,
            disable=not self.show_progress)

    def _write(self, out_dir: Path, source: VideoSource,
               sample: RVOSDataSample, results: list[ExpressionResult],
               outputs: Collection[str], fps: float) -> None:
        out_dir.mkdir(parents=True, exist_ok=True)
        if 'overlay' in outputs:
            self.visualizer.write_overlay(
                str(out_dir / 'overlay'), self.visualize(source, sample),
                len(sample.frame_names), fps)
        if 'masks' in outputs:
            write_masks(out_dir / 'masks', results, sample.frame_names)
        if 'json' in outputs:
            write_json(out_dir / 'result.json', source.name, results,
                       sample.frame_names)

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
        if self.window is not None:
            cfg.model.setdefault('test_cfg', ConfigDict())
            cfg.model.test_cfg.window = self.window
        if self.cfg_options:
            changed = Config(cfg.to_dict())
            apply_options(changed, self.cfg_options)
            cfg.update(changed._cfg_dict)
        model = MODELS.build(cfg.model)
        load_weights(model, checkpoint['state_dict'], source=weights)
        return model.to(device).eval()

    def _init_pipeline(self, cfg: Config | ConfigDict) -> Callable:
        """The test pipeline behind the loading of frames."""
        dataset = cfg.test_dataloader.dataset
        self.lower_case = dataset.get('lower_case', True)
        types = [step['type'] for step in dataset.pipeline]
        if 'LoadFrames' not in types:
            raise ValueError(
                'the test pipeline has no LoadFrames, its steps are '
                f'{", ".join(types)}; the frames of a video take its place')
        steps = dataset.pipeline[types.index('LoadFrames') + 1:]
        return Compose([
            TRANSFORMS.build(step) for step in steps
            if step['type'] != 'LoadClipMasks'
        ])

    def _init_collate(self, cfg: Config | ConfigDict) -> Callable:
        return pseudo_collate

    def _init_visualizer(self, cfg: Config | ConfigDict) -> RVOSVisualizer:
        options = dict(cfg.get('visualizer') or dict(type='RVOSVisualizer'))
        # files are written where the caller says, not by a backend
        options.pop('vis_backends', None)
        options['name'] = f'inferencer_{id(self)}'
        return VISUALIZERS.build(options)

    def postprocess(self, preds: list[RVOSDataSample],
                    *args) -> list[ExpressionResult]:
        return results_of(preds[0])

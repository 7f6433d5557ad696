"""How the files of each benchmark are read and scored.

The dataset class of a benchmark is the only reader of its files. This module
maps the name of a benchmark to the config of its dataset and to its metric.
"""
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmrvos.datasets import BaseRVOSDataset
from mmrvos.registry import DATASETS, METRICS

from ..metrics import (
    A2DMetric,
    ExpressionMetric,
    InterRVOSMetric,
    InterRVOSTargetMetric,
    JHMDBMetric,
    LongRVOSMetric,
    MeViSMetric,
    RefCOCOMetric,
    RefDAVISMetric,
    RefSAVMetric,
    RefYoutubeVOSMetric,
    ReVOSMetric,
    VideoMetric,
    YoURVOSMetric,
)
from .predictions import PredictionFiles
from .readers import (
    CandidateReader,
    ImageReader,
    Known,
    LabelMapReader,
    PredictionReader,
    RLEReader,
    VideoMaskReader,
)
from .scoring import GroundTruthError, Scorer, known_expressions

#: (root, split, expression file), the last two or None, to a dataset config
DatasetConfig = Callable[[Path, Any, Any], dict[str, Any]]


@dataclass(frozen=True)
class Benchmark:
    """A benchmark of ``eval_masks.py``.

    Args:
        metric: the class that scores it.
        dataset: gives the config of the dataset.
        split: the default; None if there is only one.
        expressions: whether another expression file may be given.
    """
    metric: type[ExpressionMetric]
    dataset: DatasetConfig
    split: str | None = None
    expressions: bool = False

    @property
    def protocols(self) -> tuple[str, ...]:
        """Values of the metric's ``protocol``; empty if it has none."""
        return getattr(self.metric, 'PROTOCOLS', ())


def _existing(**folders: Path) -> dict[str, str]:
    """A ``data_prefix`` of the folders that exist."""
    return {k: str(path) for k, path in folders.items() if path.is_dir()}


def _ytvos(root: Path, split: str, expressions: Path | None) -> dict:
    # The official validation list is the file's videos that the test file
    # does not hold: 202 of 507.
    exclude = 'meta_expressions/test/meta_expressions.json'
    return dict(
        type='RefYoutubeVOSDataset',
        ann_file=str(expressions or root / 'meta_expressions' / split /
                     'meta_expressions.json'),
        exclude_file=exclude if split == 'valid' else None,
        data_prefix=dict(mask=f'{split}/Annotations'))


def _davis17(root: Path, split: None, expressions: None) -> dict:
    listed = root / 'meta_expressions/valid/meta_expressions.json'
    if listed.exists():
        return dict(
            type='RefDAVIS17Dataset',
            ann_file=str(listed),
            data_prefix=dict(mask='valid/Annotations'))
    # as DAVIS is published, or a folder of sequences
    folders = ('Annotations_unsupervised/480p', 'valid/Annotations',
               'Annotations/480p', '.')
    mask = next((f for f in folders if (root / f).is_dir()), None)
    if mask is None:
        raise GroundTruthError(f'{root} is not a folder of annotations')
    return dict(
        type='DAVIS17Dataset',
        ann_file=str(root / 'ImageSets/2017/val.txt'),
        data_prefix=dict(mask=mask))


def _mevis(root: Path, split: str, expressions: Path | None) -> dict:
    return dict(
        type='MeViSDataset',
        ann_file=str(expressions or root / split / 'meta_expressions.json'),
        mask_file=f'{split}/mask_dict.json',
        data_prefix=_existing(img=root / split / 'JPEGImages'))


def _one_folder(name: str, file_name: str) -> DatasetConfig:
    """A dataset like MeViS whose splits share folders and the mask file."""

    def config(root: Path, split: str, expressions: Path | None) -> dict:
        return dict(
            type=name,
            ann_file=str(expressions or root / file_name.format(split)),
            mask_file='mask_dict.json',
            data_prefix=_existing(img=root / 'JPEGImages'))

    return config


def _interrvos(role: str) -> DatasetConfig:

    def config(root: Path, split: None, expressions: Path | None) -> dict:
        return dict(
            type='InterRVOSDataset',
            role=role,
            ann_file=str(expressions or root / 'new_meta_expressions.json'),
            mask_file='new_mask_dict.json',
            data_prefix=_existing(img=root / 'JPEGImages'))

    return config


def _long_rvos(root: Path, split: str, expressions: Path | None) -> dict:
    return dict(
        type='LongRVOSDataset',
        ann_file=str(expressions or root / split / 'meta_expressions.json'),
        data_prefix=dict(mask=f'{split}/Annotations'))


def _yourvos(root: Path, split: None, expressions: Path | None) -> dict:
    folders = ('test/Annotations', 'Annotations', 'gt')
    mask = next((f for f in folders if (root / f).is_dir()), '.')
    spans = next((p for p in (root / 'spans.txt', root / 'test/spans.txt')
                  if p.is_file()), None)
    return dict(
        type='YoURVOSDataset',
        ann_file=str(expressions or ''),
        spans_file=spans and str(spans),
        data_prefix=dict(mask=mask))


def _coco_or(root: Path, coco_file: str, samples: str,
             config: dict[str, Any]) -> dict:
    """The dataset, or the COCO file if only that is there.

    Args:
        root: the folder, or the COCO file itself.
        coco_file: name of the COCO file in the folder.
        samples: the dataset's own list of samples, in the folder.
        config: of the dataset.
    """
    if root.is_file():
        return dict(type='CocoFramesDataset', ann_file=str(root))
    if (root / samples).exists():
        return dict(config, ann_file=str(root / samples))
    return dict(type='CocoFramesDataset', ann_file=str(root / coco_file))


def _a2d(root: Path, split: None, expressions: None) -> dict:
    return _coco_or(
        root, 'a2d_sentences_test_annotations_in_coco_format.json',
        'a2d_sentences_single_frame_test_annotations.json',
        dict(
            type='A2DSentencesDataset',
            data_prefix=dict(
                mask='text_annotations/a2d_annotation_with_instances')))


def _jhmdb(root: Path, split: None, expressions: None) -> dict:
    return _coco_or(
        root, 'jhmdb_sentences_gt_annotations_in_coco_format.json',
        'jhmdb_sentences_samples_metadata.json',
        dict(type='JHMDBSentencesDataset'))


def _refcoco(name: str) -> DatasetConfig:

    def config(root: Path, split: str, expressions: None) -> dict:
        return dict(
            type='RefCOCODataset',
            ann_file=str(root / name / f'instances_{name}_{split}.json'))

    return config


BENCHMARKS: dict[str, Benchmark] = {
    'a2d': Benchmark(A2DMetric, _a2d),
    'davis17': Benchmark(RefDAVISMetric, _davis17),
    'interrvos': Benchmark(InterRVOSMetric, _interrvos('actor'), None, True),
    'interrvos_target': Benchmark(
        InterRVOSTargetMetric, _interrvos('target'), None, True),
    'jhmdb': Benchmark(JHMDBMetric, _jhmdb),
    'long_rvos': Benchmark(LongRVOSMetric, _long_rvos, 'valid', True),
    'mevis': Benchmark(MeViSMetric, _mevis, 'valid_u', True),
    'ref_sav': Benchmark(
        RefSAVMetric,
        _one_folder('RefSAVDataset', 'meta_expressions_{}.json'), 'valid',
        True),
    'refcoco': Benchmark(RefCOCOMetric, _refcoco('refcoco'), 'val'),
    'refcoco+': Benchmark(RefCOCOMetric, _refcoco('refcoco+'), 'val'),
    'refcocog': Benchmark(RefCOCOMetric, _refcoco('refcocog'), 'val'),
    'revos': Benchmark(
        ReVOSMetric,
        _one_folder('ReVOSDataset', 'meta_expressions_{}_.json'), 'valid',
        True),
    'yourvos': Benchmark(YoURVOSMetric, _yourvos, None, True),
    'ytvos': Benchmark(RefYoutubeVOSMetric, _ytvos, 'valid', True),
}


def build_dataset(config: dict[str, Any]) -> BaseRVOSDataset:
    """Build a dataset for scoring: in test mode, without a pipeline.

    Raises:
        GroundTruthError: its files are missing or wrong; one line.
    """
    options = dict(
        config,
        test_mode=True,
        pipeline=[],
        lower_case=False)  # would be a step of the pipeline
    # ours without DATASETS.build, whose log would import torch
    own = DATASETS.module_dict.get(options['type'])
    try:
        if own is None:
            return DATASETS.build(options)
        del options['type']
        return own(**options)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GroundTruthError(str(error)) from error


def benchmark_dataset(name: str,
                      root: Path,
                      split: str | None = None,
                      expressions: Path | None = None) -> BaseRVOSDataset:
    """Build the dataset of a benchmark.

    Args:
        name: a key of ``BENCHMARKS``.
        root: its folder.
        split: None takes the default.
        expressions: an expression file in the place of the official one.

    Raises:
        GroundTruthError: as :func:`build_dataset`.
    """
    benchmark = BENCHMARKS[name]
    root, expressions = root.resolve(), expressions and expressions.resolve()
    config = benchmark.dataset(root, split or benchmark.split, expressions)
    return build_dataset(dict(config, data_root=str(root)))


def config_benchmark(cfg: Config) -> tuple[BaseRVOSDataset, ExpressionMetric]:
    """The test dataset of a config, and its first evaluator with a score.

    Raises:
        GroundTruthError: the config has none, or the dataset cannot be built.
    """
    evaluators = cfg.get('test_evaluator') or []
    if not isinstance(evaluators, (list, tuple)):
        evaluators = [evaluators]
    metrics = [METRICS.build(evaluator) for evaluator in evaluators]
    metric = next(
        (m for m in metrics if isinstance(m, ExpressionMetric)), None)
    if metric is None or not cfg.get('test_dataloader'):
        raise GroundTruthError(
            f'{cfg.filename} has no test_dataloader or no metric of '
            'expressions in test_evaluator: there is nothing to score')
    return build_dataset(cfg.test_dataloader.dataset), metric


def has_frame_values(metric: ExpressionMetric) -> bool:
    """Whether the records of a metric hold J and F per frame, for plots."""
    return isinstance(metric, (VideoMetric, RefDAVISMetric))


def make_reader(metric: ExpressionMetric, pred: Path,
                known: Known) -> PredictionReader:
    """Find the predictions of the layout that a metric scores.

    Args:
        metric: decides about the layout.
        pred: a folder or zip of PNGs, or a JSON file of RLEs.
        known: videos and expressions of the dataset.

    Raises:
        PredictionError: there is nothing to score.
    """
    rule = metric.missing_rule
    if isinstance(metric, VideoMetric):
        if pred.suffix == '.json' and pred.is_file():
            return RLEReader(pred, known, rule, metric.prediction_key)
        return VideoMaskReader(
            PredictionFiles(pred), known, rule,
            grey=metric.missing == 'official')
    files = PredictionFiles(pred)
    if isinstance(metric, RefDAVISMetric):
        return LabelMapReader(files, known, rule, metric.protocol)
    if isinstance(metric, RefCOCOMetric):
        return ImageReader(files, known, rule)
    return CandidateReader(files, known, rule)


def make_scorer(dataset: BaseRVOSDataset, metric: ExpressionMetric,
                pred: Path) -> Scorer:
    """Put a dataset, a metric and predictions together.

    Raises:
        GroundTruthError: the dataset cannot be scored.
        PredictionError: there is nothing to score.
    """
    reader = make_reader(metric, pred, known_expressions(dataset))
    return Scorer(
        dataset, metric, reader,
        once_per_video=isinstance(reader, LabelMapReader))

"""Measures as pure functions of numpy arrays."""
from .boxes import box_overlap, enclosing_box
from .label_map_sequence import (
    PROTOCOLS,
    LabelMapSequence,
    ObjectValues,
    davis_totals,
    match_objects,
    merge_soft_masks,
)
from .label_maps import pairwise_jf, silhouettes
from .pixels import pixel_accuracy, robustness
from .ranked import (
    COCO_MEASURES,
    RankedSample,
    best_candidate,
    chosen_iou_measures,
    coco_measures,
    iou_measures,
    rank_masks,
    smoothed_iou,
)
from .region_contour import (
    BOUND_TH,
    Silhouette,
    boundary_radius,
    contour,
    contour_accuracy,
    region,
    region_and_contour,
    region_similarity,
)
from .sequence import (
    PRECISION_THRESHOLDS,
    SequenceStatistics,
    precision_at,
    sequence_statistics,
    temporal_iou,
    temporal_variance,
    video_iou,
)
from .summary import (
    SPLITS,
    precision_summary,
    region_contour_summary,
    span_summary,
    span_values,
    split_records,
    stability_summary,
    target_summary,
    with_splits,
)

__all__ = [
    'BOUND_TH', 'COCO_MEASURES', 'PRECISION_THRESHOLDS', 'PROTOCOLS',
    'SPLITS', 'LabelMapSequence', 'ObjectValues', 'RankedSample',
    'SequenceStatistics', 'Silhouette', 'best_candidate', 'boundary_radius',
    'box_overlap', 'chosen_iou_measures', 'coco_measures', 'contour',
    'contour_accuracy', 'davis_totals', 'enclosing_box', 'iou_measures',
    'match_objects', 'merge_soft_masks', 'pairwise_jf', 'pixel_accuracy',
    'precision_at', 'precision_summary', 'rank_masks',
    'region', 'region_and_contour', 'region_contour_summary',
    'region_similarity', 'robustness', 'sequence_statistics', 'silhouettes',
    'smoothed_iou', 'span_summary', 'span_values', 'split_records',
    'stability_summary', 'target_summary', 'temporal_iou',
    'temporal_variance', 'video_iou', 'with_splits'
]

"""Golden cases of the measures and protocols."""
import numpy as np
import pycocotools.mask as mask_utils
import torch
import torch.nn.functional as torch_functional

from mmrvos.evaluation import functional as measures
from mmrvos.evaluation.functional import bit_plane

from .case import Case


def unpack(packed: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return np.unpackbits(
        packed, count=int(np.prod(shape))).reshape(shape).astype(bool)


def assert_close(actual, expected, atol: float, what: str) -> None:
    np.testing.assert_allclose(
        actual, expected, rtol=0, atol=atol, err_msg=what)


# --------------------------------------------------------------- J, F, decay


def jf_metrics(case: Case) -> None:
    """Single frames, sequences with void pixels, statistics."""
    for i, (height, width) in enumerate(case.meta['sizes']):
        _single_frames(case, f'struct{i}', (height, width),
                       case.meta['dilation_radius'][i])
        _sequences(case, f'seq{i}', (height, width))
    ends = np.cumsum(case.inputs['stat_lengths'])[:-1]
    sequences = np.split(case.inputs['stat_values'], ends)
    assert_close([measures.sequence_statistics(s) for s in sequences],
                 case.outputs['stat_MRD'], 1e-12, 'statistics')


def _single_frames(case: Case, name: str, size: tuple[int, int],
                   radius: int) -> None:
    names, out = case.meta['struct_names'], case.outputs
    shape = (len(names), *size)
    gt = unpack(case.inputs[f'{name}_gt'], shape)
    pred = unpack(case.inputs[f'{name}_pred'], shape)
    assert_close(
        measures.region_similarity(pred, gt), out[f'{name}_J'], 1e-12, 'J')
    assert_close(
        measures.contour_accuracy(pred, gt), out[f'{name}_F'], 1e-12, 'F')
    for side, masks in (('gt', gt), ('pred', pred)):
        lengths = [measures.Silhouette(m).boundary_length for m in masks]
        assert lengths == out[f'{name}_{side}_boundary_count'].tolist()
    assert measures.boundary_radius(size, case.meta['bound_th']) == radius
    blob = measures.Silhouette(gt[names.index('blob_gt_vs_empty')])
    for words, key in ((blob.boundary, 'bmap_blob'), (blob.near, 'dil_blob')):
        np.testing.assert_array_equal(
            bit_plane.unpack(words, size[1]),
            unpack(out[f'{name}_{key}'], size), err_msg=key)


def _sequences(case: Case, name: str, size: tuple[int, int]) -> None:
    out, frames = case.outputs, case.meta['T']
    shape = (case.meta['objects'], frames, *size)
    gt = unpack(case.inputs[f'{name}_gt'], shape)
    pred = unpack(case.inputs[f'{name}_pred'], shape)
    void = unpack(case.inputs[f'{name}_void'], (frames, *size))
    j, f = measures.region_and_contour(pred, gt)
    j_void, f_void = measures.region_and_contour(pred, gt, void)
    for key, value in (('J', j), ('F', f), ('J_void', j_void),
                       ('F_void', f_void)):
        assert_close(value, out[f'{name}_{key}'], 1e-12, key)
        assert_close([measures.sequence_statistics(v) for v in value],
                     out[f'{name}_{key}_stats'], 1e-12, f'{key} statistics')
    for key, bound_th in (('F_th2px', 2), ('F_th0.02', 0.02)):
        assert_close(
            measures.contour_accuracy(pred, gt, bound_th=bound_th),
            out[f'{name}_{key}'], 1e-12, key)
    variances = [np.mean([measures.temporal_variance(v) for v in values])
                 for values in (j, f, (j + f) / 2)]
    assert_close(variances, out[f'{name}_temporal_var_pop'], 1e-12, 'variance')


# -------------------------------------------------------------- Ref-DAVIS17


def ref_davis_protocol(case: Case) -> None:
    """Merged label maps, matched and fixed ids, four annotators, clips."""
    meta, inputs, out = case.meta, case.inputs, case.outputs
    totals = []
    for a in range(4):
        labels = {}
        for video in meta['videos']:
            soft = inputs[f'soft_{video}_anno{a}'].astype(np.float32) / 256
            labels[video] = measures.merge_soft_masks(soft)
            np.testing.assert_array_equal(
                labels[video], out[f'labels_{video}_anno{a}'])
        for protocol, prefix in (('unsupervised', ''),
                                 ('semi-supervised', 'semi_')):
            objects = [
                values for video in meta['videos'] for values in _compare(
                    labels[video], inputs[f'gt_{video}'], protocol)
            ]
            for key, sequences in (('J', [o.j for o in objects]),
                                   ('F', [o.f for o in objects])):
                assert_close([s.mean() for s in sequences],
                             out[f'{prefix}perobj_{key}_anno{a}'], 1e-9,
                             f'{protocol} {key}')
            total = list(measures.davis_totals(objects).values())
            if prefix:
                assert_close(total, out[f'semi_global_anno{a}'], 1e-9, prefix)
            else:
                totals.append(total)
    assert_close(totals, out['global_per_anno'], 1e-9, 'per annotator')
    assert_close(np.mean(totals, axis=0), out['global_mean'], 1e-9, 'mean')
    late = _compare(inputs['late_pred_labels'], inputs['gt_late'],
                    'unsupervised')
    assert_close(list(measures.davis_totals(late).values()),
                 out['late_global'], 1e-9, 'late object')
    assert_close([o.j.mean() for o in late], out['late_perobj_J'], 1e-9, 'J')
    assert_close([o.f.mean() for o in late], out['late_perobj_F'], 1e-9, 'F')
    _clips(case)


def _compare(pred: np.ndarray, gt: np.ndarray,
             protocol: str) -> list[measures.ObjectValues]:
    num_objects = int(gt[0][gt[0] != 255].max(initial=0))
    sequence = measures.LabelMapSequence(num_objects, protocol)
    for ours, theirs in zip(pred, gt, strict=True):
        sequence.add(ours, theirs)
    return sequence.objects()


def _clips(case: Case) -> None:
    """The query is chosen, and the objects merged, clip by clip."""
    clip, out = case.meta['clip'], case.outputs
    logits = torch.from_numpy(case.inputs['clip_pred_masks'])
    scores = torch.from_numpy(case.inputs['clip_pred_logits']).sigmoid()
    labels = np.zeros((4, clip['T'], *clip['size']), dtype=np.uint8)
    starts = range(0, clip['T'], clip['clip_length'])
    for c, start in enumerate(starts):
        frames = slice(start, start + clip['clip_length'])
        query = scores[:, frames].mean(1).amax(-1).argmax(-1)
        np.testing.assert_array_equal(query, out['clip_selected'][:, c])
        chosen = torch.stack([x[frames, q] for x, q in zip(
            logits, query, strict=True)])
        soft = torch_functional.interpolate(
            chosen, clip['size'], mode='bilinear',
            align_corners=False).sigmoid().numpy()
        for a in range(4):  # expression = object * 4 + annotator
            labels[a, frames] = measures.merge_soft_masks(soft[a::4])
    ambiguous = unpack(out['clip_ambiguous'], labels.shape)
    expected = out['clip_labels']
    np.testing.assert_array_equal(labels[~ambiguous], expected[~ambiguous])


# ------------------------------------------------------------ A2D-Sentences


def a2d_protocol(case: Case) -> None:
    """P@K, overall and mean IoU, COCO's twelve numbers."""
    _ranked(case, '', 'precision_at', case.meta['thresholds'])


def a2d_metrics(case: Case) -> None:
    """The same of other cases, and the masks that were chosen."""
    groups = {key.split('/')[0] for key in case.inputs}
    for group in sorted(groups):
        samples = _ranked(case, f'{group}/', 'precision_at_k', case.meta['k'])
        chosen = []
        for sample in samples:
            i = measures.best_candidate(sample.scores)
            both = int(sample.intersections[i])
            union = int(sample.areas[i]) + sample.gt_area - both
            chosen.append((measures.smoothed_iou(both, union), both, union))
        assert_close(chosen, case.outputs[f'{group}/chosen_iou'], 1e-6, group)


def _ranked(case: Case, prefix: str, precision: str,
            thresholds: list[float]) -> list[measures.RankedSample]:
    inputs, out = case.inputs, case.outputs
    sizes, scores = inputs[f'{prefix}sizes'], inputs[f'{prefix}scores']
    pixels = sizes.prod(axis=1)
    candidates = scores.shape[1]
    gt = np.unpackbits(inputs[f'{prefix}gt'], count=pixels.sum())
    pred = np.unpackbits(
        inputs[f'{prefix}pred'], count=pixels.sum() * candidates)
    ends = np.cumsum(pixels)[:-1]
    samples = []
    for size, g, p, s in zip(
            sizes, np.split(gt, ends), np.split(pred, ends * candidates),
            scores, strict=True):
        masks = p.reshape(candidates, *size)
        samples.append(measures.rank_masks(
            [encode(mask) for mask in masks], s, encode(g.reshape(size))))
    result = measures.chosen_iou_measures(samples, thresholds)
    # shares of N samples: any difference is 1 / N or rounding
    assert_close([result[f'P@{k:g}'] for k in thresholds],
                 out[prefix + precision], 1e-6, 'P@K')
    assert_close(result['oIoU'], out[f'{prefix}overall_iou'], 1e-6, 'oIoU')
    assert_close(result['mIoU'], out[f'{prefix}mean_iou'], 1e-6, 'mIoU')
    assert_close(list(measures.coco_measures(samples).values()),
                 out[f'{prefix}coco_stats'], 1e-6, 'COCO')
    return samples


def encode(mask: np.ndarray) -> dict:
    return mask_utils.encode(np.asfortranarray(mask, dtype=np.uint8))


KINDS = {
    'jf_metrics': jf_metrics,
    'ref_davis_protocol': ref_davis_protocol,
    'a2d_protocol': a2d_protocol,
    'a2d_metrics': a2d_metrics,
}

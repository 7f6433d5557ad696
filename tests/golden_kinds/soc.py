"""Golden cases of the official SOC (RobertLuo1/NeurIPS2023_SOC@76b2915).

Official axes are layers, frames, videos, queries; ours are layers, pairs,
frames, queries. Where a batch of several videos has several frames, the
official VOC mixes frames of different videos (its reshape should be a
permutation). The cases hold the outputs without this defect under ``fixed_*``,
which we reproduce.
"""
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import Config
from torch import Tensor

from mmrvos.conversion import METHODS
from mmrvos.models.features import QueryPredictions, Targets
from mmrvos.registry import MODELS, TASK_UTILS
from mmrvos.utils import load_weights

from .case import Case
from .recording import recorded
from .referformer import (
    StoredHead,
    close,
    decode,
    stored_predictions,
    unpack,
)

CONFIGS = Path(__file__).parents[2] / 'configs'
BACKBONES = {
    'resnet50': 'r50',
    'video-swin-t': 'video-swin-t',
    'video-swin-b': 'video-swin-b',
}
# absolute tolerances by the last part of a name; of masks, of the largest
ATOL = dict(
    pred_cls=2e-5,
    pred_logit=2e-5,
    text_sentence_feature=2e-5,
    pred_boxes=5e-6,
    init_reference=5e-6,
    inter_references=5e-6)


def build_model(case: Case) -> torch.nn.Module:
    """Build our model in evaluation mode with the converted weights."""
    cfg = Config.fromfile(CONFIGS / 'soc/_base_/soc_video-swin-t.py')
    name = BACKBONES[case.meta['backbone']]
    backbone = Config.fromfile(CONFIGS / f'_base_/backbones/{name}.py')
    cfg.merge_from_dict(dict(model=backbone[name.replace('-', '_')]))
    cfg = cfg.model
    config = case.meta['config']
    cfg.backbone.init_cfg = None
    cfg.head.num_classes = config['num_classes']
    cfg.decoder.num_queries = config['DeformTransformer']['num_queries']
    cfg.cluster.num_queries = config['VOC']['num_queries']
    roberta = dict(case.meta['roberta'])
    roberta['attn_implementation'] = roberta.pop('attention')
    cfg.text_encoder = dict(
        type='HuggingFaceTextEncoder',
        out_channels=256,
        frozen=False,
        vocabulary=['word'],
        config=roberta)
    model = MODELS.build(cfg)
    weights, _ = METHODS['soc'](case.state_dict())
    load_weights(model, weights)
    return model.eval()


def load_clips(case: Case) -> tuple[Tensor, Tensor, Tensor | None]:
    """Load padded frames (B, T, 3, H, W), sizes without padding (B, 2), and
    the annotated frame of each clip (B,) or None."""
    names = sorted(k for k in case.inputs if k.startswith('frames'))
    clips = [torch.from_numpy(case.inputs[name]) for name in names]
    height, width = (max(clip.shape[axis] for clip in clips)
                     for axis in (-2, -1))
    frames = torch.stack([
        F.pad(clip, (0, width - clip.shape[-1], 0, height - clip.shape[-2]))
        for clip in clips
    ])
    sizes = torch.from_numpy(case.inputs['size']).float()
    index = case.inputs.get('valid_indices')
    if index is not None:  # officially counted over all frames of the batch
        index = torch.from_numpy(index) % frames.shape[1]
    return frames, sizes, index


def encode(model, case: Case) -> SimpleNamespace:
    """Encode clip and text of the case, and record the backbone's maps."""
    frames, sizes, index = load_clips(case)
    with recorded(model, 'backbone') as seen:
        seen.clip = model.encode_clip(frames, sizes, index)
    if index is not None:
        seen.backbone = [
            m.unflatten(0, frames.shape[:2])[range(len(frames)), index]
            for m in seen.backbone
        ]
    seen.text = model.text_encoder(
        torch.from_numpy(case.inputs['input_ids']),
        torch.from_numpy(case.inputs['attention_mask']),
        torch.arange(len(frames)))
    return seen


def decode_watched(model, seen: SimpleNamespace) -> QueryPredictions:
    """Decode, and add the outputs of the parts to ``seen``."""
    with recorded(model, 'fusion', 'encoder', 'decoder',
                  'pixel_decoder') as parts:
        predictions = model.decode(seen.clip, seen.text)
    vars(seen).update(vars(parts))
    return predictions


def official(predictions: QueryPredictions, head) -> dict[str, Tensor]:
    """Convert to official names and axes (layers, frames, videos, ...)."""
    return dict(
        pred_cls=predictions.logits.transpose(1, 2),
        pred_boxes=predictions.boxes.transpose(1, 2),
        pred_masks=head.masks(predictions).transpose(1, 2),
        pred_logit=predictions.video_queries,
        text_sentence_feature=predictions.guidance)


def intermediate(seen: SimpleNamespace) -> dict[str, Tensor]:
    """Name recorded outputs as the official modules' outputs."""
    videos, frames = len(seen.text.words), seen.clip.num_frames
    levels, words = seen.fusion
    queries, initial, references = seen.decoder
    named = dict(
        text_words=seen.text.words.transpose(0, 1),
        text_sentence=seen.text.sentence,
        text_pos=seen.text.positions.transpose(0, 1)[..., :16],
        fused_text=words,
        hs=queries.transpose(1, 2)[..., :64],
        init_reference=initial.flatten(0, 1),
        inter_references=references.flatten(1, 2),
        mask_features=seen.pixel_decoder.unflatten(0, (videos, frames)))
    for index, level in enumerate(seen.backbone):
        named[f'backbone{index}'] = level[:, :8]
        padding = (
            torch.zeros(videos, *level.shape[-2:])
            if seen.clip.padding is None else seen.clip.padding[index])
        named[f'pad_mask{index}'] = padding.repeat_interleave(frames, 0)
    for index, level in enumerate(levels):
        named[f'fused{index}'] = level[:, :8]
    for index, level in enumerate(seen.encoder.maps()):
        by_frame = level.unflatten(0, (videos, frames)).transpose(0, 1)
        named[f'memory{index}'] = by_frame.flatten(0, 1)[:, :8]
    return named


def check(actual: dict[str, Tensor], case: Case, group: str,
          skip: tuple[str, ...] = ()) -> int:
    """Compare all stored numbers of a group; return their number."""
    checked = 0
    for name, expected in case.outputs.items():
        if not name.startswith(f'{group}/'):
            continue
        leaf = name.removeprefix(f'{group}/')
        if leaf in skip:
            continue
        if leaf == 'pred_masks':
            atol = 5e-5 * float(np.abs(expected).max())
        else:
            atol = ATOL.get(leaf, 5e-5)
        value = actual[leaf]
        if value.dim() > expected.ndim:
            value = value[0]  # the only or the first layer
        close(value, expected, name, atol=atol)
        checked += 1
    return checked


def run_model(case: Case) -> None:
    """Compare all stored numbers of a forward pass."""
    model = build_model(case)
    with torch.no_grad():
        seen = encode(model, case)
        layers = []
        for layer in range(len(model.decoder.layers)):
            model.inference_layer = layer
            predictions = decode_watched(model, seen)
            layers.append(official(predictions, model.head))
        # training takes VOC of every layer; dropout stays off
        model.training = True
        train = official(decode_watched(model, seen), model.head)
        model.training, model.inference_layer = False, 0

    mixed = ()  # outputs that the official batch defect changes
    if 'fixed_eval/pred_cls' in case.outputs:
        mixed = ('pred_cls', 'pred_boxes', 'pred_masks', 'pred_logit')
    together = {
        name: torch.cat([layer[name] for layer in layers])
        for name in ('pred_cls', 'pred_boxes', 'pred_masks')
    }
    checked = check(intermediate(seen), case, 'mid')
    checked += check(layers[0], case, 'eval', mixed)
    checked += check(together, case, 'layers', mixed)
    checked += check(train, case, 'train', mixed)
    checked += check(layers[0] | together, case, 'fixed_eval')
    checked += check(train, case, 'fixed_train')
    assert checked > 10
    if 'sharp' in case.meta:
        run_sharp(model, seen, case)


def run_sharp(model, seen: SimpleNamespace, case: Case) -> None:
    """Compare with some weights enlarged, so that video queries differ."""
    _, report = METHODS['soc'](case.state_dict())
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, factor in case.meta['sharp'].items():
            parameters[report.renamed[name]].mul_(factor)
        predictions = model.decode(seen.clip, seen.text)
        assert check(official(predictions, model.head), case, 'sharp')


def load_targets(part: dict[str, np.ndarray]) -> Targets:
    """Load one object per clip, masks padded to the batch."""
    count = len(part['tgt_sizes'])
    height, width = part['tgt_sizes'].max(0)
    rows = [{
        name: torch.from_numpy(part[f'tgt_{name}{i}'])
        for name in ('masks', 'boxes', 'visible')
    } for i in range(count)]
    return Targets(
        masks=torch.stack([
            F.pad(
                row['masks'].bool(),
                (0, width - row['masks'].shape[-1], 0,
                 height - row['masks'].shape[-2])) for row in rows
        ]),
        boxes=torch.stack([row['boxes'] for row in rows]),
        valid=torch.stack([row['visible'].bool() for row in rows]),
        labels=torch.from_numpy(part['tgt_labels']).long())


def of_subcase(arrays: dict[str, np.ndarray],
               name: str) -> dict[str, np.ndarray]:
    return {
        key.removeprefix(f'{name}/'): value
        for key, value in arrays.items() if key.startswith(f'{name}/')
    }


# our losses under their official names
LOSSES = dict(
    cls='loss_cls',
    bbox='loss_bbox',
    giou='loss_giou',
    mask='loss_sigmoid_focal',
    dice='loss_dice',
    con='loss_con')


def run_loss(case: Case) -> None:
    """Compare costs, matching, losses and gradients of stored predictions."""
    for name in case.meta['subcases']:
        run_loss_subcase(case, name)


def run_loss_subcase(case: Case, name: str) -> None:
    meta, matcher = case.meta['subcases'][name], case.meta['matcher']
    assert matcher['con'] == 0  # no official recipe uses this cost
    head = MODELS.build(
        dict(
            type='SOCHead',
            num_classes=meta['K'],
            loss_weights={
                ours: meta['weights'][theirs]
                for ours, theirs in LOSSES.items()
            },
            matcher=dict(
                type='FrameMatcher',
                class_weight=matcher['cls'],
                box_weight=matcher['box'],
                giou_weight=matcher['giou'],
                dice_weight=matcher['dice'])))
    part, expected = (
        of_subcase(arrays, name) for arrays in (case.inputs, case.outputs))
    leaves = {
        key: torch.from_numpy(part[key]).requires_grad_()
        for key in ('pred_cls', 'pred_boxes', 'pred_masks', 'pred_logit',
                    'text_sentence_feature')
    }
    logits, boxes, masks = (
        leaves[f'pred_{key}'].transpose(1, 2)
        for key in ('cls', 'boxes', 'masks'))
    targets = load_targets(part)
    args = (logits, boxes, masks, targets.boxes, targets.masks,
            targets.valid, head.target_labels(targets))
    cost, matched = head.matcher.cost(*args), head.matcher(*args)
    for layer in range(len(logits)):
        close(cost[layer], expected[f'cost{layer}'], f'{name} cost{layer}',
              atol=1e-5)
        close(matched[layer], expected[f'matched_query{layer}'],
              f'{name} matched{layer}')

    losses = head.loss_by_layer(logits, boxes, masks, targets,
                                leaves['pred_logit'],
                                leaves['text_sentence_feature'])
    total = sum(losses.values())
    close(total, expected['loss/total'], f'{name} total', 1e-6, 1e-5)
    for key, value in losses.items():
        layer, _, ours = key.rpartition('.')
        ours = ours.removeprefix('loss_')
        theirs = LOSSES[ours] + (f'_{layer[1:]}' if layer else '')
        close(value / head.loss_weights[ours], expected[f'loss/{theirs}'],
              f'{name} {theirs}', 1e-6, 1e-5)
    total.backward()
    for key, leaf in leaves.items():
        gradient = expected[f'grad/{key}']
        close(leaf.grad, gradient, f'{name} grad {key}',
              atol=1e-5 * float(np.abs(gradient).max()))


def run_post(case: Case) -> None:
    """Compare masks of stored predictions under each protocol."""
    for name, run in dict(
            a2d=run_rank,
            coco=run_rank,
            ytvos=run_through_input,
            infer=run_infer,
            davis=run_davis).items():
        run(*(of_subcase(arrays, name)
              for arrays in (case.inputs, case.outputs)))


def by_video(part: dict):
    """Yield original size, predictions and masks of each video."""
    inputs = {k: torch.from_numpy(v) for k, v in part.items()}
    padded = inputs.get('padded_size')  # RefCOCO: 4 times the masks' size
    for index, size in enumerate(inputs['original_sizes'].tolist()):
        logits, masks = (
            inputs[f'pred_{name}'][:, index][None]
            for name in ('cls', 'masks'))
        boxes = inputs.get('pred_boxes')
        predictions = stored_predictions(
            logits, None if boxes is None else boxes[:, index][None],
            inputs['resized_sizes'][index][None].float())
        yield tuple(size), replace(
            predictions,
            input_size=None if padded is None else tuple(
                padded.tolist())), masks


def run_rank(part: dict, expected: dict) -> None:
    """Compare all queries of single frames; RefCOCO sorts by score."""
    rank = TASK_UTILS.build(dict(type='RankQueries'))
    for index, (size, predictions, masks) in enumerate(by_video(part)):
        pred = rank(StoredHead(masks), iter([predictions]), size)
        scores, order = pred.query_scores[0], slice(None)
        if predictions.boxes is not None:
            order = scores.argsort(descending=True)
            close(pred.query_boxes[0][order], expected[f'boxes{index}'],
                  'boxes', atol=1e-4)
        close(scores[order], expected[f'scores{index}'], 'scores', atol=1e-6)
        actual = decode(pred.query_masks[0])[order]
        np.testing.assert_array_equal(
            actual, unpack(expected[f'masks{index}'], actual.shape))


def run_through_input(part: dict, expected: dict) -> None:
    """Compare the official evaluation during Ref-YouTube-VOS training."""
    best = TASK_UTILS.build(dict(type='BestQuery', through_input=True))
    for index, (size, predictions, masks) in enumerate(by_video(part)):
        pred = best(StoredHead(masks), iter([predictions]), size)
        assert int(pred.queries[0]) == int(expected['query'][index])
        actual = decode(pred.masks[0])
        np.testing.assert_array_equal(
            actual, unpack(expected[f'masks{index}'], actual.shape))


def run_infer(part: dict, expected: dict) -> None:
    """Compare the masks of the best query of a Ref-YouTube-VOS video."""
    inputs = {k: torch.from_numpy(v) for k, v in part.items()}
    pred = TASK_UTILS.build(dict(type='BestQuery'))(
        StoredHead(inputs['pred_masks'][None]),
        iter([stored_predictions(inputs['pred_cls'][None], None, None)]),
        tuple(inputs['original_size'].tolist()))
    assert int(pred.queries[0]) == int(expected['query'])
    masks = decode(pred.masks[0])
    np.testing.assert_array_equal(masks,
                                  unpack(expected['masks'], masks.shape))


def run_davis(part: dict, expected: dict) -> None:
    """Compare the label maps of all objects of a Ref-DAVIS17 annotator."""
    inputs = {k: torch.from_numpy(v) for k, v in part.items()}
    pred = TASK_UTILS.build(dict(type='MergeObjects'))(
        StoredHead(inputs['pred_masks']),
        iter([stored_predictions(inputs['pred_cls'], None, None)]),
        tuple(inputs['original_size'].tolist()))
    close(pred.queries, expected['queries'], 'queries')
    labels = sum((index + 1) * decode(masks).astype(np.uint8)
                 for index, masks in enumerate(pred.masks))
    np.testing.assert_array_equal(labels, expected['labels'])


KINDS = {
    'soc': run_model,
    'soc_loss': run_loss,
    'soc_post': run_post,
}

"""Golden cases of the official ReferFormer (wjn922/ReferFormer@06fc218)."""
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pycocotools.mask as mask_utils
import torch
import torch.nn.functional as F
from mmengine.config import Config
from torch import Tensor

from mmrvos.conversion import METHODS
from mmrvos.models.features import QueryPredictions, Targets
from mmrvos.models.heads.referring_head import of_matched
from mmrvos.models.losses import mask_targets
from mmrvos.registry import MODELS, TASK_UTILS
from mmrvos.utils import load_weights

from .case import Case
from .recording import recorded

CONFIGS = Path(__file__).parents[2] / 'configs'
# absolute tolerances, by the last part of a name
ATOL = dict(
    pred_logits=2e-5,
    pred_boxes=5e-6,
    pred_masks=3e-3,
    reference_points=5e-6,
    text_words=5e-5,
    text_sentence=5e-5,
    hs=5e-5)


def close(actual, expected, name: str, rtol: float = 0.,
          atol: float = 0.) -> None:
    """Assert closeness and name what differs."""
    actual = torch.as_tensor(actual).detach()
    torch.testing.assert_close(
        actual,
        torch.from_numpy(np.asarray(expected)).to(actual.dtype),
        rtol=rtol,
        atol=atol,
        msg=lambda text: f'{name}: {text}')


def build_model(case: Case, num_classes: int = 1,
                method: str = 'referformer',
                base: str = '_base_/models/referformer_r50.py'
                ) -> torch.nn.Module:
    """Build our model in evaluation mode with the converted weights.

    Args:
        num_classes: K.
        method: name of the converter.
        base: config of the model with ResNet-50.
    """
    hyper = case.meta.get('hyper', {})
    # 'resnet50' is our r50, 'video_swin_t_p4w7' our video-swin-t
    backbone = hyper.get('backbone', 'resnet50').replace('resnet', 'r')
    backbone = backbone.removesuffix('_p4w7').replace('_', '-')
    cfg = Config.fromfile(CONFIGS / base)
    if backbone != 'r50':
        parts = Config.fromfile(CONFIGS / f'_base_/backbones/{backbone}.py')
        cfg.merge_from_dict(dict(model=parts[backbone.replace('-', '_')]))
    cfg = cfg.model
    cfg.backbone.init_cfg = None
    cfg.head.num_classes = num_classes
    cfg.decoder.num_queries = hyper.get('num_queries', 5)
    cfg.text_encoder.update(
        name=None,
        frozen=False,
        vocabulary=['word'],
        config=case.meta['roberta'])
    cfg.data_preprocessor.pad_size_divisor = case.meta['pad_size_divisor']
    model = MODELS.build(cfg)
    weights, _ = METHODS[method](case.state_dict())
    load_weights(model, weights)
    return model.eval()


def load_clips(case: Case) -> tuple[Tensor, Tensor]:
    """Load padded frames (B, T, 3, H, W) and sizes without padding (B, 2)."""
    names = sorted(key for key in case.inputs if key.startswith('frames'))
    clips = [torch.from_numpy(case.inputs[name]) for name in names]
    divisor = case.meta.get('pad_size_divisor', 1)
    height, width = (max(clip.shape[axis] for clip in clips)
                     for axis in (-2, -1))
    height += -height % divisor
    width += -width % divisor
    frames = [
        F.pad(clip, (0, width - clip.shape[-1], 0, height - clip.shape[-2]))
        for clip in clips
    ]
    sizes = torch.tensor([clip.shape[-2:] for clip in clips]).float()
    return torch.stack(frames), sizes


def run_network(model, case: Case) -> tuple[QueryPredictions, SimpleNamespace]:
    """Run the three steps and record the outputs of the parts."""
    frames, sizes = load_clips(case)
    index = case.inputs.get('valid_indices')
    with recorded(model, 'backbone', 'fusion', 'encoder', 'decoder',
                  'pixel_decoder') as seen:
        seen.clip = model.encode_clip(
            frames, sizes, None if index is None else torch.from_numpy(index))
        seen.text = model.text_encoder(
            torch.from_numpy(case.inputs['input_ids']),
            torch.from_numpy(case.inputs['attention_mask']),
            torch.arange(len(frames)))
        predictions = model.decode(seen.clip, seen.text)
    return predictions, seen


def intermediate(seen: SimpleNamespace) -> dict[str, Tensor]:
    """Name recorded outputs of the parts as the official outputs."""
    _, initial, references = seen.decoder
    named = {
        'text_words': seen.text.words,
        'text_words_mask': seen.text.padding,
        'init_reference': initial.flatten(0, 1),
        'inter_references': references.flatten(1, 2),
        'mask_features/slice': seen.pixel_decoder.flatten(0, 1)[:, ::32],
    }
    maps = {
        'fused': seen.fusion[0],
        'memory': seen.encoder.maps(),
        'pos': seen.clip.positions[1:]
    }
    for name, levels in maps.items():
        for index, level in enumerate(levels):
            named[f'{name}{index}/slice'] = level[:, ::32]
    for index, level in enumerate(seen.backbone):
        step = level.shape[1] // 4
        named[f'backbone{index}/mean'] = level.mean((2, 3))
        named[f'backbone{index}/slice'] = level[:, ::step, ::2, ::2]
        named[f'backbone{index}/shape'] = torch.tensor(level.shape)
    return named


def run_model(case: Case) -> None:
    """Compare all stored numbers of a forward pass."""
    model = build_model(case, case.meta['hyper']['num_classes'])
    with torch.no_grad():
        predictions, seen = run_network(model, case)
        masks = model.head.masks(predictions)
    last = len(predictions.logits) - 1
    actual = {
        'text_sentence': seen.text.sentence,
        'reference_points': predictions.references[last - 1, ..., :2],
        'hs': predictions.queries.flatten(1, 2),
    }
    for layer in range(last + 1):
        prefix = '' if layer == last else f'aux{layer}/'
        actual[f'{prefix}pred_logits'] = predictions.logits[layer]
        actual[f'{prefix}pred_boxes'] = predictions.boxes[layer]
        actual[f'{prefix}pred_masks'] = masks[layer]
    actual |= intermediate(seen)
    checked = 0
    for name, expected in case.outputs.items():
        if name.endswith('/mask'):
            continue  # wrong padding masks would change all later maps
        if name.startswith('pos'):
            # the official encodings are per frame, ours per clip
            step = len(expected) // len(actual[name])
            expected = expected[::step]
        leaf = name.rsplit('/', 1)[-1]
        atol = ATOL.get(leaf, 5e-5)
        if name.startswith(('init_reference', 'inter_references')):
            atol = 5e-6
        close(actual[name], expected, name, atol=atol)
        checked += 1
    assert checked > 10


def load_targets(case: Case, height: int, width: int) -> Targets:
    """Load the targets, one object per clip."""
    count = sum(key.endswith('/valid') for key in case.inputs)
    rows = [{
        name: torch.from_numpy(case.inputs[f'target{i}/{name}'])
        for name in ('masks', 'boxes', 'valid', 'labels')
    } for i in range(count)]
    return Targets(
        masks=torch.stack([
            F.pad(
                row['masks'].bool(),
                (0, width - row['masks'].shape[-1], 0,
                 height - row['masks'].shape[-2])) for row in rows
        ]),
        boxes=torch.stack([row['boxes'] for row in rows]),
        valid=torch.stack([row['valid'].bool() for row in rows]),
        labels=torch.stack([row['labels'][0] for row in rows]).long())


def official_losses(case: Case, losses: dict[str, Tensor]) -> dict:
    """Convert names and weights to the official ones; add the total."""
    names = dict(
        cls='ce', bbox='bbox', giou='giou', mask='mask', dice='dice')
    official = {}
    for key, value in losses.items():
        layer, _, name = key.rpartition('.')
        name = f"loss_{names[name.removeprefix('loss_')]}"
        if layer:
            name += f'_{layer[1:]}'
        official[name] = value / case.meta['weights'][name]
    official['total'] = sum(losses.values())
    return official


def build_head(case: Case) -> torch.nn.Module:
    """Build a head with the classes and loss weights of the case."""
    names = dict(
        ce='cls', bbox='bbox', giou='giou', mask='mask', dice='dice')
    matcher = case.meta['matcher']
    return MODELS.build(
        dict(
            type='ReferringHead',
            num_classes=case.meta['num_classes'],
            loss_weights={
                ours: case.meta['weights'][f'loss_{name}']
                for name, ours in names.items()
            },
            matcher=dict(
                type='SequenceMatcher',
                class_weight=matcher['cls'],
                box_weight=matcher['bbox'],
                giou_weight=matcher['giou'],
                mask_weight=matcher['mask'],
                dice_weight=matcher['dice'])))


def run_loss(case: Case) -> None:
    """Compare costs, matching and losses of stored predictions."""
    head = build_head(case)
    layers = case.meta['layers']
    prefixes = [f'aux{i}/' for i in range(layers - 1)] + ['']
    logits, boxes, masks = (
        torch.stack([
            torch.from_numpy(case.inputs[f'{prefix}pred_{name}'])
            for prefix in prefixes
        ]) for name in ('logits', 'boxes', 'masks'))
    targets = load_targets(case, *case.meta['padded_size'])
    labels = targets.labels if head.num_classes > 1 else torch.zeros_like(
        targets.labels)
    args = (logits, boxes, masks, targets.boxes,
            mask_targets(targets.masks, 4, average=False), targets.valid,
            labels)
    close(head.matcher.cost(*args), case.outputs['match_cost'], 'match_cost',
          atol=2e-5)
    close(head.matcher(*args), case.outputs['match_src'], 'match_src')
    assert not case.outputs['match_tgt'].any()
    matched = head.match(logits, boxes, masks, targets)
    losses = official_losses(
        case,
        head.loss_by_layer(logits, boxes, of_matched(masks, matched), targets,
                           matched))
    close(losses.pop('total'), case.outputs['total'], 'total', rtol=1e-5)
    expected = {k for k in case.outputs if k.startswith('loss/')}
    assert expected == {f'loss/{name}' for name in losses}
    for name, value in losses.items():
        close(value, case.outputs[f'loss/{name}'], name, rtol=1e-5)


def run_grad(case: Case) -> None:
    """Compare losses and gradients of the network without dropout."""
    model = build_model(case)
    predictions, _ = run_network(model, case)
    check_gradients(case, model, predictions, 'referformer')


def check_gradients(case: Case, model: torch.nn.Module,
                    predictions: QueryPredictions, method: str) -> None:
    """Compare the losses of predictions and the gradients of all weights.

    Args:
        method: name of the converter. A weight that it drops must have no
            gradient in the official code.
    """
    height, width = load_clips(case)[0].shape[-2:]
    losses = official_losses(
        case, model.loss(predictions, load_targets(case, height, width)))
    losses['total'].backward()
    close(losses.pop('total'), case.outputs['total'], 'total', rtol=1e-4)
    for name, value in losses.items():
        close(value, case.outputs[f'loss/{name}'], name, rtol=1e-4)

    # the converter's report maps official names to ours
    _, report = METHODS[method](case.state_dict())
    parameters = dict(model.named_parameters())
    for name in case.meta['no_grad_params']:
        if name not in report.dropped:
            assert parameters[report.renamed[name]].grad is None, name
    norms = zip(
        case.meta['grad_names'], case.outputs['grad_norms'], strict=True)
    for name, norm in norms:
        if name.startswith('text_encoder') and name.endswith('key.bias'):
            continue  # 0 in theory: a softmax ignores a shift of all keys
        close(parameters[report.renamed[name]].grad.norm(), norm, name,
              rtol=3e-3, atol=1e-7)
    for name, expected in case.outputs.items():
        if not name.startswith('grad/'):
            continue
        gradient = parameters[report.renamed[name[5:]]].grad.flatten()
        step = max(1, gradient.numel() // 256)
        close(gradient[::step][:len(expected)], expected, name,
              atol=3e-3 * float(np.abs(expected).max()))


class StoredHead:
    """Return stored masks, for postprocessing cases."""

    def __init__(self, masks: Tensor) -> None:
        self.stored = masks  # (P, T, N, h, w)

    def masks(self, predictions, layer, chosen=None):
        masks = self.stored
        if chosen is not None:
            pairs = torch.arange(len(chosen))
            masks = masks.transpose(1, 2)[pairs, chosen][:, :, None]
        return masks[None]


def stored_predictions(logits: Tensor, boxes: Tensor | None,
                       sizes: Tensor | None) -> QueryPredictions:
    """Build predictions from the stored parts; no size is no padding."""
    if sizes is None:
        sizes = torch.zeros(len(logits), 2)
    return QueryPredictions(
        queries=None,
        references=None,
        logits=logits[None],
        boxes=None if boxes is None else boxes[None],
        mask_features=None,
        image_sizes=sizes)


def unpack(packed: np.ndarray, shape) -> np.ndarray:
    return np.unpackbits(
        packed, count=int(np.prod(shape))).reshape(shape).astype(bool)


def decode(rles: list[dict]) -> np.ndarray:
    return np.stack([mask_utils.decode(rle) for rle in rles]).astype(bool)


def run_postprocess(case: Case) -> None:
    """Compare all queries of single images, in model order and by score."""
    inputs = {k: torch.from_numpy(v) for k, v in case.inputs.items()}
    rank = TASK_UTILS.build(
        dict(type='RankQueries', threshold=case.meta['threshold']))
    for index in range(len(inputs['size'])):
        one = slice(index, index + 1)
        pred = rank(
            StoredHead(inputs['pred_masks'][one]),
            iter([
                stored_predictions(inputs['pred_logits'][one],
                                   inputs['pred_boxes'][one],
                                   inputs['size'][one].float())
            ]), tuple(inputs['orig_size'][index].tolist()))
        expected = {
            k.removeprefix(f'a2d{index}/'): v
            for k, v in case.outputs.items() if k.startswith(f'a2d{index}/')
        }
        masks = decode(pred.query_masks[0])
        np.testing.assert_array_equal(
            masks, unpack(expected['masks_packed'], expected['masks_shape']))
        close(pred.query_scores[0], expected['scores'], 'a2d scores',
              atol=1e-6)
        expected = {
            k.removeprefix(f'coco{index}/'): v
            for k, v in case.outputs.items() if k.startswith(f'coco{index}/')
        }
        order = pred.query_scores[0].argsort(descending=True)
        close(pred.query_scores[0][order], expected['scores'], 'coco scores',
              atol=1e-6)
        close(pred.query_boxes[0][order], expected['boxes'], 'coco boxes',
              atol=1e-4)
        np.testing.assert_array_equal(
            masks[order],
            unpack(expected['masks_packed'], expected['masks_shape']))


def run_infer_ytvos(case: Case) -> None:
    """Compare the masks of the best query of a whole video."""
    inputs = {k: torch.from_numpy(v) for k, v in case.inputs.items()}
    best = TASK_UTILS.build(
        dict(type='BestQuery', threshold=case.meta['threshold']))
    pred = best(
        StoredHead(inputs['pred_masks']),
        iter([stored_predictions(inputs['pred_logits'], None,
                                 inputs['size'][None].float())]),
        tuple(inputs['orig_size'].tolist()))
    assert int(pred.queries[0]) == int(case.outputs['query'])
    scores = case.outputs['query_scores']
    close(pred.scores[0], scores.max(), 'score', atol=1e-6)
    masks = decode(pred.masks[0])
    packed = next(v for k, v in case.outputs.items() if 'packed' in k)
    wrong = (masks != unpack(packed, masks.shape)).sum()
    assert wrong <= case.meta['near_threshold_pixels']


def run_infer_davis(case: Case) -> None:
    """Compare objects merged into one label map, clip by clip."""
    meta = case.meta
    inputs = {k: torch.from_numpy(v) for k, v in case.inputs.items()}
    merge = TASK_UTILS.build(
        dict(
            type='MergeObjects',
            threshold=meta['mask_threshold'],
            background=meta['background']))
    objects = range(meta['num_objects'])
    labels, queries = [], []
    clip = 0
    while f'obj0/clip{clip}/pred_masks' in inputs:
        logits, masks = (
            torch.stack([inputs[f'obj{o}/clip{clip}/pred_{name}']
                         for o in objects]) for name in ('logits', 'masks'))
        pred = merge(
            StoredHead(masks),
            iter([
                stored_predictions(
                    logits, None, inputs['size'].float().expand(
                        len(objects), 2))
            ]), tuple(inputs['orig_size'].tolist()))
        labels.append(
            sum((o + 1) * decode(pred.masks[o]).astype(np.uint8)
                for o in objects))
        queries.append(pred.queries.numpy())
        clip += 1
    np.testing.assert_array_equal(
        np.stack(queries, axis=1), case.outputs['queries'])
    wrong = (np.concatenate(labels) != case.outputs['labels']).sum()
    assert wrong <= meta['near_threshold_pixels'] + meta['near_tie_pixels']


def run_infer(case: Case) -> None:
    """Compare a Ref-DAVIS17 case (several objects) or a Ref-YouTube-VOS
    case (one object)."""
    run = run_infer_davis if 'num_objects' in case.meta else run_infer_ytvos
    run(case)


KINDS = {
    'referformer_model': run_model,
    'referformer_loss': run_loss,
    'referformer_grad': run_grad,
    'referformer_postprocess': run_postprocess,
    'referformer_infer': run_infer,
}

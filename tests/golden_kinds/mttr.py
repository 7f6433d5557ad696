"""Golden cases of the official MTTR (mttr2021/MTTR@2cc35ab).

Official axes are layers, frames, videos, queries; ours are layers, pairs,
frames, queries.
"""
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
from .referformer import StoredHead, close, decode, load_clips, unpack

CONFIGS = Path(__file__).parents[2] / 'configs'
BACKBONES = {'swin-t': 'mttr_video-swin-t', 'resnet50': 'mttr_r50'}
# official loss names and ours
LOSSES = dict(sigmoid_focal='mask', dice='dice', is_referred='referred')


def build_model(case: Case, weights: dict[str, Tensor]) -> torch.nn.Module:
    """Build our model in evaluation mode with converted weights."""
    config = case.meta['config']
    name = BACKBONES[config['backbone_name']]
    cfg = Config.fromfile(CONFIGS / f'mttr/_base_/{name}.py').model
    cfg.backbone.init_cfg = None
    cfg.transformer.num_queries = config['num_queries']
    roberta = dict(case.meta['roberta'])
    roberta['attn_implementation'] = roberta.pop('attention')
    del cfg.text_encoder['name']
    cfg.text_encoder.update(vocabulary=['word'], config=roberta)
    model = MODELS.build(cfg)
    load_weights(model, METHODS['mttr'](weights)[0])
    return model.eval()


def frames_first(x: Tensor, pairs: int) -> Tensor:
    """Reshape (P*T, ...) to (T, P, ...)."""
    return x.unflatten(0, (pairs, -1)).transpose(0, 1)


def run_network(model: torch.nn.Module,
                case: Case) -> tuple[QueryPredictions, SimpleNamespace]:
    """Run the three steps and record the outputs of the parts."""
    frames, sizes = load_clips(case)
    index = case.inputs.get('valid_indices')
    if index is not None:  # officially one for the whole batch
        index = torch.from_numpy(index).expand(len(frames))
    seen = SimpleNamespace()
    seen.clip = model.encode_clip(frames, sizes, index)
    seen.text = model.text_encoder(
        torch.from_numpy(case.inputs['input_ids']),
        torch.from_numpy(case.inputs['attention_mask']),
        torch.arange(len(frames)))
    predictions = model.decode(seen.clip, seen.text)
    memory, seen.position, seen.padding = model.transformer.encode(
        seen.clip, seen.text)
    seen.memory = memory
    return predictions, seen


def official_outputs(model: torch.nn.Module,
                     predictions: QueryPredictions) -> dict[str, Tensor]:
    """Compute masks and both scores, (D, T, P, N, ...)."""
    scores = model.head.scores(predictions.queries)
    # the toolbox uses one logit that is equivalent to the two scores
    close(predictions.logits[..., 0].sigmoid(),
          scores.softmax(-1)[..., 0].detach(), 'logits', atol=1e-6)
    masks = model.head.masks(predictions)
    return dict(
        pred_masks=masks.transpose(1, 2),
        pred_is_referred=scores.transpose(1, 2))


@torch.no_grad()
def run_model(case: Case) -> None:
    """Compare all stored numbers of a forward pass."""
    weights = case.state_dict()
    model = build_model(case, weights)
    predictions, seen = run_network(model, case)
    pairs = len(seen.text.words)
    pixels = seen.clip.levels[-1].flatten(2)
    words = seen.text.words.repeat_interleave(seen.clip.num_frames, 0)
    sequence = torch.cat((pixels.transpose(1, 2), words), dim=1)

    def sequences(x: Tensor) -> Tensor:  # (P*T, S, C) as (S, T*P, C)
        x = x.expand(len(sequence), -1, -1)
        return frames_first(x, pairs).flatten(0, 1).transpose(0, 1)

    hs = predictions.queries.transpose(1, 2)
    kernels = model.head.kernels(predictions.queries).transpose(1, 2)
    actual = {
        'mid/sequence': sequences(sequence),
        'mid/memory': sequences(seen.memory),
        'mid/position': sequences(seen.position),
        'mid/sequence_mask': frames_first(seen.padding, pairs).flatten(0, 1),
        'mid/hs': hs,
        'mid/kernels': kernels,
        'mid/mask_features': predictions.mask_features.transpose(0, 1),
    }
    maps = [seen.clip.fine, *seen.clip.levels[:-1]]
    for index, level in enumerate(maps):
        actual[f'mid/backbone{index}'] = frames_first(level, pairs)
    for name, value in official_outputs(model, predictions).items():
        actual[f'layers/{name}'] = value
    if 'sharp' in case.meta:
        for name, factor in case.meta['sharp'].items():
            weights[name] = weights[name] * factor
        model = build_model(case, weights)
        predictions, _ = run_network(model, case)
        for name, value in official_outputs(model, predictions).items():
            actual[f'sharp/{name}'] = value[-1]

    checked = 0
    for name, expected in case.outputs.items():
        if name not in actual:
            # the sequence depends on the last map and on the padding masks
            assert name.startswith(('mid/backbone', 'mid/pad_mask')), name
            continue
        # only the first channels of some are stored
        value = actual[name][tuple(map(slice, expected.shape))]
        atol = 2e-5 if name.endswith('is_referred') else 5e-5
        close(value, expected, name, atol=atol)
        checked += 1
    assert checked >= 10


def load_targets(case: Case, sub: str) -> tuple[Targets, list[list[int]]]:
    """Load targets, and the official index of each of our objects; the
    referred object is the first of ours."""
    meta = case.meta['subcases'][sub]
    height, width = (max(side) for side in zip(*meta['sizes'], strict=True))
    masks, others, orders, valid = [], [], [], []
    for index, referred in enumerate(case.inputs[f'{sub}/tgt_referred']):
        objects = torch.from_numpy(
            case.inputs[f'{sub}/tgt_masks{index}']).bool().transpose(0, 1)
        objects = F.pad(objects, (0, width - objects.shape[-1], 0,
                                  height - objects.shape[-2]))
        order = [int(referred)]
        order += [i for i in range(len(objects)) if i != referred]
        masks.append(objects[referred])
        others.append(objects[order[1:]])
        orders.append(order)
        visible = torch.from_numpy(case.inputs[f'{sub}/tgt_visible{index}'])
        # A2D-Sentences has no visibility: its object is always present
        valid.append(visible | (not meta['visibility_key']))
    targets = Targets(
        masks=torch.stack(masks),
        boxes=None,
        valid=torch.stack(valid),
        labels=None,
        others=others)
    return targets, orders


def run_loss(case: Case) -> None:
    """Compare costs, matching, losses and gradients of stored
    predictions."""
    for sub, meta in case.meta['subcases'].items():
        scores, masks = (
            torch.from_numpy(
                case.inputs[f'{sub}/pred_{name}']).requires_grad_()
            for name in ('is_referred', 'masks'))
        ours = (scores[..., :1] - scores[..., 1:]).transpose(1, 2)
        targets, orders = load_targets(case, sub)
        matcher = case.meta['matcher']
        weights = meta['weights']
        head = MODELS.build(
            dict(
                type='ReferredInstanceHead',
                unreferred_weight=case.meta['eos_coef'],
                loss_weights={
                    our: weights[f'loss_{name}']
                    for name, our in LOSSES.items()
                },
                matcher=dict(
                    type='InstanceMatcher',
                    referred_weight=matcher['is_referred'],
                    dice_weight=matcher['dice'])))
        for layer in range(len(scores)):
            for pair, order in enumerate(orders):
                objects = torch.cat(
                    (targets.masks[pair][None], targets.others[pair]))
                args = (ours[layer, pair, ..., 0].detach(),
                        masks[layer, :, pair].detach(), objects,
                        targets.valid[pair])
                name = f'{layer}_{pair}'
                cost = case.outputs[f'{sub}/cost{name}'][:, order]
                close(head.matcher.cost(*args), cost, f'cost{name}', atol=1e-5)
                queries, numbers = head.matcher(*args)
                found = {(int(q), order[n])
                         for q, n in zip(queries, numbers, strict=True)}
                expected = case.outputs[f'{sub}/matched{name}'].T
                assert found == set(map(tuple, expected.tolist())), name

        losses = head.loss_by_layer(ours, masks.transpose(1, 2), targets)
        total = sum(losses.values())
        total.backward()
        prefix = f'{sub}/loss/'
        close(total, case.outputs[f'{prefix}total'], 'total', rtol=1e-6,
              atol=1e-5)
        for key, expected in case.outputs.items():
            if not key.startswith(f'{prefix}loss_'):
                continue
            name = key.removeprefix(prefix)
            stem, _, layer = name.removeprefix('loss_').rpartition('_')
            if layer.isdigit():
                our = f'd{layer}.loss_{LOSSES[stem]}'
            else:
                our = f"loss_{LOSSES[name.removeprefix('loss_')]}"
            close(losses.pop(our) / weights[name], expected, key, rtol=1e-6,
                  atol=1e-5)
        assert not losses
        for name, value in (('is_referred', scores), ('masks', masks)):
            close(value.grad, case.outputs[f'{sub}/grad/pred_{name}'],
                  f'grad of {name}', atol=1e-5)


def stored(case: Case, sub: str,
           pair: int) -> tuple[StoredHead, QueryPredictions]:
    """Load the stored predictions of one video."""
    inputs = {
        k.removeprefix(f'{sub}/'): torch.from_numpy(v)
        for k, v in case.inputs.items() if k.startswith(f'{sub}/')
    }
    scores = inputs['pred_is_referred'][:, pair]
    return StoredHead(inputs['pred_masks'][None, :, pair]), QueryPredictions(
        queries=None,
        references=None,
        logits=(scores[..., :1] - scores[..., 1:])[None, None],
        boxes=None,
        mask_features=None,
        image_sizes=inputs['resized_sizes'][pair][None].float(),
        input_size=tuple(inputs['padded_size'].tolist()))


def run_post(case: Case) -> None:
    """Compare masks resized to the network's input, then to the original
    size."""
    for pair, size in enumerate(case.inputs['a2d/original_sizes'].tolist()):
        head, predictions = stored(case, 'a2d', pair)
        rank = TASK_UTILS.build(dict(type='RankQueries'))
        pred = rank(head, iter([predictions]), tuple(size))
        close(pred.query_scores[0], case.outputs[f'a2d/scores{pair}'],
              'scores', atol=1e-6)
        masks = decode(pred.query_masks[0])
        np.testing.assert_array_equal(
            masks, unpack(case.outputs[f'a2d/masks{pair}'], masks.shape))
        assert 'query_boxes' not in pred
    for pair, size in enumerate(case.inputs['ytvos/original_sizes'].tolist()):
        head, predictions = stored(case, 'ytvos', pair)
        best = TASK_UTILS.build(dict(type='BestQuery', through_input=True))
        pred = best(head, iter([predictions]), tuple(size))
        assert int(pred.queries[0]) == case.outputs['ytvos/query'][pair]
        masks = decode(pred.masks[0])
        np.testing.assert_array_equal(
            masks, unpack(case.outputs[f'ytvos/masks{pair}'], masks.shape))


KINDS = {
    'mttr_loss': run_loss,
    'mttr_post': run_post,
    'mttr_': run_model,
}

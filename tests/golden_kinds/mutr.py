"""Golden cases of the official MUTR (OpenGVLab/MUTR@c5f5044).

Where a batch of several videos has several frames, the official code mixes
frames of different videos in its temporal interaction. The cases hold the
outputs without this defect under ``fixed/*`` and ``fixed_train/*``, which we
reproduce.
"""
from types import SimpleNamespace

import torch
from torch import Tensor

from mmrvos.conversion import METHODS
from mmrvos.models.features import QueryPredictions

from . import referformer
from .case import Case
from .recording import recorded
from .referformer import ATOL, check_gradients, close, run_infer_davis

# outputs of the official code that depend on the mixture of videos
MIXED = ('pred_logits', 'pred_masks', 'mti', 'mti_encoded/slice')


def build_model(case: Case) -> torch.nn.Module:
    """Build our model in evaluation mode with the converted weights."""
    return referformer.build_model(case, case.meta['hyper']['num_classes'],
                                   'mutr', 'mutr/_base_/mutr_r50.py')


def set_training(model: torch.nn.Module, training: bool) -> None:
    """Switch the control flow of training; dropout stays off."""
    model.training = model.cluster.training = training


def all_words(model: torch.nn.Module,
              seen: SimpleNamespace) -> dict[str, Tensor]:
    """Aggregate the levels into all words, as the official code does."""
    words, clip, text = [], seen.clip, seen.text
    handle = model.fusion.aggregation.register_forward_hook(
        lambda module, inputs, output: words.append(output))
    model.fusion.aggregate(clip, text.words, text.positions)
    handle.remove()
    return {f'mta{level}': output for level, output in enumerate(words)}


def official(model: torch.nn.Module, predictions: QueryPredictions,
             video: Tensor, encoded: Tensor) -> dict[str, Tensor]:
    """Convert to the official names.

    Args:
        video: (D or 1, P, 1, N, C), output of the temporal interaction.
        encoded: (D*P or P, T, N, C), output of its encoder.
    """
    named = {
        'pred_logits': predictions.logits,
        'pred_boxes': predictions.boxes,
        'pred_masks': model.head.masks(predictions),
        'mti': video.squeeze(2),
        'mti_encoded/slice': encoded[..., ::8],
    }
    if not model.training:  # no axis of layers
        for name in ('pred_logits', 'pred_boxes', 'pred_masks'):
            named[name] = named[name][0]
    return named


def run(model: torch.nn.Module, case: Case
        ) -> tuple[dict[str, Tensor], SimpleNamespace]:
    """Run the three steps; returns official and recorded outputs."""
    encoded, encode = [], model.cluster.encode

    def recorded_encode(queries: Tensor) -> Tensor:
        encoded.append(encode(queries))
        return encoded[-1]

    model.cluster.encode = recorded_encode
    try:
        with recorded(model, 'cluster') as parts:
            predictions, seen = referformer.run_network(model, case)
    finally:
        del model.cluster.encode
    return official(model, predictions, parts.cluster, encoded[0]), seen


def check(actual: dict[str, Tensor], case: Case, prefix: str = '',
          skip: tuple[str, ...] = ()) -> int:
    """Compare all stored numbers under a prefix; return their number."""
    checked = 0
    for name, expected in case.outputs.items():
        leaf = name.removeprefix(prefix)
        if not name.startswith(prefix) or leaf in skip or (
                leaf.split('/')[0] in PREFIXES or leaf.endswith('/mask')):
            continue
        value = actual[leaf]
        if leaf == 'pred_masks' and len(value) > len(expected):
            value = value[[0, -1]]  # light cases: first and last layer
        atol = 5e-6 if 'reference' in leaf else ATOL.get(leaf, 5e-5)
        close(value, expected, name, atol=atol)
        checked += 1
    return checked


PREFIXES = ('train', 'fixed', 'fixed_train', 'sharp', 'sharp_train')


@torch.no_grad()
def run_model(case: Case) -> None:
    """Compare all stored numbers of both control flows."""
    model = build_model(case)
    test, seen = run(model, case)
    queries, _, references = seen.decoder
    inner = referformer.intermediate(seen) | all_words(model, seen) | dict(
        hs=queries.flatten(1, 2),
        sentence=seen.fusion[1],
        reference_points=references[-2, ..., :2])
    set_training(model, True)
    train, _ = run(model, case)

    mixed = MIXED if 'fixed/pred_logits' in case.outputs else ()
    assert check(inner | test, case, skip=mixed) > 10
    assert check(train, case, 'train/', mixed)
    if mixed:
        assert check(test, case, 'fixed/')
        assert check(train, case, 'fixed_train/')
    if case.meta.get('sharp'):
        run_sharp(model, case)


def run_sharp(model: torch.nn.Module, case: Case) -> None:
    """Compare with some weights enlarged, so that video queries differ."""
    _, report = METHODS['mutr'](case.state_dict())
    parameters = dict(model.named_parameters())
    for name, factor in case.meta['sharp'].items():
        parameters[report.renamed[name]].mul_(factor)
    for training, prefix in ((False, 'sharp/'), (True, 'sharp_train/')):
        set_training(model, training)
        assert check(run(model, case)[0], case, prefix)


def run_grad(case: Case) -> None:
    """Compare losses and gradients of training without dropout."""
    model = build_model(case)
    set_training(model, True)
    predictions, _ = referformer.run_network(model, case)
    check_gradients(case, model, predictions, 'mutr')


KINDS = {
    'mutr_model': run_model,
    'mutr_grad': run_grad,
    'mutr_infer': run_infer_davis,
}

"""Golden cases of SAMWISE: a training step, and losses."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmrvos.conversion import METHODS
from mmrvos.models.features import Targets
from mmrvos.models.heads.samwise_head import Decisions
from mmrvos.registry import MODELS

from .case import Case
from .referformer import close, load_clips, unpack
from .samwise import build_model, check, encode_text, spied


def run_loss(case: Case) -> None:
    """Compare a training step, and losses on stored predictions."""
    run_stored_losses(case)
    model = build_model(case, dropout=0.).train()
    text, (frames, sizes) = encode_text(model, case), load_clips(case)
    with spied(model, 'decode_frame', 'decide') as seen:
        predictions = model.decode(model.encode_clip(frames, sizes), text)
    losses = model.loss(predictions, load_targets(case, frames))
    sum(losses.values()).backward()

    found = [frame for _, (frame, _) in seen.decode_frame]
    alone = [args[3] for args, _ in seen.decide]

    def join(values: list[Tensor]) -> Tensor:  # of frames, (B*T, ...)
        return torch.stack(values, dim=1).flatten(0, 1)

    masks = model.head.masks(predictions)[0, :, :, 0].flatten(0, 1)
    actual = {
        'masks': masks,
        'object_score_logits': join([f.scores for f in found])[:, None],
        'obj_ptr': join([frame.pointers for frame in found]),
        'cme_logits': predictions.decisions.logits,
        'nomem/object_score_logits': join([f.scores for f in alone])[:, None],
    }
    assert check(actual, case, 'train/') == len(actual)
    labels = case.outputs['train/cme_label']
    assert predictions.decisions.labels.tolist() == labels.tolist()
    official = dict(mask='loss_mask', dice='loss_dice', decision='CME_loss')
    for ours, name in official.items():
        close(losses[f'loss_{ours}'], case.outputs[f'train/loss/{name}'],
              name, atol=2e-5)
    check_gradients(case, model)


def check_gradients(case: Case, model: nn.Module) -> None:
    """Compare gradients of trained weights, and running statistics."""
    _, report = METHODS['samwise']({
        key: torch.empty(shape)
        for key, shape in case.state_shapes.items()
    })
    parameters = dict(model.named_parameters())
    norms = zip(
        case.meta['grad_names'],
        case.outputs['train/grad_norms'],
        strict=True)
    for name, norm in norms:
        if name not in report.dropped:  # not used in the official code either
            close(parameters[report.renamed[name]].grad.norm(), norm, name,
                  rtol=2e-3, atol=1e-7)
    buffers = dict(model.named_buffers())
    checked = 0
    for name, expected in case.outputs.items():
        *_, kind, key = name.split('/')
        if not name.startswith(('train/grad/', 'train/buffer/')):
            continue
        if kind == 'grad':
            value, count = parameters[report.renamed[key]].grad.flatten(), 64
            share = 3e-2 if 'spatial_pos_embed' in key else 1e-2
            atol = share * float(np.abs(expected).max())
        else:
            value, count, atol = buffers[report.renamed[key]], 32, 2e-5
        value = value[::max(1, value.numel() // count)][:len(expected)]
        close(value, expected, name, atol=atol)
        checked += 1
    assert checked > 30
    assert all(
        name.startswith(('adapters', 'text_prompt', 'memory_decision'))
        for name, parameter in parameters.items()
        if parameter.grad is not None)


def load_targets(case: Case, frames: Tensor) -> Targets:
    """Load masks, padded to multiples of 32."""
    shapes = case.meta['mask_shapes']
    return stack_targets([
        unpack(case.inputs[f'masks{index}'], shape)
        for index, shape in enumerate(shapes)
    ], frames.shape[-2:])


def stack_targets(masks: list[np.ndarray], size: tuple[int, int]) -> Targets:
    """Pad masks (T, h, w) to a size rounded up to multiples of 32."""
    height, width = (side + -side % 32 for side in size)
    stacked = torch.stack([
        F.pad(torch.from_numpy(m), (0, width - m.shape[-1], 0,
                                    height - m.shape[-2])) for m in masks
    ])
    return Targets(masks=stacked, boxes=None, valid=None, labels=None)


def run_stored_losses(case: Case) -> None:
    """Compare the losses of stored predictions and their gradients."""
    head = MODELS.build(dict(type='SAMWISEHead'))
    for sub, meta in case.meta['subcases'].items():
        stored = torch.from_numpy(case.inputs[f'{sub}/masks']).requires_grad_()
        masks = [
            unpack(case.inputs[f'{sub}/target{index}'], shape)
            for index, shape in enumerate(meta['targets'])
        ]
        targets = stack_targets(masks, meta['hw'])
        losses = head.mask_losses(
            stored.view(len(masks), meta['T'], *meta['hw']), targets.masks)
        sum(losses.values()).backward()
        for name, value in losses.items():
            close(value, case.outputs[f'{sub}/loss_{name}'],
                  f'{sub}/loss_{name}', atol=2e-5)
        expected = case.outputs[f'{sub}/grad']
        close(stored.grad, expected, f'{sub}/grad',
              atol=1e-3 * float(np.abs(expected).max()))
    for sub, labels in case.meta['cme'].items():
        logits = torch.from_numpy(case.inputs[f'cme/{sub}'])
        loss = head.decision_loss(Decisions(logits, torch.tensor(labels)))
        close(loss, case.outputs[f'cme/{sub}/loss'], f'cme/{sub}', atol=2e-5)


KINDS = {'samwise_loss': run_loss}

"""Golden cases of the official STCN (hkchengrex/STCN@eb83102)."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mmrvos.conversion import METHODS
from mmrvos.models.propagators.stcn import pad_to_stride
from mmrvos.models.propagators.stcn_memory import similarity, top_affinity
from mmrvos.models.propagators.stcn_network import (
    STCN,
    EncodedFrame,
    aggregate,
)
from mmrvos.models.propagators.stcn_tracker import STCNTracker
from mmrvos.utils import load_weights

from .case import Case
from .referformer import close

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
ATOL = 2e-5


def build_network(case: Case) -> STCN:
    network = STCN()
    load_weights(network, METHODS['stcn'](case.state_dict())[0])
    return network.eval()


def load_images(case: Case) -> tuple[Tensor, list[int]]:
    """Load (T, 3, H, W), normalised and padded, and the four pads."""
    images = torch.from_numpy(case.inputs['images'])
    images = (images.movedim(-1, 1) / 255 - MEAN) / STD
    return pad_to_stride(images)


def one_hot(labels: np.ndarray, count: int) -> Tensor:
    """Convert a label map to (K, H, W) float masks."""
    ids = np.arange(1, count + 1)[:, None, None]
    return torch.from_numpy(labels[None] == ids).float()


def label_map(probs: Tensor, pads: list[int],
              size: tuple[int, int] | None) -> np.ndarray:
    """Unpad, resize, argmax, in the official order."""
    left, right, top, bottom = pads
    probs = probs[:, top:probs.shape[1] - bottom,
                  left:probs.shape[2] - right]
    if size is not None:
        probs = F.interpolate(
            probs[None], size, mode='bilinear', align_corners=False)[0]
    return probs.argmax(0).numpy()


def equal_masks(actual, case: Case, name: str) -> None:
    """Compare the pixels whose two best objects do not nearly tie."""
    expected = case.outputs[f'{name}_masks']
    prefix = name if f'{name}_ambiguous' in case.outputs else 'core'
    wrong = np.stack(actual) != expected
    if f'{prefix}_ambiguous' in case.outputs:
        unsure = np.unpackbits(case.outputs[f'{prefix}_ambiguous'])
        wrong &= unsure[:wrong.size].reshape(wrong.shape) == 0
    assert not wrong.any(), f'{name}: {wrong.sum()} pixels differ'


def follow(network: STCN, frames: list[EncodedFrame],
           given: dict[int, Tensor], **options) -> list[Tensor]:
    """Compute probabilities (K + 1, H, W) per frame."""
    tracker = STCNTracker(network, **options)
    return [
        tracker.step(frame, given.get(t)) for t, frame in enumerate(frames)
    ]


def run_network(case: Case) -> None:
    """Compare all numbers of one memory frame and one query frame."""
    network = build_network(case)
    images, pads = load_images(case)
    assert pads == case.meta['pad']
    steps = case.meta['channel_slices']
    count = case.meta['num_objects']
    masks = one_hot(case.inputs['label0'], count)
    seen = {}
    fusion = network.value_fusion
    modules = dict(
        v_block1=fusion.block1,
        v_channel_gate=fusion.attention[0],
        v_cbam=fusion.attention,
        d_compress=network.compress,
        d_up8=network.up_8,
        d_up4=network.up_4)
    for name, module in modules.items():
        module.register_forward_hook(
            lambda _, inputs, output, name=name: seen.update({name: output}))
    network.value_encoder.register_forward_hook(
        lambda _, inputs, output: seen.update(v_layer3=output[0]))

    frames = [network.encode_key(image[None]) for image in images]
    probs = aggregate(F.pad(masks, pads))
    value = network.encode_value(frames[0], probs[1:])
    memory, query = (f.key[0].flatten(1).t() for f in frames[:2])
    scores = similarity(query, memory)
    weights, elements = top_affinity(scores, case.meta['top_k'])
    affinity = torch.zeros_like(scores).scatter(1, elements, weights).t()
    readout = torch.einsum('kcn,np->kcp', value.flatten(2), affinity)
    logits = network.decode(
        frames[1], readout.view(count, -1, *frames[1].key.shape[2:]))

    def cut(maps: list[Tensor], name: str) -> Tensor:
        return torch.cat(maps)[:, ::steps[name]]

    actual = dict(
        frame0_padded=images[0],
        init_prob=probs[:, None],
        k16=torch.cat([f.key for f in frames]),
        f16=cut([f.coarse for f in frames], 'f16'),
        f16_thin=cut([f.thin for f in frames], 'f16_thin'),
        f8=cut([f.middle for f in frames[:2]], 'f8'),
        f4=cut([f.fine for f in frames[:1]], 'f4'),
        v16=value[:, :, None],
        affinity_raw=scores.t(),
        affinity_top20=affinity,
        readout=readout.view(count, -1, *frames[1].key.shape[2:]),
        logits=logits[:, None],
        prob=aggregate(logits.sigmoid())[:, None],
        **{
            name: output[:, ::steps[name]]
            for name, output in seen.items()
        })
    for name, expected in case.outputs.items():
        if not name.startswith('core'):
            close(actual[name], expected, name, rtol=1e-4, atol=ATOL)
    run_cores(case, network, frames, masks, pads)


def run_cores(case: Case, network: STCN, frames: list[EncodedFrame],
              masks: Tensor, pads: list[int]) -> None:
    """Compare three short propagations from the first frame."""
    cores = dict(
        core=dict(mem_every=5),
        core_last=dict(mem_every=2, include_last=True),
        core_single=dict(mem_every=1))
    for name, options in cores.items():
        first = masks[:1] if name == 'core_single' else masks
        probs = follow(network, frames, {0: F.pad(first, pads)}, **options)
        close(probs[-1][:, None], case.outputs[f'{name}_prob_last'], name,
              atol=ATOL)
        labels = [label_map(p, pads, case.meta['out_size']) for p in probs]
        if name == 'core':
            equal_masks(labels, case, name)
        else:  # near ties are stored for the first propagation only
            wrong = np.stack(labels) != case.outputs[f'{name}_masks']
            assert wrong.mean() < 1e-4, name


def run_propagation(case: Case) -> None:
    """Compare propagation forwards, in both directions, and with objects
    that start in different frames."""
    network = build_network(case)
    images, pads = load_images(case)
    start = case.meta['start_frame']
    count = case.meta['num_objects']
    masks = F.pad(one_hot(case.inputs['label'], count), pads)
    frames = [network.encode_key(image[None]) for image in images]

    def labels(probs: list[Tensor]) -> list[np.ndarray]:
        return [label_map(p, pads, None) for p in probs]

    # the official core for DAVIS counts from the start of the clip
    tracker = STCNTracker(network)
    probs = [tracker.step(frames[start], masks)]
    tracker.age = start + 1
    probs += [tracker.step(frame) for frame in frames[start + 1:]]
    before = [np.zeros_like(case.inputs['label'])] * start
    equal_masks(before + labels(probs), case, 'fwd_abs')

    both = dict(bi5=dict(mem_every=5),
                bi3last=dict(mem_every=3, include_last=True))
    for name, options in both.items():
        forward, backward = (
            follow(network, part, {0: masks}, **options)
            for part in (frames[start:], frames[start::-1]))
        for direction, probs in (('fwd', forward), ('bwd', backward)):
            key = f'{name}_{direction}_prob_last'
            close(probs[-1][:, ::2, ::2], case.outputs[key], key, atol=ATOL)
        probs = backward[:0:-1] + forward
        means = torch.stack([p.mean((1, 2)) for p in probs], dim=1)
        close(means, case.outputs[f'{name}_prob_mean'], name, atol=ATOL)
        equal_masks(labels(probs), case, name)

    first = F.pad(torch.from_numpy(case.inputs['yv_init']).float(), pads)
    given = {t: first[k, None]
             for k, t in enumerate(case.meta['yv_starts'])}
    probs = follow(network, frames[:case.meta['yv_frames']], given,
                   mem_every=3)
    close(probs[-1][:, ::2, ::2], case.outputs['yv_prob_last'], 'yv',
          atol=ATOL)
    equal_masks(labels(probs), case, 'yv')


KINDS = {'stcn': run_network, 'stcn_propagation': run_propagation}

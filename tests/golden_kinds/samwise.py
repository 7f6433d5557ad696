"""Golden cases of the official SAMWISE (ClaudiaCuttano/SAMWISE@dad43ab).

The cases store the numbers after each part of the network. Names are
official; ``case.meta['notes']`` explains each array.
"""
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers.initialization import no_init_weights

from mmrvos.conversion import METHODS
from mmrvos.models.chunks import WHOLE
from mmrvos.models.decoders.video_memory import VideoMemory
from mmrvos.models.features import TextFeatures
from mmrvos.models.layers import upsample
from mmrvos.models.postprocessors.masks import masks_through_input
from mmrvos.registry import MODELS
from mmrvos.utils import load_weights

from .case import Case
from .referformer import close, load_clips, unpack

ARCHS = dict(t='tiny', s='small', l='large') | {'b+': 'base-plus'}
# absolute tolerances, those of the README of the cases
ATOL = {
    'low_res_masks': 1e-4,
    'masks': 1e-4,
    'object_score_logits': 1e-4,
    'cme_logits': 3e-4,
    'obj_ptr': 3e-5,
    'early_obj_ptr': 3e-5,
    'prompt_token': 3e-5,
    'ious': 3e-5,
    'maskmem_features': 5e-4,
    'memory_mask_logits': 5e-4,
}


def official_weights(case: Case) -> dict[str, Tensor]:
    """Compute the official weights, with the edits of the case."""
    weights = case.state_dict()
    for key, operation, number in case.meta.get('edits', ()):
        number = torch.tensor(number)
        if operation == 'mul':
            weights[key] = weights[key] * number
        else:
            weights[key] = weights[key] + number
    return weights


def build_model(case: Case, dropout: float = 0.1) -> nn.Module:
    """Build our model in evaluation mode with the converted weights."""
    hyper, text = case.meta['hyper'], case.meta['hyper']['text']
    arch = Path(hyper['sam2_yaml']).stem.removeprefix('sam2_hiera_')
    cfg = dict(
        type='SAMWISE',
        sam2=dict(
            type='SAM2Network',
            arch=ARCHS[arch],
            image_size=hyper['image_size'],
            weights='official',  # loaded below
            pretrained=False,
            object_scores=hyper.get('pred_obj_scores', True),
            config=dict(
                memory_attention_dropout=dropout,
                memory_attention_rope_dropout=dropout)),
        text_encoder=dict(
            type='StagedTextEncoder',
            vocabulary=['word'],
            config=text_config(text, dropout)),
        adapter=dict(
            type='CrossModalAdapter',
            embed_dims=hyper['adapter_dim'],
            selective=hyper['HSA'],
            dropout=dropout),
        patch_sizes=hyper['HSA_patch_size'],
        memory_decision=dict(
            type='ConditionalMemoryEncoder',
            window=hyper['cme_decision_window'],
            switch=hyper['switch_mem'],
            dropout=dropout) if hyper['use_cme_head'] else None,
        head=dict(type='SAMWISEHead'),
        test_cfg=dict(chunks=vars(WHOLE)))
    with no_init_weights():  # all are loaded below
        model = MODELS.build(cfg)
    weights, _ = METHODS['samwise'](official_weights(case))
    if model.memory_decision is None:  # official models always have one
        weights = {
            key: value for key, value in weights.items()
            if not key.startswith('memory_decision.')
        }
    load_weights(model, weights)
    return model.eval()


def text_config(text: dict, dropout: float) -> dict:
    """Convert the sizes of a case to the keys of ``RobertaConfig``."""
    return dict(
        vocab_size=text['vocab'],
        hidden_size=text['dim'],
        intermediate_size=text['ffn'],
        num_hidden_layers=12,
        num_attention_heads=text['heads'],
        max_position_embeddings=text['max_positions'] + 2,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout)


@contextmanager
def spied(owner: Any, *names: str) -> Iterator[SimpleNamespace]:
    """Record arguments and outputs of the calls of methods.

    Yields:
        One list per method, filled with (arguments, output).
    """
    calls = SimpleNamespace(**{name: [] for name in names})

    def wrap(name: str) -> None:
        method = getattr(owner, name)

        def call(*args, **kwargs):
            output = method(*args, **kwargs)
            getattr(calls, name).append((args, output))
            return output

        setattr(owner, name, call)

    methods = {name: getattr(owner, name) for name in names}
    for name in names:
        wrap(name)
    try:
        yield calls
    finally:
        for name, method in methods.items():
            setattr(owner, name, method)


@contextmanager
def hooked(module: nn.Module, inputs: bool = False) -> Iterator[list]:
    """Record the outputs of a module, or its first inputs."""
    calls = []
    handle = module.register_forward_hook(
        lambda module, args, output: calls.append(
            args[0] if inputs else output))
    try:
        yield calls
    finally:
        handle.remove()


def encode_text(model: nn.Module, case: Case) -> TextFeatures:
    """Encode the tokens of the case with the first layers."""
    ids, mask = (torch.from_numpy(case.inputs[name])
                 for name in ('input_ids', 'attention_mask'))
    return model.text_encoder(ids, None if mask.all() else mask,
                              torch.arange(len(ids)))


def run(model: nn.Module, frames: Tensor, sizes: Tensor, text: TextFeatures,
        windows: list[int]) -> SimpleNamespace:
    """Decode videos window by window; record the insides.

    Args:
        frames: (B, T, 3, H, W).
        sizes: (B, 2).
        text: one sentence per video.
        windows: frames of each.

    Returns:
        Predictions of each window, the recorded calls, and the memory.
    """
    memory, sam2 = model.new_memory(text), model.sam2
    seen = SimpleNamespace(predictions=[], memory=memory, features=[])
    norm = sam2.network.mask_decoder.transformer.layer_norm_final_attn
    seen.hsa, seen.adapters = [], []

    def keep_selective(module: nn.Module, args: tuple,
                       output: Tensor) -> None:
        seen.hsa.append(output)

    def keep_adapter(module: nn.Module, args: tuple, output: tuple) -> None:
        seen.adapters.append((args, output))

    handles = [a.register_forward_hook(keep_adapter) for a in model.adapters]
    handles += [
        a.selective.linear.register_forward_hook(keep_selective)
        for a in model.adapters if a.selective is not None
    ]
    with spied(sam2, 'run_stage', 'decode',
               'encode_memory') as seen.sam2, spied(
                   model, 'adapt', 'decode_frame',
                   'decide') as seen.model, hooked(norm) as seen.queries:
        start = 0
        for count in windows:
            clip = model.encode_clip(frames[:, start:start + count], sizes)
            seen.features.append(clip)
            seen.predictions.append(model.decode(clip, text, memory))
            start += count
    for handle in handles:
        handle.remove()
    return seen


def by_frame(seen: SimpleNamespace) -> dict[str, Tensor]:
    """Collect what is recorded frame by frame: (T, ...), one video.

    A frame on which the memory encoder decides is decoded twice; the
    decoding with memory is the one that is returned.
    """
    frames = [frame for _, (frame, _) in seen.model.decode_frame]
    with_memory = {id(output): args for args, output in seen.sam2.decode}
    memory = seen.sam2.encode_memory
    return dict(
        low_res_masks=torch.cat([frame.masks for frame in frames]),
        object_score_logits=torch.cat([f.scores for f in frames])[:, None],
        obj_ptr=torch.cat([frame.pointers for frame in frames]),
        early_obj_ptr=torch.cat([frame.tokens for frame in frames]),
        pix_feat_with_mem=torch.cat(
            [with_memory[id(frame)][0] for frame in frames]),
        maskmem_features=torch.cat([output for _, output in memory]),
        memory_mask_logits=torch.cat([args[1] for args, _ in memory]))


def encoders(model: nn.Module, seen: SimpleNamespace) -> dict[str, Tensor]:
    """Collect what the encoders computed in the first window."""
    (_, (middle, features, prompts)), *_ = seen.model.adapt
    named = dict(feats0=seen.features[0].fine, feats1=middle, feats2=features,
                 prompt_token=prompts[:1, 0])
    for index in range(3):
        (maps, words, *_), (more, more_words) = seen.adapters[index]
        named[f'stage{index + 1}'] = maps + more
        named[f'adapter{index}/vis'] = more
        named[f'adapter{index}/txt'] = more_words.transpose(0, 1)
        if seen.hsa:
            named[f'adapter{index}/hsa'] = seen.hsa[index].transpose(0, 1)
        if index == 2:
            named['text/out'] = words + more_words
    named['stage0'] = seen.sam2.run_stage[0][1]
    queries = torch.cat([q[:, 0] for q in seen.queries])
    ious = model.sam2.network.mask_decoder.iou_prediction_head(
        queries[:, int(model.sam2.object_scores)])
    named['ious'] = ious[:, :1]
    return named


def strided(value: Tensor, expected: np.ndarray) -> Tensor:
    """Take every n-th entry of axes of which the case stores some."""
    for axis, (have, want) in enumerate(
            zip(value.shape, expected.shape, strict=True)):
        if have != want:
            step = -(-have // want)
            value = value[(slice(None), ) * axis
                          + (slice(None, None, step), )]
            value = value[(slice(None), ) * axis + (slice(want), )]
    return value


def check(actual: dict[str, Tensor], case: Case, prefix: str = '') -> int:
    """Compare all stored numbers under a prefix; return their number."""
    checked = 0
    for name, expected in case.outputs.items():
        leaf = name.removeprefix(prefix)
        if not name.startswith(prefix) or leaf not in actual:
            continue
        value = actual[leaf]
        if leaf.startswith(('stage', 'feats')):
            value = value[:len(expected)]  # the first frames
        elif leaf.endswith('/hsa'):
            value = value[:, :expected.shape[1]]  # the first patches
        close(strided(value, expected), expected, name,
              atol=ATOL.get(leaf, 3e-5 if leaf.startswith('text') else 1e-4))
        checked += 1
    return checked


def embedding(model: nn.Module, case: Case) -> Tensor:
    """Compute the embeddings of the words, 0 where padded."""
    ids, mask = (torch.from_numpy(case.inputs[name])
                 for name in ('input_ids', 'attention_mask'))
    words = model.text_encoder.model.embeddings(ids)
    return words * mask[..., None]


@torch.no_grad()
def run_forward(case: Case) -> None:
    """Compare a video in one window, with insides, and in several."""
    model = build_model(case)
    text, (frames, sizes) = encode_text(model, case), load_clips(case)
    for name, windows in case.meta['windows'].items():
        seen = run(model, frames, sizes, text, windows)
        actual = by_frame(seen)
        if name == 'clip':
            actual |= encoders(model, seen)
            actual['text/embedding'] = embedding(model, case)
            actual['masks'] = model.head.masks(
                seen.predictions[0])[0, 0, :, 0]
            assert check(actual, case) >= 25
            check_bits(case, actual['masks'])
        else:
            actual['adapter1_vis_last_window'] = seen.adapters[-2][1][0]
            assert check(actual, case, f'{name}/') == 4


def check_bits(case: Case, masks: Tensor) -> None:
    """Compare binary masks of the original size."""
    shape = (len(masks), *case.inputs['original_size'])
    ours = upsample(masks, shape[1:]).sigmoid() > 0.5
    expected = unpack(case.outputs['mask_bits'], shape)
    assert (ours.numpy() != expected).sum() <= case.meta[
        'near_threshold_pixels']


@torch.no_grad()
def run_image(case: Case) -> None:
    """Compare single images without object scores and HSA."""
    model = build_model(case)
    # a batch of padded sentences, as in training
    model.adapter_padding = lambda text: None
    text, (frames, sizes) = encode_text(model, case), load_clips(case)
    seen = run(model, frames, sizes, text, [1])
    predictions, = seen.predictions
    masks = model.head.masks(predictions)[0, :, 0]
    actual = by_frame(seen) | encoders(model, seen) | {
        'text/embedding': embedding(model, case),
        'masks': masks[:, 0]
    }
    assert check(actual, case) >= 20
    for index, logits in enumerate(masks):
        size, original = (torch.from_numpy(case.inputs[name][index])
                          for name in ('size', 'original_size'))
        ours = masks_through_input(logits, predictions.input_size, size,
                                   tuple(original.tolist()), 0.5)[0].numpy()
        expected = unpack(case.outputs[f'mask_bits{index}'], ours.shape)
        assert (ours != expected).sum() <= case.meta['near_threshold_pixels']


@torch.no_grad()
def run_long(case: Case) -> None:
    """Compare the last frames of a video that is longer than the memory."""
    model = build_model(case)
    text, (frames, sizes) = encode_text(model, case), load_clips(case)
    actual = by_frame(run(model, frames, sizes, text, case.meta['windows']))
    last = {
        name: value if name == 'object_score_logits' else
        value[-case.meta['last']:]
        for name, value in actual.items()
    }
    assert check(last, case) == 5


@torch.no_grad()
def run_cme(case: Case) -> None:
    """Compare decisions, and what the memory stores in each mode."""
    model = build_model(case)
    text, (frames, sizes) = encode_text(model, case), load_clips(case)
    decision = model.memory_decision
    keep_encoded(model)  # decisions have no influence on it
    for number, mode in enumerate(case.meta['modes']):
        model.memory_decision = None if mode == 'off' else decision
        decision.switch = 'reweight' if mode == 'off' else mode
        switches, due = Switches(), decision.due
        decision.due = switches.due(due)
        with hooked(decision) as logits:
            seen = run(model, frames, sizes, text, case.meta['windows'])
        decision.due = due
        actual = by_frame(seen)
        alone = [args[3] for args, _ in seen.model.decide]
        if mode != 'off':
            actual['cme_logits'] = torch.cat(logits)
            switches.check(case, mode, actual['cme_logits'], seen.memory)
        assert check(actual, case, f'{mode}/') >= 2
        if number == 0:
            nomem = dict(
                low_res_masks=torch.cat([f.masks for f in alone]),
                object_score_logits=torch.cat(
                    [f.scores for f in alone])[:, None],
                early_obj_ptr=torch.cat([f.tokens for f in alone]))
            assert check(nomem, case, 'nomem/') == 3
            close(strided(actual['memory_mask_logits'],
                          case.outputs['memory_mask_logits']),
                  case.outputs['memory_mask_logits'], 'memory_mask_logits',
                  atol=5e-4)


def keep_encoded(model: nn.Module) -> None:
    """Encode the windows of one video only once."""
    encode, adapt, clips, kept = model.encode_clip, model.adapt, {}, {}

    def encode_once(frames: Tensor, sizes: Tensor) -> Any:
        key = frames.storage_offset()
        if key not in clips:
            clips[key] = encode(frames, sizes)
        return clips[key]

    def adapt_once(clip: Any, text: TextFeatures) -> Any:
        if id(clip) not in kept:
            kept[id(clip)] = adapt(clip, text)
        return kept[id(clip)]

    model.encode_clip, model.adapt = encode_once, adapt_once


class Switches:
    """Frames on which the memory encoder decides, in the whole video.

    A window of one frame restarts the count of the memory, so the calls are
    counted here.
    """

    def __init__(self) -> None:
        self.frame = 0
        self.frames: list[int] = []

    def due(self, method: Any) -> Any:
        """Wrap ``ConditionalMemoryEncoder.due``, called once per frame."""

        def call(frame: int, last_switch: Tensor) -> Tensor:
            due = method(frame, last_switch)
            if due.any():
                self.frames.append(self.frame)
            self.frame += 1
            return due

        return call

    def check(self, case: Case, mode: str, logits: Tensor,
              memory: VideoMemory) -> None:
        """Compare the frames of decisions and switches."""
        frames = np.array(self.frames)
        switched = frames[(logits.argmax(-1) == 1).numpy()]
        expected = {
            name: case.outputs[f'{mode}/{name}'].tolist()
            for name in ('evaluated_frames', 'applied_frames', 'applied_last')
        }
        assert expected == dict(
            evaluated_frames=frames.tolist(),
            applied_frames=switched.tolist(),
            applied_last=memory.last_switch.tolist())


KINDS = {
    'samwise_forward': run_forward,
    'samwise_image': run_image,
    'samwise_long': run_long,
    'samwise_cme': run_cme,
}

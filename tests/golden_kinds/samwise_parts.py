"""Golden cases of SAMWISE: its parts alone."""
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmrvos.conversion.key_map import convert_keys
from mmrvos.conversion.samwise import RULES
from mmrvos.registry import MODELS

from .case import Case
from .referformer import close
from .samwise import hooked, text_config


def run_parts(case: Case) -> None:
    """Compare adapters, decisions, prompt and text layers alone."""
    for name, sizes in case.meta['hyper']['adapters'].items():
        run_adapter(case, name, sizes)
    with torch.no_grad():
        run_decision(case)
        run_prompt(case)
        run_text(case)


def part_weights(case: Case, prefix: str, official: str,
                 ours: str) -> dict[str, Tensor]:
    """Return the weights of one part under our names.

    Args:
        prefix: of the part in the case.
        official: of the part in an official checkpoint.
        ours: of the part in our model.
    """
    named, _ = convert_keys(
        {
            official + key.removeprefix(prefix): value
            for key, value in case.state_dict().items()
            if key.startswith(prefix)
        }, [replace(rule, optional=True) for rule in RULES], 'SAMWISE')
    return {key.removeprefix(ours): value for key, value in named.items()}


def load_part(module: nn.Module, weights: dict[str, Tensor]) -> None:
    """Load weights; only the counters of batches are missing."""
    keys = module.load_state_dict(weights, strict=False)
    assert not keys.unexpected_keys
    assert all('num_batches_tracked' in key for key in keys.missing_keys)


def run_adapter(case: Case, name: str, sizes: dict) -> None:
    """Compare one adapter in evaluation and in training."""
    adapter = MODELS.build(
        dict(
            type='CrossModalAdapter',
            visual_channels=sizes['vis'],
            text_channels=sizes['txt'],
            embed_dims=sizes['dim'],
            selective=sizes['HSA'],
            patch_size=sizes['patch'],
            dropout=0.))
    load_part(adapter, part_weights(case, f'{name}.', 'cmt_adapters.0.',
                                    'adapters.0.'))
    for mode in ('eval', 'train'):
        adapter.train(mode == 'train')
        inputs = {
            key: torch.from_numpy(case.inputs[f'{name}/{key}'])
            for key in ('vis', 'txt', 'wv', 'wt')
        }
        vis, txt = (inputs[k].requires_grad_() for k in ('vis', 'txt'))
        with inside_adapter(adapter) as seen:
            more, more_words = adapter(vis, txt.transpose(0, 1), sizes['T'])
        actual = seen() | dict(vis=more, txt=more_words.transpose(0, 1))
        loss = (more * inputs['wv']).sum() + (
            actual['txt'] * inputs['wt']).sum()
        loss.backward()
        actual |= dict(grad_vis=vis.grad, grad_txt=txt.grad)
        for official, ours in (('down', 'visual_down'), ('up', 'visual_up')):
            for key in ('running_mean', 'running_var'):
                actual[f'proj_vis_{official}.1.{key}'] = getattr(
                    getattr(adapter, ours)[1], key)
        checked = 0
        for key, expected in case.outputs.items():
            if key.startswith(f'{name}/{mode}/'):
                close(actual[key.removeprefix(f'{name}/{mode}/')], expected,
                      key, atol=5e-5)
                checked += 1
        assert checked >= 8


@contextmanager
def inside_adapter(adapter: nn.Module) -> Iterator[Any]:
    """Record the steps of an adapter; yields a function that names them."""
    attention = []
    handles = [
        module.register_forward_hook(
            lambda module, args, output: attention.append(args))
        for module in (adapter.text_to_vision, adapter.vision_to_text)
    ]
    with hooked(adapter.visual_down) as down, hooked(
            adapter.visual_up, inputs=True) as product, hooked(
                adapter.text_up, inputs=True) as words:
        if adapter.selective is None:
            yield lambda: named(down, product, words, attention)
        else:
            with hooked(adapter.selective.norm, inputs=True) as before, hooked(
                    adapter.selective.linear) as after:
                yield lambda: named(down, product, words, attention) | dict(
                    hsa_tokens_before_norm=before[0].transpose(0, 1),
                    hsa=after[0].transpose(0, 1))
    for handle in handles:
        handle.remove()


def named(down: list[Tensor], product: list[Tensor], words: list[Tensor],
          attention: list[tuple]) -> dict[str, Tensor]:
    """Convert the steps of an adapter to official names and axes."""
    (query, *_), (_, key, _) = attention
    cells = down[0].shape[-2:].numel()
    return dict(
        down=down[0],
        v2t_in=query.unflatten(1, (-1, cells)).flatten(0, 1).transpose(0, 1),
        v2t=product[0].flatten(2).permute(2, 0, 1),
        t2v_mem=key.transpose(0, 1),
        t2v=words[0].transpose(0, 1))


def run_decision(case: Case) -> None:
    """Compare the decision head, and its labels."""
    head = MODELS.build(
        dict(
            type='ConditionalMemoryEncoder',
            embed_dims=case.meta['hyper']['cme_dim'])).eval()
    load_part(head, part_weights(case, 'cme.', 'conditional_memory_encoder.',
                                 'memory_decision.'))
    pointers, tokens = (torch.from_numpy(case.inputs[f'cme/{name}'])
                        for name in ('memory_ptr', 'early_ptr'))
    close(head(pointers, tokens), case.outputs['cme/logits'], 'cme',
          atol=5e-5)
    labels = head.labels(*(torch.from_numpy(case.inputs[f'label/{name}'])
                           for name in ('memory', 'nomem')),
                         torch.from_numpy(case.inputs['label/score'])[:, 0])
    assert labels.tolist() == case.outputs['label/out'].tolist()


def run_prompt(case: Case) -> None:
    """Compare the projection of the text prompt."""
    weights = part_weights(case, 'project_text.',
                           'sam.sam_prompt_encoder.project_text.', '')
    x = torch.from_numpy(case.inputs['project_text/in'])
    for layer in range(3):
        x = F.linear(x, *(weights[f'text_prompt.layers.{layer}.{kind}']
                          for kind in ('weight', 'bias')))
        x = x.relu() if layer < 2 else x
    close(x, case.outputs['project_text/out'], 'project_text', atol=5e-5)


def run_text(case: Case) -> None:
    """Compare the layers of the text model on a padded batch."""
    encoder = MODELS.build(
        dict(
            type='StagedTextEncoder',
            vocabulary=['word'],
            config=text_config(case.meta['hyper']['text'], 0.),
            first_layers=0)).eval()
    prefix = 'text_encoder.'
    weights = part_weights(case, prefix, prefix, prefix)
    weights['model.embeddings.token_type_embeddings.weight'] = torch.zeros(
        1, encoder.width)
    load_part(encoder, weights)
    ids, mask = (torch.from_numpy(case.inputs[f'text/{name}'])
                 for name in ('input_ids', 'attention_mask'))
    close(encoder.model.embeddings(ids),
          case.outputs['text/embedding_before_mask'], 'embedding', atol=5e-5)
    text = encoder(ids, mask, torch.arange(len(ids)))
    words, done = text.words, 0
    for layer in (0, 3, 11):
        words = encoder.run_layers(words, text.padding, done, layer + 1)
        done = layer + 1
        close(words, case.outputs[f'text/layer{layer}'], f'layer{layer}',
              atol=5e-5)


KINDS = {'samwise_parts': run_parts}

"""Every stored config has a successor with the same effective values.

``tests/data/config_values.json.gz`` was written before the configs were
rearranged (see ``tests/config_values.py``). A new config needs no entry here.
"""
from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Any

import pytest

from .config_values import defaults, leaf_configs, name_of, read, stored

# stored name: name today, of configs that have moved
MOVED = {
    f'{method}/{name}': f'{method}/ablations/{name}'
    for method, names in {
        'html': [f'r50_ytvos_{row}' for row in (
            '1-scale', '2-scales', '5-frames', '5-frames_1-scale',
            '5-frames_no-cmp', '12-frames', 'fine-to-coarse', 'no-cmp',
            'long', 'short')],
        'ifirvos': ['tiny_shapes_temporal'] + [
            f'r50_{stage}_{row}' for stage in ('refcoco-pretrain', 'ytvos')
            for row in ('baseline', 'dynamic-text', 'ffn', 'ifi', 'vli')],
        'mlrl': [f'r50_ytvos_{row}' for row in (
            '1-frame', '2-frames', '4-frames', '8-frames', 'no-alignment',
            'no-frame', 'no-object', 'no-video', 'object-fcn',
            'object-frame', 'roberta')],
        'soc': [f'video-swin-t_ytvos_scratch_{row}' for row in (
            '3frames', '5frames', '10frames', '10queries', '15queries',
            '25queries', 'cluster-average', 'cluster-conv',
            'cluster-kmeans', 'fusion-l2v', 'fusion-none', 'fusion-v2l',
            'no-contrast', 'no-voc', 'no-voc-no-contrast', 'voc-decoder',
            'voc-encoder')],
    }.items()
    for name in names
} | {
    'mlrl/r50_ytvos_no-alignment': 'mlrl/ablations/r50_ytvos_mean-words',
}
# config, path of the value (both with wildcards): why it is not the stored one
CHANGED = {
    ('*', '*_dataloader.collate_fn'):
    "pseudo_collate is MMEngine's default",
    ('*', 'optim_wrapper.optimizer.fused'):
    'one kernel for all parameters: the same updates in less time',
    ('*', 'default_hooks.epoch_seed'):
    'each epoch has a seed of its own, so that a resumed run repeats it',
    ('*', 'model.backbone.window*'):
    'renamed window_size, since test_cfg.window are frames of a video',
    ('*', 'default_hooks.check_loss'):
    'replaced by check_finite, which checks each loss and saved weight',
    ('*', 'default_hooks.check_finite'):
    'was check_loss',
    ('*/tiny_shapes*', 'model.category_head.stage'):
    'renamed level, since a stage is one of the training',
    ('*/tiny_shapes*', 'model.category_head.level'):
    'was named stage',
    ('*', 'model.test_cfg.expressions_per_pass'):
    'part of test_cfg.chunks; 8 expressions are at most 64 pairs as before',
    ('*', 'model.test_cfg.chunks'):
    'the limits of before, which were constants in the code',
    ('*', 'model.head.matcher'):
    'the default matcher of the head, listed with its weights as before',
    ('*', 'model.pixel_decoder.channels'):
    'None halves the width at each step, which gives the stored channels',
    ('mlrl/*', 'model.alignments.*.feedforward_channels'):
    'None is 4 * embed_dims = 1536',
    ('mlrl/*', 'model.text_encoder.max_length'):
    'sentences are cut to 20 tokens, N in the paper',
    ('html/*ytvos*', 'train_dataloader.dataset.pipeline.0.*'):
    'sliding windows (section 4.2) instead of local and global frames',
    ('html/*a2d*', 'train_dataloader.dataset.pipeline.0.*'):
    'windows around the annotated frame instead of local and global frames',
    ('html/*', '*_dataloader.dataset.pipeline.2.longest'):
    'the paper limits the long side in testing as well',
    ('ifirvos/*_a2d', 'model.model.decode_all_frames'):
    'all six frames are decoded, the "same setting" as Ref-YouTube-VOS',
    ('ifirvos/*davis17', 'test_dataloader.dataset.pipeline.2.longest'):
    'the paper limits the long side in testing as well',
    ('html/*davis17', 'train_*'):
    'the papers test the weights of Ref-YouTube-VOS and train no others',
    ('html/*davis17', 'val_*'):
    'the papers test the weights of Ref-YouTube-VOS and train no others',
    ('html/*davis17', 'param_scheduler'):
    'the papers test the weights of Ref-YouTube-VOS and train no others',
    ('html/*davis17', 'optim_wrapper'):
    'the papers test the weights of Ref-YouTube-VOS and train no others',
    ('html/*davis17', 'auto_scale_lr'):
    'the papers test the weights of Ref-YouTube-VOS and train no others',
    ('ifirvos/*davis17', 'train_*'):
    'the papers test the weights of Ref-YouTube-VOS and train no others',
    ('ifirvos/*davis17', 'val_*'):
    'the papers test the weights of Ref-YouTube-VOS and train no others',
    ('ifirvos/*davis17', 'param_scheduler'):
    'the papers test the weights of Ref-YouTube-VOS and train no others',
    ('ifirvos/*davis17', 'optim_wrapper'):
    'the papers test the weights of Ref-YouTube-VOS and train no others',
    ('ifirvos/*davis17', 'auto_scale_lr'):
    'the papers test the weights of Ref-YouTube-VOS and train no others',
    ('mlrl/*davis17*', '*_dataloader.dataset.annotators'):
    '"we only use their full-video expression" (section 4.1)',
    ('soc/*a2d*', 'default_hooks.checkpoint.*'):
    'the official code keeps the best epoch by mAP',
    ('mttr/*a2d*', 'default_hooks.checkpoint.*'):
    'the official code keeps the best epoch by mAP',
    ('mttr/tiny_shapes', 'model.*'):
    'words meet pixels at stride 8, where an object has four cells',
    ('mttr/tiny_shapes', 'custom_hooks.0.stages.1.*.num'):
    'two expressions per frame as in the other methods: at stride 8 a pair '
    'has four times the pixels',
    ('*/tiny_shapes*', 'model*.word_head'):
    'for the stage on words of appearance',
    ('*/tiny_shapes*', 'model.parameters.*'):
    'of the head for the stage on words of appearance',
    ('html/tiny_shapes*', 'custom_hooks.0.stages*'):
    'appearance is trained first, then position',
    ('ifirvos/*tiny_shapes*', 'custom_hooks.0.stages*'):
    'appearance is trained first, then position',
    ('referformer/tiny_shapes*', 'custom_hooks.0.stages*'):
    'appearance is trained first, then position',
    ('soc/tiny_shapes*', 'custom_hooks.0.stages*'):
    'appearance is trained first, then position',
    ('mlrl/tiny_shapes', 'custom_hooks.0.stages*'):
    'appearance is trained first, then position',
    ('mlrl/tiny_shapes', 'model.*'):
    'words meet a map of stride 8, which has the category loss; dense loss',
    ('*', 'model.test_cfg.min_score'):
    '0 keeps all masks, as before',
    ('*', 'log_processor.type'):
    'metrics are logged as a table',
    ('*', 'visualizer.alpha'):
    'overlays have one opacity',
    ('*', 'visualizer.outline_width'):
    'None follows from the size of the frame',
}

ABSENT = object()
LEAVES = {name_of(path): path for path in leaf_configs()}
STORED = stored()


def differences(old: Any, new: Any, path: str = '') -> Iterator[str]:
    """Yield 'path: old -> new' for every value that differs.

    A new option of a class that has its default value is no difference.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            at = f'{path}.{key}'.lstrip('.')
            if key not in new:
                yield f'{at}: {old[key]} -> (missing)'
            elif key not in old:
                default = defaults(new['type']) if 'type' in new else {}
                if new[key] != default.get(key, ABSENT):
                    yield f'{at}: (missing) -> {new[key]}'
            else:
                yield from differences(old[key], new[key], at)
    elif isinstance(old, list) and isinstance(new, list) and (
            len(old) == len(new)):
        for index, pair in enumerate(zip(old, new, strict=True)):
            yield from differences(*pair, f'{path}.{index}')
    elif old != new:
        yield f'{path}: {old} -> {new}'


def reasons(name: str, difference: str) -> list[tuple[str, str]]:
    """Return the entries of CHANGED that explain a difference."""
    path = difference.split(':')[0]
    return [(config, value) for config, value in CHANGED
            if fnmatch(name, config) and fnmatch(path, value)]


@pytest.mark.parametrize('old', sorted(STORED))
def test_same_values_as_stored(old):
    name = MOVED.get(old, old)
    assert name in LEAVES, f'{old} is gone: add its new path to MOVED'
    unexplained = [
        difference
        for difference in differences(STORED[old], read(LEAVES[name])[2])
        if not reasons(name, difference)
    ]
    assert not unexplained, (
        f'{name} has other values than the stored {old}. If that is wanted, '
        'add the reason to CHANGED or write the values anew (see '
        'tests/config_values.py):\n' + '\n'.join(unexplained))


def test_no_entry_is_stale():
    assert set(MOVED) <= set(STORED)
    used = {
        entry
        for old in STORED
        if (path := LEAVES.get(MOVED.get(old, old)))
        for difference in differences(STORED[old], read(path)[2])
        for entry in reasons(name_of(path), difference)
    }
    assert used == set(CHANGED)

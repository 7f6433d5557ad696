from collections.abc import Sequence

from mmengine.config import Config

from mmrvos.datasets.entries import OPTIONAL_KEYS


def use_tta(cfg: Config, scales: Sequence[float] = (1.,)) -> None:
    """Make a config test with test-time augmentation.

    Each clip is tested at every scale, and mirrored at every scale with the
    words for left and right swapped. :class:`RVOSTTAModel` merges the
    predictions.

    Args:
        cfg: changed in place: the pipeline of ``test_dataloader`` and
            ``custom_hooks``.
        scales: factors of the size of the frames.

    Raises:
        ValueError: a scale is not above 0, is given twice, or the pipeline
            does not load frames and pack them.
    """
    if not scales or min(scales) <= 0 or len(set(scales)) < len(scales):
        raise ValueError(f'test-time augmentation got the scales '
                         f'{list(scales)}, expected different numbers above 0')
    dataset = cfg.test_dataloader.dataset
    steps = [step.to_dict() for step in dataset.pipeline]
    types = [step['type'] for step in steps]
    if 'LoadFrames' not in types or types[-1] != 'PackRVOSInputs':
        raise ValueError(
            f'the pipeline of test_dataloader is {types}: test-time '
            'augmentation needs LoadFrames and, at the end, PackRVOSInputs')
    start = types.index('LoadFrames') + 1
    pack = dict(steps[-1])
    pack['meta_keys'] = (*pack.get('meta_keys', OPTIONAL_KEYS), 'flips')
    copies = [
        dict(type='Compose',
             transforms=[*scaled(steps[start:-1], scale), *flip, pack])
        for flip in ((), (dict(type='ClipFlip', prob=1.), ))
        for scale in scales
    ]
    dataset.pipeline = [
        *steps[:start],
        dict(type='TestTimeAug', transforms=[copies])
    ]
    cfg.custom_hooks = [
        *cfg.get('custom_hooks', []),
        dict(type='PrepareTTAHook', tta_cfg=dict(type='RVOSTTAModel'))
    ]


def scaled(steps: Sequence[dict], scale: float) -> list[dict]:
    """Let the resizing steps of a pipeline multiply their size by a factor."""
    if not any(step['type'] == 'ClipResize' for step in steps):
        steps = [dict(type='ClipResize', short_sides=None), *steps]
    return [
        dict(step, scale=scale) if step['type'] == 'ClipResize' else step
        for step in steps
    ]

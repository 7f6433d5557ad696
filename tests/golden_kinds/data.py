"""Golden cases of sampling and clip transforms."""
import random
from functools import partial
from unittest import mock

import numpy as np
from mmengine.dataset import pseudo_collate

from mmrvos.datasets.transforms import (
    CheckValid,
    ClipFlip,
    ClipPhotometricDistort,
    ClipResize,
    PackRVOSInputs,
    SampleLocalGlobalFrames,
    SampleNearbyFrames,
)
from mmrvos.datasets.transforms.geometric import crop_clip, resized_shape
from mmrvos.datasets.transforms.loading import masks_to_boxes
from mmrvos.datasets.transforms.photometric import distort, permute, to_uint8
from mmrvos.datasets.transforms.sampling import (
    centred_window,
    consecutive_window,
    local_global_indices,
)
from mmrvos.models.data_preprocessors import RVOSDataPreprocessor

from .case import Case


def clip_of(case: Case, text: str = 'a thing') -> dict:
    """Build the clip of a case as the loading transforms return it."""
    frames, masks = case.inputs['frames'], case.inputs['masks'] > 0
    boxes, valid = masks_to_boxes(masks[None])
    shape = frames.shape[1:3]
    names = [f'{i:05d}' for i in range(len(frames))]
    return dict(
        video_id='golden',
        frame_names=names,
        img_paths=names,
        frame_inds=np.arange(len(frames)),
        frames=frames,
        masks=masks[None],
        boxes=boxes,
        valid=valid,
        ori_shape=shape,
        img_shape=shape,
        expressions=[
            dict(
                exp_id='0',
                text=text,
                obj_ids=['1'],
                type_id=None,
                length=None,
                label=0)
        ])


def close(actual: np.ndarray, expected: np.ndarray, atol: float = 0) -> None:
    np.testing.assert_allclose(actual, expected, rtol=1e-6 if atol else 0,
                               atol=atol)


def run_transforms(case: Case) -> None:
    run_loading(case)
    run_resize(case)
    run_flip(case)
    run_crop(case)
    run_packing(case)
    run_distort(case)
    run_chain(case)
    run_windows(case)
    rows = zip(case.inputs['sampling'], case.outputs['sampling'], strict=True)
    for (total, num, start, seed), expected in rows:
        random.seed(int(seed))
        inds = local_global_indices(int(start), int(total), int(num))
        if expected[0] == -2:  # the official rule fails on very short videos
            assert len(inds) == num and start in inds, (total, num, inds)
            assert set(inds) <= set(range(total))
        else:
            assert inds == expected[expected >= 0].tolist(), (total, num, seed)


def run_loading(case: Case) -> None:
    clip = clip_of(case)
    close(clip['boxes'][0], case.outputs['boxes'])
    close(clip['valid'][0], case.outputs['valid'])
    checked = CheckValid()(clip)
    close(checked['boxes'][0], case.outputs['check_only_boxes'])
    close(checked['valid'][0], case.outputs['check_only_valid'])


def run_resize(case: Case) -> None:
    rows = zip(
        case.inputs['size_rule'].tolist(),
        case.outputs['size_rule'].tolist(),
        strict=True)
    for (width, height, short, longest), expected in rows:
        new = resized_shape(height, width, short,
                            None if longest < 0 else longest)
        assert list(new) == expected, (width, height, short, longest)
    rows = zip(
        case.inputs['infer_size_rule'].tolist(),
        case.outputs['infer_size_rule'].tolist(),
        strict=True)
    for (width, height), expected in rows:
        assert list(resized_shape(height, width, 360, None)) == expected
    for i, (short, longest) in enumerate(case.meta['resize']):
        out = ClipResize(short, None if longest < 0 else longest)(
            clip_of(case))
        name = f'resize{i}'
        close(out['frames'], case.outputs[f'{name}_frames'])
        close(out['masks'][0], case.outputs[f'{name}_masks'])
        close(out['boxes'][0], case.outputs[f'{name}_boxes'], 1e-6)
        close(out['img_shape'], case.outputs[f'{name}_size'])


def run_flip(case: Case) -> None:
    flip = ClipFlip(prob=1, substrings=True)
    pairs = zip(
        case.meta['captions'], case.meta['flipped_captions'], strict=True)
    for text, flipped in pairs:
        out = flip(clip_of(case, text))
        assert out['expressions'][0]['text'] == flipped
    close(out['frames'], case.outputs['flip_frames'])
    close(out['masks'][0], case.outputs['flip_masks'])
    close(out['boxes'][0], case.outputs['flip_boxes'])
    close(out['valid'][0], case.outputs['flip_valid'])


def run_crop(case: Case) -> None:
    for i, region in enumerate(case.meta['crop']):
        name = f'crop{i}'
        out = crop_clip(clip_of(case), *region)
        close(out['frames'], case.outputs[f'{name}_frames'])
        close(out['masks'][0], case.outputs[f'{name}_masks'])
        close(out['boxes'][0], case.outputs[f'{name}_boxes'])
        checked = CheckValid()(dict(out))
        expected = case.outputs[f'{name}_valid'] > 0
        if checked is None:
            assert not expected.any()
        else:
            close(checked['valid'][0], expected)
            close(checked['boxes'][0], case.outputs[f'{name}_boxes_checked'])
        # still images: two instances of the first frame, empty ones dropped
        image = clip_of(case)
        image.update(
            frames=image['frames'][:1],
            masks=image['masks'][0, :2, None],
            boxes=image['boxes'][0, :2, None],
            expressions=image['expressions'] * 2)
        kept = CheckValid()(crop_clip(image, *region))
        expected = case.outputs[f'{name}_image_boxes']
        assert len(expected) == case.outputs[f'{name}_image_kept']
        if kept is None:
            assert len(expected) == 0
        else:
            close(kept['boxes'][:, 0], expected)
            assert len(kept['expressions']) == len(expected)


def normalised(packed: dict) -> np.ndarray:
    """Normalise frames with the data preprocessor, (T, 3, h, w)."""
    batch = RVOSDataPreprocessor()(pseudo_collate([packed]))
    return batch['inputs'][0].numpy()


def run_packing(case: Case) -> None:
    packed = PackRVOSInputs()(clip_of(case))
    expected = case.outputs['norm_frames']
    close(normalised(packed)[:len(expected)], expected, 1e-6)
    boxes = packed['data_samples'].gt.boxes[0].numpy()
    close(boxes[:len(expected)], case.outputs['norm_boxes'], 1e-6)


def run_distort(case: Case) -> None:
    frame = case.inputs['frames'][0]
    for i, spec in enumerate(case.meta['distort']):
        params, calls = scripted_draw(spec['params'], len(spec['calls']))
        assert calls == [tuple(call) for call in spec['calls']]
        order = params.pop('permutation', None)
        values = distort(frame, **params)
        if order is not None:
            values = permute(values, order)
        truth = case.outputs[f'distort{i}_float']
        close(values[::3, ::3], truth, 1e-2)
        # our cast saturates: compare with the clipped official values ...
        pixels = to_uint8(values.copy())
        assert np.abs(pixels[::3, ::3] - np.clip(truth, 0, 255)).max() < 1.02
        # ... and with the official cast where it did not wrap around
        inside = (values >= 0) & (values < 256)
        gap = pixels.astype(int) - case.outputs[f'distort{i}']
        assert np.abs((gap[inside] + 128) % 256 - 128).max() <= 1
        if case.outputs[f'distort{i}_wrapped_pixels'] == 0:
            # values between -1 and 0 are truncated to 0, not wrapped
            assert values.min() > -1.01 and values.max() < 256.01


def scripted_draw(params: dict, num_calls: int) -> tuple[dict, list]:
    """Let ClipPhotometricDistort draw given values; return its calls, too."""
    calls: list[tuple] = []
    wanted = [params.get('contrast')] if params.get('first') else []
    wanted += [params.get('sat'), params.get('hue')]
    wanted += [] if params.get('first') else [params.get('contrast')]
    coins = iter([
        params.get('bright') is not None,
        bool(params.get('first')),
        *(value is not None for value in wanted), 'perm' in params
    ])
    values = iter([
        v for v in [params.get('bright'), *wanted] if v is not None
    ])

    def randint(high: int) -> int:
        calls.append(('randint', high))
        return params['perm'] if high == 6 else int(next(coins))

    def uniform(low: float, high: float) -> float:
        calls.append(('uniform', low, high))
        return next(values)

    transform = ClipPhotometricDistort()
    with mock.patch('numpy.random.randint', randint), \
            mock.patch('numpy.random.uniform', uniform):
        drawn = transform.draw()
    assert len(calls) == num_calls
    return drawn, calls


def run_chain(case: Case) -> None:
    spec = case.meta['chain']
    clip = clip_of(case, case.meta['captions'][0])
    clip = ClipFlip(prob=1, substrings=True)(clip)
    clip = ClipResize(spec['size1'])(clip)
    clip = crop_clip(clip, *spec['region'])
    clip = ClipResize(spec['size2'], spec['max2'])(clip)
    clip = CheckValid()(clip)
    packed = PackRVOSInputs()(clip)
    gt = packed['data_samples'].gt
    close(normalised(packed)[0], case.outputs['chain_frame0'], 1e-6)
    close(gt.masks[0].numpy(), case.outputs['chain_masks'])
    close(gt.boxes[0].numpy(), case.outputs['chain_boxes'], 1e-6)
    close(gt.valid[0].numpy(), case.outputs['chain_valid'])
    close(packed['data_samples'].img_shape, case.outputs['chain_size'])


def run_windows(case: Case) -> None:
    rows = zip(
        case.inputs['window'].tolist(),
        case.outputs['window_a2d'].tolist(),
        case.outputs['window_jhmdb'].tolist(),
        strict=True)
    for (total, num, frame), a2d, jhmdb in rows:
        inds = centred_window(frame - 1, total, num)
        place = inds.index(frame - 1)
        assert [*inds, place] == a2d[:num + 1], (total, num, frame)
        assert [*(i + 1 for i in inds), place] == jhmdb[:num + 1]
    rows = zip(
        case.inputs['window_mttr'].tolist(),
        case.outputs['window_mttr'].tolist(),
        strict=True)
    for (total, num, k), expected in rows:
        assert consecutive_window(k * num, total, num) == expected[:num]


def run_referformer_sampling(case: Case) -> None:
    rows = zip(
        case.inputs['seed_frame_len_num'].tolist(),
        case.outputs['indices'],
        strict=True)
    for (seed, key_frame, total, num), expected in rows:
        random.seed(seed)
        inds = SampleLocalGlobalFrames(num).sample(key_frame, total)
        assert inds == expected[expected >= 0][:num].tolist(), seed


def run_samwise_sampling(case: Case) -> None:
    samplers = {
        'local': SampleNearbyFrames,  # Ref-YouTube-VOS
        'global': partial(SampleLocalGlobalFrames, redraw=True),  # MeViS
    }
    for name, sampler in samplers.items():
        rows = zip(case.outputs['rows'].tolist(), case.outputs[name],
                   strict=True)
        for (seed, key_frame, total, num), expected in rows:
            random.seed(seed)
            inds = sampler(num).sample(key_frame, total)
            assert inds == expected[expected >= 0][:num].tolist(), (name, seed)


KINDS = {
    'transforms': run_transforms,
    'referformer_sampling': run_referformer_sampling,
    'samwise_sampling': run_samwise_sampling,
}

"""GroundedSegmentor with tiny random networks and with a stub detector."""
import warnings
from unittest import mock

import numpy as np
import pycocotools.mask as mask_utils
import pytest
import torch
import torch.nn.functional as F
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from scipy import ndimage
from transformers import GroundingDinoProcessor

from mmrvos.models.detectors import HuggingFaceGrounder, TextDetector
from mmrvos.models.detectors.hugging_face_grounder import input_size
from mmrvos.models.segmentors.grounded import key_frames
from mmrvos.moving_shapes import VOCABULARY, generate
from mmrvos.moving_shapes.render import COLOURS as SHAPE_COLOURS
from mmrvos.registry import DATASETS, METRICS, MODELS, TASK_UTILS

from .test_propagators import TINY_SAM2
from .tiny import make_sample

TINY_DINO = dict(
    backbone_config=dict(
        model_type='swin',
        image_size=64,
        embed_dim=8,
        depths=[1, 1, 1, 1],
        num_heads=[1, 1, 1, 1],
        window_size=4,
        out_features=['stage2', 'stage3', 'stage4']),
    text_config=dict(
        model_type='bert',
        vocab_size=160,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64),
    d_model=32,
    encoder_layers=1,
    decoder_layers=2,
    encoder_ffn_dim=32,
    decoder_ffn_dim=32,
    encoder_attention_heads=2,
    decoder_attention_heads=2,
    num_queries=20,
    max_text_len=16)
COLOURS = dict(red=0, green=1, blue=2)
# The words of Moving Shapes, and a full stop, which ends a phrase.
WORDS = [*VOCABULARY, '.']


@TASK_UTILS.register_module()
class ColourDetector(TextDetector):
    """Box around the pixels in which the named channel is the largest."""

    def check(self, texts):
        assert all(texts)

    def __call__(self, frame, texts):
        boxes, scores = [], []
        for text in texts:
            channel = next(
                (c for name, c in COLOURS.items() if name in text), None)
            others = [c for c in range(3) if c != channel]
            found = torch.zeros(frame.shape[1:]).bool() if channel is None \
                else frame[channel] > frame[others].amax(0) + 1
            y, x = found.nonzero(as_tuple=True)
            scores.append(found.float().mean() if len(x) else frame.new_tensor(
                0.))
            boxes.append(
                torch.stack([x.min(), y.min(), x.max() + 1, y.max() + 1])
                if len(x) else torch.zeros(4).long())
        scale = torch.tensor(frame.shape[1:]).flip(0).repeat(2)
        return torch.stack(boxes) / scale, torch.stack(scores)


def grounder(kind='grounding-dino', **options) -> HuggingFaceGrounder:
    torch.manual_seed(0)
    return HuggingFaceGrounder(
        weights=None,
        config=dict(TINY_DINO, model_type=kind),
        vocabulary=WORDS,
        size=(64, 96),
        **options)


def segmentor(detector=None, **options) -> torch.nn.Module:
    torch.manual_seed(0)
    propagator = dict(
        type='SAM2Propagator', weights=None, config=TINY_SAM2)
    test_cfg = dict(dict(propagator=propagator), **options.pop('test_cfg', {}))
    model = MODELS.build(
        dict(
            type='GroundedSegmentor',
            detector=detector or dict(type='ColourDetector'),
            test_cfg=test_cfg,
            **options))
    network = model.propagator.network
    for parameter in network.mask_decoder.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    network.mask_decoder.pred_obj_score_head.proj_out.bias.data += 9
    return model.eval()


def colours(num_frames=7, red_from=0) -> torch.Tensor:
    """(T, 3, 32, 48) bytes: a red square that moves, a green one."""
    frames = torch.zeros(num_frames, 3, 32, 48, dtype=torch.uint8)
    for t in range(num_frames):
        if t >= red_from:
            frames[t, 0, 4:14, 2 + 4 * t:14 + 4 * t] = 220
        frames[t, 1, 20:28, 8:20] = 220
    return frames


def batch(texts, **options) -> dict:
    frames = colours(**options)
    return dict(
        inputs=[frames],
        data_samples=[make_sample((32, 48), len(frames), texts)])


@pytest.mark.parametrize('kind', ['grounding-dino', 'mm-grounding-dino'])
@torch.no_grad()
def test_boxes_equal_those_of_transformers(kind):
    detector = grounder(kind, threshold=0.)
    frame, texts = torch.randn(3, 40, 60), ['the red square', 'The star.']
    boxes, scores = detector(frame, texts)
    image = F.interpolate(
        frame[None], (64, 96), mode='bilinear', antialias=True)
    # without an image processor, which needs torchvision
    processor = GroundingDinoProcessor.__new__(GroundingDinoProcessor)
    processor.tokenizer = detector.tokenizer
    for text, box, score in zip(['the red square.', 'the star.'], boxes,
                                scores, strict=True):
        tokens = detector.tokenizer(
            text, return_tensors='pt', return_token_type_ids=True)
        output = detector.network(pixel_values=image, **tokens)
        expected, = processor.post_process_grounded_object_detection(
            output, tokens['input_ids'], threshold=0.)
        best = expected['scores'].argmax()
        torch.testing.assert_close(score, expected['scores'][best])
        torch.testing.assert_close(
            box, expected['boxes'][best].clamp(0, 1))


def test_two_sentences_are_two_single_calls():
    detector = grounder(threshold=0.)
    frame, texts = torch.randn(3, 40, 60), ['the red square', 'a blue star']
    boxes, scores = detector(frame, texts)
    for e, text in enumerate(texts):
        box, score = detector(frame, [text])
        torch.testing.assert_close(box[0], boxes[e], rtol=0, atol=0)
        torch.testing.assert_close(score[0], scores[e], rtol=0, atol=0)


def test_below_the_threshold_nothing_is_found():
    _, scores = grounder(threshold=1.)(torch.randn(3, 40, 60), ['the star'])
    assert scores.tolist() == [0.]


def test_a_long_sentence_is_cut_with_a_warning():
    detector = grounder(threshold=0.)
    long = ' '.join(['the red square'] * 20)
    with pytest.warns(UserWarning, match='63 tokens .* takes 16'):
        detector.check([long])
    boxes, scores = detector(torch.randn(3, 40, 60), [long])
    assert boxes.isfinite().all()
    assert scores.isfinite().all()
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        detector.check(['the red square'])
    with pytest.raises(ValueError, match='is empty'):
        detector.check([' . '])


@pytest.mark.parametrize('shape,expected', [
    ((360, 640), (750, 1333)), ((480, 640), (800, 1066)),
    ((640, 480), (1066, 800)), ((300, 300), (800, 800)),
    ((720, 1280), (750, 1333)), ((1280, 720), (1333, 750)),
])
def test_input_sizes_are_those_of_transformers(shape, expected):
    from transformers.image_transforms import get_size_with_aspect_ratio
    assert get_size_with_aspect_ratio(shape, 800, 1333) == expected
    assert input_size(shape, 800, 1333) == expected


@pytest.mark.parametrize('num_frames,number,expected', [
    (1, 5, [0]), (2, 5, [0, 1]), (5, 5, [0, 1, 2, 3, 4]), (10, 1, [5]),
    (10, 5, [1, 3, 5, 7, 9]), (100, 2, [25, 75]),
])
def test_key_frames(num_frames, number, expected):
    assert key_frames(num_frames, number) == expected


def test_the_best_key_frame_is_the_prompt():
    model = segmentor(num_keys=3)
    calls = []
    propagate = model.propagator.propagate

    def spy(frames, prompts, keys, shape):
        calls.append((prompts, keys))
        yield from propagate(frames, prompts, keys, shape)

    model.propagator.propagate = spy
    texts = ['the green square', 'the red square', 'the star']
    pred = model.test_step(batch(texts, red_from=2))[0].pred
    (boxes, keys), = calls
    # frames are half of the original size; key frames are 1, 3 and 5
    assert keys == [1, 3]
    assert boxes.tolist() == [[16, 40, 40, 56], [28, 8, 52, 28]]
    areas = np.array([mask_utils.area(rles) for rles in pred.masks])
    assert areas.shape == (3, 7)
    assert areas[:2].any(1).all()
    assert not areas[2].any()  # absent
    assert pred.scores[2] == 0
    assert (pred.scores[:2] > 0).all()
    assert pred.frame_scores.shape == (3, 7)


def test_masks_equal_those_of_single_sentences_and_of_windows():
    texts = ['the green square', 'the red square']
    expected = segmentor().test_step(batch(texts))[0].pred
    windows = segmentor(test_cfg=dict(window=3)).test_step(
        batch(texts))[0].pred
    assert windows.masks == expected.masks
    torch.testing.assert_close(windows.scores, expected.scores)
    torch.testing.assert_close(windows.frame_scores, expected.frame_scores)
    for e, text in enumerate(texts):
        alone = segmentor().test_step(batch([text]))[0].pred
        assert alone.masks[0] == expected.masks[e]


def online_segmentor(window=3, **options):
    propagator = dict(
        type='SAM2Propagator',
        weights=None,
        config=TINY_SAM2,
        key_frame='first_window')
    test_cfg = dict(
        window=window, propagator=propagator, **options.pop('test_cfg', {}))
    return segmentor(test_cfg=test_cfg, **options)


def test_windows_are_segmented_while_frames_arrive():
    model = online_segmentor(num_keys=2)
    texts, taken, detected = ['the green square', 'the red square'], [], []
    frames = colours(num_frames=12, red_from=5)
    detector = type(model.detector).__call__

    def spy(self, frame, texts):
        detected.append((len(taken), tuple(texts)))
        return detector(self, frame, texts)

    def pieces():
        for frame in frames:
            taken.append(frame)
            yield model.data_preprocessor(
                dict(inputs=[frame[None]], data_samples=[sample]))['inputs'][0]

    sample = make_sample((32, 48), 12, texts)
    with mock.patch.object(type(model.detector), '__call__', spy):
        parts, counts = [], []
        for part in model.stream(pieces(), sample):
            parts.append(part)
            counts.append((len(taken), len(part.masks[0])))
    assert counts == [(3, 3), (6, 3), (9, 3), (12, 3)]
    # two key frames per window; what was found is not detected again
    assert detected == [(3, tuple(texts))] * 2 + [(6, (texts[1], ))] * 2
    green, red = np.array([
        [mask_utils.area(rles) for rles in part.masks] for part in parts
    ]).transpose(1, 0, 2).reshape(2, 12)
    assert green.all()
    assert not red[:3].any()  # frames before the first window with it
    assert red[3:].all()
    scores = torch.stack([part.scores for part in parts], dim=1)
    assert (scores[0] == scores[0, 0]).all()
    assert scores[1].tolist() == [0] + [scores[1, -1]] * 3
    assert not any('boxes' in part for part in parts)


def test_an_online_window_is_the_whole_of_a_short_video():
    texts = ['the green square', 'the red square']
    whole = segmentor(num_keys=3).test_step(batch(texts))[0].pred
    model = online_segmentor(window=50, num_keys=3)
    pred = model.test_step(batch(texts))[0].pred
    torch.testing.assert_close(pred.scores, whole.scores)
    assert (mask_utils.area(pred.masks[1]) > 0).all()


def test_windows_before_an_object_do_not_lower_its_score():
    """The score of the video is that of the window that found the object."""
    data = batch(['the red square', 'the star'], num_frames=8, red_from=6)
    whole = segmentor(num_keys=8).test_step(data)[0].pred
    pred = online_segmentor(num_keys=3).test_step(data)[0].pred
    torch.testing.assert_close(pred.scores, whole.scores)
    kept = online_segmentor(
        num_keys=3, test_cfg=dict(min_score=0.9 * pred.scores[0].item()))
    kept = kept.test_step(data)[0].pred
    assert (mask_utils.area(kept.masks[0]) > 0)[6:].all()
    assert not mask_utils.area(kept.masks[1]).any()


@pytest.mark.parametrize('num_frames', [1, 2])
def test_short_videos(num_frames):
    pred = segmentor().test_step(
        batch(['the green square'], num_frames=num_frames))[0].pred
    assert all(mask_utils.area(pred.masks[0]) > 0)


def test_one_annotated_frame():
    data = batch(['the green square'])
    data['data_samples'][0].set_metainfo(dict(valid_index=4))
    pred = segmentor().test_step(data)[0].pred
    assert len(pred.masks[0]) == 1


def test_mixed_precision():
    detector = dict(
        type='HuggingFaceGrounder',
        weights=None,
        config=dict(TINY_DINO, model_type='grounding-dino'),
        vocabulary=WORDS,
        threshold=0.,
        size=(64, 96))
    preds = [
        segmentor(detector, test_cfg=dict(amp=amp)).test_step(
            batch(['the red square']))[0].pred for amp in (None, 'bf16')
    ]
    assert preds[0].scores > 0
    torch.testing.assert_close(
        preds[0].scores, preds[1].scores, rtol=0.05, atol=0.01)


def test_wrong_configs_are_refused():
    with pytest.raises(ValueError, match='needs a test_cfg.propagator'):
        MODELS.build(
            dict(type='GroundedSegmentor',
                 detector=dict(type='ColourDetector')))
    with pytest.raises(TypeError, match='STCNPropagator takes masks'):
        MODELS.build(
            dict(
                type='GroundedSegmentor',
                detector=dict(type='ColourDetector'),
                test_cfg=dict(
                    propagator=dict(type='STCNPropagator', weights=None))))
    with pytest.raises(ValueError, match='num_keys must be at least 1'):
        segmentor(num_keys=0)
    with pytest.raises(ValueError, match='overlap=2 has no meaning'):
        segmentor(test_cfg=dict(window=4, overlap=2))
    with pytest.raises(ValueError, match='nothing to train'):
        segmentor()(**batch(['the star']), mode='loss')
    with pytest.raises(ValueError, match='weights=None for random'):
        HuggingFaceGrounder(config=dict(TINY_DINO))


class ShapeDetector(TextDetector):
    """Box around the pixels that have the named colour of Moving Shapes."""

    def __init__(self, mean, std):
        self.mean, self.std = mean, std

    def check(self, texts):
        assert all(texts)

    def __call__(self, frame, texts):
        pixels = (frame * self.std + self.mean) / 255
        height, width = frame.shape[1:]
        size = torch.tensor([width, height]).repeat(2)
        boxes, scores = torch.zeros(len(texts), 4), torch.zeros(len(texts))
        for e, text in enumerate(texts):
            colour = next((c for c in SHAPE_COLOURS if c in text.split()),
                          None)
            if colour is None:
                continue
            rgb = torch.tensor(SHAPE_COLOURS[colour]).view(3, 1, 1) / 255
            near = (pixels - rgb).norm(dim=0) < 0.2
            labels, count = ndimage.label(near)
            if count:
                areas = np.bincount(labels.ravel())[1:]
                y, x = ndimage.find_objects(labels)[areas.argmax()]
                boxes[e] = torch.tensor(
                    [x.start, y.start, x.stop, y.stop]) / size
                scores[e] = areas.max() / near.numel()
        return boxes, scores


def test_moving_shapes_from_files_to_numbers(tmp_path):
    """A detector that finds colours, a real SAM 2 with random weights, and
    the metric."""
    init_default_scope('mmrvos')
    root = tmp_path / 'mini'
    generate('mini', root, workers=1, progress=False, splits=['valid'])
    dataset = DATASETS.build(
        dict(
            type='MovingShapesDataset',
            size='mini',
            data_root=str(root),
            ann_file='meta_expressions/valid/meta_expressions.json',
            data_prefix=dict(img='valid/JPEGImages', mask='valid/Annotations'),
            indices=2,
            test_mode=True,
            pipeline=[
                dict(type='SampleAllFrames'),
                dict(type='LoadFrames'),
                dict(type='PackRVOSInputs', keep_masks=True)
            ]))
    model = segmentor(num_keys=3)
    preprocessor = model.data_preprocessor
    model.detector = ShapeDetector(preprocessor.mean, preprocessor.std)
    metric = METRICS.build(
        dict(type='MovingShapesMetric', data_root=str(root)))
    metric.dataset_meta = dataset.metainfo
    ious, propagate = [], model.propagator.propagate

    def spy(frames, prompts, keys, shape):
        boxes.extend(zip(prompts.tolist(), keys, strict=True))
        yield from propagate(frames, prompts, keys, shape)

    model.propagator.propagate = spy
    for i in range(2):
        boxes = []
        sample, = model.test_step(pseudo_collate([dataset[i]]))
        found = (sample.pred.scores > 0).nonzero()[:, 0].tolist()
        assert len(found) == len(boxes) < len(sample.texts)  # some colours
        for e, (box, key) in zip(found, boxes, strict=True):
            assert mask_utils.area(sample.pred.masks[e]).any()
            if sample.type_ids[e] != 'appearance':
                continue  # needs more than a colour
            y, x = np.nonzero(
                sample.mask_source.read(sample.obj_ids[e], key))
            truth = [x.min(), y.min(), x.max() + 1, y.max() + 1]
            ious.append(mask_utils.iou(
                [to_xywh(box)], [to_xywh(truth)], [0])[0, 0])
        metric.process({}, [sample.to_dict()])
    numbers = metric.evaluate(2)
    assert len(ious) > 1
    assert np.mean(ious) > 0.7, ious
    assert 0 < numbers['shapes/J&F'] < 100


def to_xywh(box):
    x1, y1, x2, y2 = map(float, box)
    return [x1, y1, x2 - x1, y2 - y1]

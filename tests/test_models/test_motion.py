"""TemporalMixer and MotionHead."""
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config

from mmrvos.models.features import Targets
from mmrvos.models.heads.motion_head import (
    MOTION,
    MotionHead,
    motion_of_track,
)
from mmrvos.models.layers import TemporalMixer
from mmrvos.models.segmentors.motion_training import take_visible
from mmrvos.registry import MODELS

from .tiny import CONFIGS, add_objects, make_batch


def mixer(**kwargs) -> TemporalMixer:
    torch.manual_seed(0)
    built = TemporalMixer(embed_dims=8, **kwargs)
    built.init_weights()
    return built


def trained(module: torch.nn.Module) -> torch.nn.Module:
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return module


def levels(num_frames: int = 6, batch: int = 2) -> list[torch.Tensor]:
    torch.manual_seed(1)
    return [
        torch.randn(batch * num_frames, 8, size, size + 1)
        for size in (6, 3, 2)
    ]


def test_new_mixer_is_the_identity():
    maps = levels()
    for before, after in zip(maps, mixer()(maps, 6), strict=True):
        assert torch.equal(before, after)


def test_only_named_levels_change_and_gradients_reach_all_weights():
    module, maps = trained(mixer(levels=(0, 2))), levels()
    out = module(maps, 6)
    assert [torch.equal(a, b) for a, b in zip(maps, out, strict=True)
            ] == [False, True, False]
    sum(x.square().mean() for x in out).backward()
    assert all(p.grad.abs().sum() > 0 for p in module.parameters())


def test_a_frame_sees_its_neighbours_of_the_same_video():
    module = trained(mixer(levels=(0, ), num_layers=1, kernel_size=3))
    maps = levels()
    changed = [maps[0].clone()]  # frame 2 of video 0 differs
    changed[0][2] *= torch.linspace(-1, 1, 8)[:, None, None]  # video 0
    moved = (module(changed, 6)[0] - module(maps[:1], 6)[0]).abs().amax(
        (1, 2, 3)) > 1e-6
    assert moved.nonzero()[:, 0].tolist() == [1, 2, 3]


def test_padding_has_no_effect():
    module, maps = trained(mixer()), levels(4, 1)
    padding, wide = [], []
    for x in maps:
        _, _, h, w = x.shape
        full = torch.randn(len(x), 8, h + 2, w + 3)
        full[..., :h, :w] = x
        wide.append(full)
        mask = torch.ones(1, h + 2, w + 3, dtype=torch.bool)
        mask[:, :h, :w] = False
        padding.append(mask)
    for plain, padded in zip(
            module(maps, 4), module(wide, 4, padding), strict=True):
        h, w = plain.shape[-2:]
        torch.testing.assert_close(padded[..., :h, :w], plain)


def test_wrong_options_are_refused():
    with pytest.raises(ValueError, match='odd kernel_size'):
        TemporalMixer(kernel_size=4)
    with pytest.raises(ValueError, match='temporal.levels'):
        mixer(levels=(0, 5))(levels(), 6)


def test_motion_of_a_straight_path_with_a_gap():
    x = torch.tensor([0., 1., 0., 3., 4.]) / 10  # frame 2 does not show it
    centres = torch.stack([x, 2 * x], dim=-1)
    seen = torch.tensor([True, True, False, True, True])
    motion = dict(
        zip(MOTION, motion_of_track(centres, seen).T, strict=True))
    step = 5**0.5 / 10
    for name, value in dict(
            velocity_x=.1, velocity_y=.2, displacement_x=.4,
            displacement_y=.8, extent_x=.4, extent_y=.8, path=4 * step,
            speed=step).items():
        torch.testing.assert_close(
            motion[name][seen], torch.full((4, ), value), msg=name)


def test_back_and_forth_has_extent_and_path_but_no_displacement():
    centres = torch.tensor([[0., 0.], [.3, 0.], [0., 0.]])
    motion = motion_of_track(centres, torch.ones(3, dtype=torch.bool))
    torch.testing.assert_close(
        motion, torch.tensor([[.3, 0, 0, 0, .3, 0, .6, .3],
                              [0., 0, 0, 0, .3, 0, .6, .3],
                              [-.3, 0, 0, 0, .3, 0, .6, .3]]))


def test_loss_counts_only_the_pixels_of_objects():
    torch.manual_seed(0)
    head = MotionHead(in_channels=8, stride=8)
    masks = torch.zeros(1, 3, 32, 32, dtype=torch.bool)
    for t in range(3):
        masks[0, t, 8:16, 8 * t:8 * t + 8] = True
    x = torch.randn(3, 8, 4, 4, requires_grad=True)
    size = torch.tensor([[32., 32.]])
    loss = head.loss(x, [masks], size)['loss_motion']
    # each frame has one cell, and the object moves a quarter per frame
    goal = torch.tensor([.25 * 8, 0, .5 * 2, 0, .5 * 2, 0, .5 * 2, .25 * 8])
    cells = torch.stack([head(x)[t, 1, t] for t in range(3)])
    torch.testing.assert_close(
        loss,
        torch.nn.functional.smooth_l1_loss(
            cells, goal.expand(3, -1), beta=0.3))
    loss.backward()
    assert (x.grad.abs().sum(1) > 0).sum() == 3


def test_padding_does_not_change_the_motion_loss():
    """Lengths are in heights of the own frame, not of the largest one."""
    head = MotionHead(in_channels=8)
    masks = torch.zeros(1, 3, 32, 48, dtype=torch.bool)
    for t in range(3):
        masks[0, t, 8:16, 12 * t:12 * t + 8] = True
    x, size = torch.randn(3, 8, 4, 6), torch.tensor([[32., 48.]])
    plain = head.loss(x, [masks], size)['loss_motion']
    padded = head.loss(
        F.pad(x, (0, 2, 0, 4)), [F.pad(masks, (0, 16, 0, 32))], size)
    torch.testing.assert_close(padded['loss_motion'], plain)


def test_clips_without_objects_have_no_loss():
    head = MotionHead(in_channels=8)
    empty = torch.zeros(0, 3, 32, 32, dtype=torch.bool)
    loss = head.loss(
        torch.randn(3, 8, 4, 4), [empty], torch.tensor([[32., 32.]]))
    loss = loss['loss_motion']
    assert loss.item() == 0 and loss.requires_grad


# ---- in a segmentor


@pytest.fixture(scope='module')
def segmentor():
    torch.manual_seed(0)
    cfg = Config.fromfile(CONFIGS / 'referformer/tiny_shapes_motion.py')
    model = MODELS.build(cfg.model)
    for module in (model.temporal, model.head.box_branches):
        trained(module)
    return model.eval()


def batch_of(model, num_frames: int = 4):
    texts = ['the one that moves', 'the star']
    batch = add_objects(
        make_batch(
            shapes=((64, 96), (64, 96)), num_frames=num_frames, texts=texts))
    return model.data_preprocessor(batch, True)


@pytest.mark.parametrize(('stage', 'used', 'unused'), [
    ('motion', ('temporal', 'motion_head'), ('text_encoder', 'decoder')),
    ('words', ('temporal', 'motion_head', 'word_head', 'text_encoder',
               'fusion'), ('encoder', 'decoder')),
    ('whole', ('temporal', 'motion_head', 'decoder', 'head'), ('word_head', )),
])
def test_stage_trains_its_parts(segmentor, stage, used, unused):
    segmentor.train()
    segmentor.stage = stage
    losses = segmentor(**batch_of(segmentor), mode='loss')
    assert 'loss_motion' in losses
    assert ('loss_word_mask' in losses) == (stage == 'words')
    sum(losses.values()).backward()
    for name in used:
        assert any(p.grad is not None and p.grad.abs().sum() > 0
                   for p in getattr(segmentor, name).parameters()), name
    for name in unused:
        assert all(p.grad is None
                   for p in getattr(segmentor, name).parameters()), name
    segmentor.zero_grad()
    segmentor.stage = 'whole'
    segmentor.eval()


@pytest.mark.parametrize('method', ['ifirvos', 'html', 'soc', 'mutr'])
def test_words_stage_of_other_methods(method):
    """All methods on ReferFormer learn words on single frames."""
    torch.manual_seed(0)
    tiny = Config.fromfile(CONFIGS / f'{method}/tiny_shapes.py').model
    motion = Config.fromfile(CONFIGS / 'referformer/tiny_shapes_motion.py')
    tiny.pop('word_head', None)  # MUTR has no stage on words of its own
    model = MODELS.build({**motion.model, **tiny})
    model.stage = 'words'
    losses = model(**batch_of(model), mode='loss')
    assert set(losses) == {
        'loss_motion', 'loss_word_mask', 'loss_word_dice'}
    sum(losses.values()).backward()
    for name in ('temporal', 'word_head', 'text_encoder', 'fusion'):
        gradients = [p.grad for p in getattr(model, name).parameters()]
        assert any(g is not None and g.abs().sum() > 0 for g in gradients)


def test_masks_depend_on_other_frames_through_the_mixer(segmentor):
    """The motion loss has a use: a frame's map knows its neighbours."""
    frames = torch.randn(1, 4, 3, 64, 96)
    changed = frames.clone()
    changed[:, 3] += 1
    size = torch.tensor([[64., 96.]])
    with torch.no_grad():
        first, second = (
            segmentor.encode_clip(x, size).levels[0][0]
            for x in (frames, changed))
    assert (first - second).abs().max() > 1e-4


def test_annotated_frame_is_encoded_in_its_clip(segmentor):
    """With a valid_index the mixer still sees all frames."""
    frames = torch.randn(2, 4, 3, 64, 96)
    sizes = torch.tensor([[64., 96.]] * 2)
    index = torch.tensor([1, 3])
    with torch.no_grad():
        whole = segmentor.encode_clip(frames, sizes)
        one = segmentor.encode_clip(frames, sizes, index)
    assert one.num_frames == 1
    for full, single in zip(whole.levels, one.levels, strict=True):
        torch.testing.assert_close(full[[1, 4 + 3]], single)


def test_only_visible_frames_are_decoded(segmentor):
    clip = segmentor.encode_clip(
        torch.randn(1, 4, 3, 64, 96), torch.tensor([[64., 96.]]))
    text = segmentor.encode_text([['the star', 'the ring']])
    valid = torch.tensor([[False, True, False, False],
                          [False, False, True, True]])
    targets = Targets(
        masks=torch.zeros(2, 4, 64, 96).bool(),
        boxes=torch.arange(4.).view(1, 4, 1).expand(2, 4, 4),
        valid=valid,
        labels=torch.zeros(2).long())
    for _ in range(5):
        taken, pairs, chosen = take_visible(clip, text, targets, 1)
        assert chosen.valid.all()
        frames = chosen.boxes[:, 0, 0].long()  # they hold the frame number
        torch.testing.assert_close(taken.levels[0], clip.levels[0][frames])
        assert pairs.video_index.tolist() == [0, 1]
        assert taken.num_frames == 1


def test_wrong_configs_are_refused(segmentor):
    cfg = Config.fromfile(CONFIGS / 'referformer/tiny_shapes_motion.py').model
    with pytest.raises(ValueError, match='decoded_frames'):
        MODELS.build(dict(cfg, decoded_frames=0))
    batch = batch_of(segmentor)
    for sample in batch['data_samples']:
        del sample.objects
    with pytest.raises(ValueError, match='all_objects=True'):
        segmentor(**batch, mode='loss')


def test_checkpoints_without_the_mixer_keep_their_masks():
    """A new mixer changes nothing, so old weights give their old masks."""
    cfg = Config.fromfile(CONFIGS / 'referformer/tiny_shapes_motion.py').model
    torch.manual_seed(0)
    plain = MODELS.build({
        key: value for key, value in cfg.items() if key not in
        ('temporal', 'motion_head', 'word_head', 'decoded_frames')
    }).eval()
    mixed = MODELS.build(cfg)
    mixed.init_weights()
    missing, unexpected = mixed.eval().load_state_dict(
        plain.state_dict(), strict=False)
    assert not unexpected
    assert {key.split('.')[0] for key in missing} == {
        'temporal', 'motion_head', 'word_head'}
    expected, = plain.test_step(make_batch(num_frames=3))
    found, = mixed.test_step(make_batch(num_frames=3))
    torch.testing.assert_close(found.pred.frame_scores,
                               expected.pred.frame_scores)
    assert found.pred.masks == expected.pred.masks

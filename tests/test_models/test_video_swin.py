"""Properties of Video Swin; golden cases compare its numbers."""
import itertools

import pytest
import torch

from mmrvos.conversion.backbones import convert_video_swin, to_unfold_order
from mmrvos.models.backbones import VideoSwinTransformer
from mmrvos.models.backbones.video_swin import (
    VideoSwinBlock,
    fit_window,
    relative_index,
    window_groups,
)
from mmrvos.utils.checkpoint import CheckpointMismatch

from .tiny import make_batch, tiny_model

SMALL = dict(embed_dims=8, depths=(2, 2, 2, 2), num_heads=(1, 2, 2, 4))


def swin(seed: int = 0, **changes) -> VideoSwinTransformer:
    torch.manual_seed(seed)
    model = VideoSwinTransformer(**(SMALL | changes))
    model.init_weights()
    return model.eval()


def clip(num_frames: int, height: int = 64, width: int = 96) -> torch.Tensor:
    generator = torch.Generator().manual_seed(num_frames)
    return torch.randn(1, num_frames, 3, height, width, generator=generator)


@pytest.mark.parametrize('num_frames,size', [(1, (64, 96)), (8, (33, 47)),
                                             (9, (32, 32)), (19, (41, 100))])
def test_any_length_and_size(num_frames, size):
    with torch.no_grad():
        maps = swin()(clip(num_frames, *size))
    height, width = size
    for index, m in enumerate(maps):
        stride = 4 * 2**index
        assert m.shape == (num_frames, 8 * 2**index, -(-height // stride),
                           -(-width // stride))
        assert m.isfinite().all()


def test_an_axis_within_one_window_is_not_shifted():
    assert fit_window((3, 20, 7), (8, 7, 7), (4, 3, 3)) == ((3, 7, 7),
                                                            (0, 3, 0))


def test_the_bias_depends_on_the_offset_alone():
    window = (2, 3, 4)
    index = relative_index(window)
    places = [(t, y, x) for t in range(2) for y in range(3) for x in range(4)]
    rows = {}
    for i, a in enumerate(places):
        for j, b in enumerate(places):
            offset = tuple(p - q for p, q in zip(a, b, strict=True))
            assert rows.setdefault(offset, int(index[i, j])) == index[i, j]
    # every row of the table belongs to one offset
    assert sorted(rows.values()) == list(range(3 * 5 * 7))


def reach(block: VideoSwinBlock, size: tuple[int, int, int],
          place: tuple[int, int, int]) -> torch.Tensor:
    """Output tokens that depend on an input token."""
    x = torch.randn(1, *size, 8)
    other = x.clone()
    other[0, place[0], place[1], place[2]] = torch.randn(8)
    with torch.no_grad():
        return (block(x) - block(other)).abs().amax(-1)[0] > 1e-6


@pytest.mark.parametrize('shift', [(0, 0, 0), (4, 3, 3)])
def test_attention_is_within_shifted_windows(shift):
    torch.manual_seed(0)
    block = VideoSwinBlock(8, 2, (8, 7, 7), shift, 32, 0.).eval()
    size, place = (19, 16, 9), (9, 6, 8)
    seen = reach(block, size, place)
    expected = torch.ones(size).bool()
    for axis, (n, w, s, p) in enumerate(
            zip(size, (8, 7, 7), shift, place, strict=True)):
        number = (torch.arange(n) - s).div(w, rounding_mode='floor')
        own = number == (p - s) // w
        expected &= own.view([-1 if a == axis else 1 for a in range(3)])
    assert torch.equal(seen, expected)


def test_no_attention_across_the_edge():
    """The mask excludes pairs that only the roll makes neighbours."""
    torch.manual_seed(0)
    block = VideoSwinBlock(8, 2, (8, 7, 7), (4, 3, 3), 32, 0.).eval()
    seen = reach(block, (16, 14, 14), (0, 0, 0))
    assert seen[:4, :3, :3].all()
    assert seen.sum() == 4 * 3 * 3


def test_windows_without_shift_are_one_group():
    (index, labels), = window_groups((2, 3, 5), (2, 2, 3), (0, 0, 0), 'cpu')
    assert labels is None
    assert index.tolist() == [
        [0, 1, 2, 5, 6, 7, 15, 16, 17, 20, 21, 22],
        [3, 4, -1, 8, 9, -1, 18, 19, -1, 23, 24, -1],
        [10, 11, 12, -1, -1, -1, 25, 26, 27, -1, -1, -1],
        [13, 14, -1, -1, -1, -1, 28, 29, -1, -1, -1, -1],
    ]


@pytest.mark.parametrize('size,shift', [((19, 16, 9), (4, 3, 3)),
                                        ((8, 15, 29), (0, 3, 3)),
                                        ((8, 7, 20), (0, 0, 3))])
def test_groups_are_those_of_the_rolled_map(size, shift):
    """Groups and labels against the padded, rolled map with region labels."""
    window = (8, 7, 7)
    padded = [-(-n // w) * w for n, w in zip(size, window, strict=True)]
    tokens = torch.full(padded, -1)
    tokens[:size[0], :size[1], :size[2]] = torch.arange(
        size[0] * size[1] * size[2]).view(size)
    tokens = tokens.roll([-s for s in shift], (0, 1, 2))
    regions = torch.zeros(padded).long()
    for axis, (n, w, s) in enumerate(zip(padded, window, shift, strict=True)):
        position = torch.arange(n)
        label = (position >= n - w).long() + (position >= n - s).long()
        view = [-1 if a == axis else 1 for a in range(3)]
        regions += 3**axis * label.view(view) if s else 0
    expected = set()
    for t, y, x in itertools.product(
            *(range(0, n, w) for n, w in zip(padded, window, strict=True))):
        cells = (slice(t, t + 8), slice(y, y + 7), slice(x, x + 7))
        labels = regions[cells].flatten()
        expected.add((tuple(tokens[cells].flatten().tolist()),
                      tuple((labels == labels[:, None]).flatten().tolist())))
    actual = set()
    for index, labels in window_groups(size, window, shift, 'cpu'):
        if labels is None:
            labels = torch.zeros(8 * 7 * 7)
        same = tuple((labels == labels[:, None]).flatten().tolist())
        actual |= {(tuple(row), same) for row in index.tolist()}
    assert actual == expected


def test_chunks_and_batches_change_nothing():
    """A GPU and training process all windows at once, a CPU in testing some
    at a time; one clip or several."""
    model, clips = swin(), torch.cat([clip(9, 33, 47), -clip(9, 33, 47)])
    whole = model(clips)
    with torch.no_grad():
        chunked = [model(frames[None]) for frames in clips]
    for ours, *parts in zip(whole, *chunked, strict=True):
        torch.testing.assert_close(torch.cat(parts), ours.detach())


def test_checkpointing_changes_no_gradient():
    gradients = []
    for with_cp in (False, True):
        model = swin(with_cp=with_cp)
        model(clip(2))[-1].square().mean().backward()
        gradients.append(
            {n: p.grad for n, p in model.named_parameters()})
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, msg=name)


def test_drop_path_counts_stages_that_are_not_built():
    model = swin(out_indices=(0, 1, 2), drop_path_rate=0.7)
    rates = [block.drop_path.drop_prob for stage in model.stages
             for block in stage]
    assert rates == pytest.approx([0, .1, .2, .3, .4, .5])
    assert len(model.downsamples) == 2


def test_drop_path_skips_whole_clips():
    """Either all frames of a clip skip a branch, or none."""
    torch.manual_seed(0)
    block = VideoSwinBlock(8, 2, (8, 7, 7), (0, 0, 0), 32, 0.5).train()
    x = torch.randn(4, 16, 7, 7, 8)
    kinds = set()
    for _ in range(4):
        with torch.no_grad():
            same = (block(x) == x).flatten(2).all(-1)  # (B, T)
        assert (same.all(1) | ~same.any(1)).all()
        kinds |= set(same.flatten().tolist())
    assert kinds == {True, False}


def kinetics(model: VideoSwinTransformer) -> dict[str, torch.Tensor]:
    """Our weights under the names of the official classifier, its patches
    two frames deep."""
    state = {}
    for key, value in model.state_dict().items():
        parts = key.split('.')
        if parts[0] == 'stages':
            rest = '.'.join(parts[3:]).replace('ffn.layers.0.0', 'mlp.fc1')
            rest = rest.replace('ffn.layers.1', 'mlp.fc2')
            key = f'layers.{parts[1]}.blocks.{parts[2]}.{rest}'
        elif parts[0] == 'downsamples':
            key = f'layers.{parts[1]}.downsample.{".".join(parts[2:])}'
            # back to the official order of neighbours
            value = value.unflatten(-1, (-1, 2, 2)).transpose(-1,
                                                              -3).flatten(-3)
        elif key == 'patch_embed.projection.weight':
            key = 'patch_embed.proj.weight'
            value = torch.stack((0.25 * value, 0.75 * value), dim=2)
        else:
            key = key.replace('projection', 'proj')
        state[f'backbone.{key}'] = value
    index = torch.zeros(1, dtype=torch.long)
    state['backbone.layers.0.blocks.0.attn.relative_position_index'] = index
    state['backbone.norm.weight'] = torch.ones(1)
    state['cls_head.fc_cls.bias'] = torch.zeros(400)
    return state


def test_kinetics_weights_load_by_init_cfg(tmp_path):
    expected = swin()
    path = tmp_path / 'kinetics.pth'
    torch.save(dict(meta={}, state_dict=kinetics(expected)), path)
    init = dict(type='Pretrained', checkpoint=str(path))
    model = swin(seed=1, init_cfg=init)
    with torch.no_grad():
        for ours, theirs in zip(
                model(clip(2)), expected(clip(2)), strict=True):
            torch.testing.assert_close(ours, theirs)
    # three stages take theirs and leave the rest
    model = swin(seed=1, init_cfg=init, out_indices=(0, 1, 2))
    torch.testing.assert_close(
        model.state_dict(), {
            k: v
            for k, v in expected.state_dict().items()
            if not k.startswith(('stages.3', 'downsamples.2'))
        })


def test_a_foreign_kinetics_checkpoint_is_refused(tmp_path):
    path = tmp_path / 'kinetics.pth'
    weights = kinetics(swin())
    torch.save(weights, path)
    with pytest.raises(CheckpointMismatch, match='shape'):
        swin(embed_dims=16,
             init_cfg=dict(type='Pretrained', checkpoint=str(path)))
    with pytest.raises(ValueError, match='temporal_embed: 0 rules'):
        convert_video_swin(weights | {'temporal_embed': torch.ones(1)}, 4)


def test_unfold_order_is_that_of_merging_slices():
    torch.manual_seed(0)
    x, weight = torch.randn(1, 3, 4, 6), torch.randn(5, 12)
    slices = torch.cat([
        x[:, :, row::2, column::2]
        for row, column in ((0, 0), (1, 0), (0, 1), (1, 1))
    ], dim=1)
    expected = torch.einsum('bchw,oc->bohw', slices, weight)
    unfolded = torch.nn.functional.unfold(x, 2, stride=2)
    actual = torch.einsum('bcn,oc->bon', unfolded, to_unfold_order(weight))
    torch.testing.assert_close(actual.view_as(expected), expected)


@pytest.mark.parametrize('num_frames', [1, 9])
def test_referformer_on_a_video_backbone(num_frames):
    model = tiny_model(
        backbone=dict(
            _delete_=True,
            type='VideoSwinTransformer',
            embed_dims=24,
            depths=(1, 2, 1, 1),
            num_heads=(1, 2, 2, 4)))
    sample = model.test_step(make_batch(num_frames=num_frames))[0]
    assert len(sample.pred.masks[0]) == num_frames
    assert sample.pred.scores.isfinite().all()


def test_with_a_valid_index_other_frames_are_context():
    """The video backbone uses them as context."""
    model = tiny_model(
        backbone=dict(
            _delete_=True,
            type='VideoSwinTransformer',
            embed_dims=24,
            depths=(1, 1, 1, 1),
            num_heads=(1, 2, 2, 4)))
    frames, sizes = clip(3), torch.tensor([[64., 96.]])
    index = torch.tensor([1])
    with torch.no_grad():
        kept = model.encode_clip(frames, sizes, index)
        everything = model.encode_clip(frames, sizes)
        alone = model.encode_clip(frames[:, 1:2], sizes)
    assert kept.num_frames == len(kept.fine) == 1
    torch.testing.assert_close(kept.fine[0], everything.fine[1])
    assert not torch.allclose(kept.fine[0], alone.fine[0])

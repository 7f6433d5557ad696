"""Frames of a video in a temporary file."""
import os

import pytest
import torch

from mmrvos.models.frame_store import FrameStore

MEAN = torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)
STD = torch.tensor([58.395, 57.12, 57.375]).view(3, 1, 1)


def store(shape=(4, 6)) -> FrameStore:
    return FrameStore(MEAN, STD, shape)


def size(frames: FrameStore) -> int:
    frames.file.flush()
    return os.fstat(frames.file.fileno()).st_size


def test_bytes_come_back_without_padding():
    pixels = torch.randint(0, 256, (5, 3, 4, 6)).float()
    frames = store()
    padded = torch.zeros(5, 3, 8, 8)
    padded[..., :4, :6] = (pixels - MEAN) / STD
    frames.append(padded[:2])
    frames.append(padded[2:])
    assert len(frames) == 5
    assert size(frames) == 5 * 3 * 4 * 6
    for t in (3, 0, 4):
        assert torch.equal(frames[t], padded[t, :, :4, :6])


def test_values_that_are_no_bytes_are_stored_as_floats():
    """Each frame alone: values between two bytes, out of range, not finite."""
    frames, given = store(), []
    for value in (7., 7.25, -3., 400., float('nan'), float('inf')):
        frame = torch.full((3, 4, 6), 50.)
        frame[1, 2, 3] = value
        given.append((frame - MEAN) / STD)
        frames.append(given[-1][None])
    assert size(frames) == (1 + 5 * 4) * 3 * 4 * 6
    for t, frame in enumerate(given):
        torch.testing.assert_close(
            frames[t], frame, rtol=0, atol=0, equal_nan=True)


def test_the_place_of_a_forgotten_frame_is_used_again():
    frames = store()
    for t in range(50):
        # bytes and floats by turns
        value = float(t) + t % 2 / 4
        frames.append((torch.full((1, 3, 4, 6), value) - MEAN) / STD)
        frames.forget(t - 3)
        assert len(frames) == t + 1
        for s in range(max(0, t - 3), t + 1):
            pixels = frames[s] * STD + MEAN
            torch.testing.assert_close(
                pixels, torch.full((3, 4, 6), s + s % 2 / 4))
    assert size(frames) < 12 * 3 * 4 * 6 * 4
    with pytest.raises(IndexError, match='frame 45: .* frames 46 to 49'):
        frames[45]
    with pytest.raises(IndexError, match='frame 50'):
        frames[50]

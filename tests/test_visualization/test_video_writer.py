import cv2
import numpy as np
import pytest

from mmrvos.visualization import write_video


def read(path) -> list[np.ndarray]:
    video, frames = cv2.VideoCapture(str(path)), []
    while (read := video.read())[0]:
        frames.append(read[1][..., ::-1])
    return frames


def test_written_frames_come_back(tmp_path):
    frames = [np.full((33, 47, 3), v, np.uint8) for v in (30, 120, 210)]
    path = tmp_path / 'deep' / 'clip.mp4'
    write_video(path, iter(frames), fps=12)
    back = read(path)
    assert cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FPS) == 12
    assert [f.shape for f in back] == [(34, 48, 3)] * 3
    for wrote, got in zip(frames, back, strict=True):
        assert abs(got.astype(int) - wrote[0, 0, 0]).max() < 8  # lossy


def test_a_failure_leaves_no_file(tmp_path):

    def frames():
        yield np.zeros((16, 16, 3), np.uint8)
        raise ValueError('broken frame')

    with pytest.raises(ValueError, match='broken frame'):
        write_video(tmp_path / 'clip.mp4', frames())
    with pytest.raises(ValueError, match='no frames'):
        write_video(tmp_path / 'clip.mp4', [])
    assert not list(tmp_path.iterdir())

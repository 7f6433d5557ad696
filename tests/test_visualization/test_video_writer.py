import cv2
import numpy as np
import pytest

from mmrvos.visualization import VideoWriter, write_video


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


@pytest.mark.parametrize('fps', [0.01, 23.976, 66.667, 119.947, 655.36, 1000])
def test_any_frame_rate(tmp_path, fps):
    """MPEG-4 stores rates as fractions of 16-bit numbers."""
    write_video(tmp_path / 'a.mp4', np.zeros((3, 16, 16, 3), np.uint8), fps)
    video = cv2.VideoCapture(str(tmp_path / 'a.mp4'))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 3
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(fps, rel=1e-3)


@pytest.mark.parametrize('fps', [0, -5, float('nan'), float('inf'), 1e9, '5'])
def test_frame_rates_out_of_range(tmp_path, fps):
    with pytest.raises(ValueError, match=f'fps={fps}: expected'):
        VideoWriter(tmp_path / 'a.mp4', fps)


def test_the_encoder_is_opened_at_once_where_the_size_is_known(tmp_path):
    with pytest.raises(OSError, match='video of 9000 x 16 pixels at 10'):
        VideoWriter(tmp_path / 'a.mp4', size=(16, 9000))
    assert not list(tmp_path.iterdir())

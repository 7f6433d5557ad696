import cv2
import numpy as np
import pytest

from mmrvos.apis import open_video
from mmrvos.visualization import write_image, write_video

from ..colour_segmentor import colour_video


@pytest.fixture
def folder(tmp_path):
    """Frames whose names sort by number, not by letter."""
    for t, frame in zip((2, 9, 10), colour_video(3), strict=True):
        write_image(tmp_path / 'frames' / f'{t}.png', frame)
    (tmp_path / 'frames' / 'notes.txt').write_text('not a frame')
    return tmp_path / 'frames'


def test_folder_glob_and_lists_agree(folder):
    frames = colour_video(3)
    for video in (folder, str(folder), f'{folder}/*.png',
                  [folder / f'{t}.png' for t in (2, 9, 10)]):
        source = open_video(video)
        names, _, images = zip(*source.frames(), strict=True)
        assert names == ('2', '9', '10')
        assert len(source) == 3
        assert (np.stack(images) == frames).all()
    for video in (frames, list(frames)):
        images = [image for _, _, image in open_video(video).frames()]
        assert (np.stack(images) == frames).all()


def test_frames_of_equal_names_are_numbered(tmp_path):
    for name in ('b/1.png', 'a/1.png', 'a/2.png'):
        write_image(tmp_path / name, colour_video(1)[0])
    source = open_video(f'{tmp_path}/*/*.png')
    names, paths, _ = zip(*source.frames(), strict=True)
    # else the masks of one would overwrite those of the other
    assert names == ('00000', '00001', '00002')
    assert [p[-7:] for p in paths] == ['a/1.png', 'a/2.png', 'b/1.png']


def test_video_file_can_be_read_twice(tmp_path):
    path = tmp_path / 'clip.mp4'
    write_video(path, colour_video(4), fps=7)
    source = open_video(path)
    assert (len(source), source.fps) == (4, 7)
    first, second = ([i for _, _, i in source.frames()] for _ in range(2))
    assert (np.stack(first) == np.stack(second)).all()
    # lossy, but red is red: RGB order
    assert first[0][8, 10, 0] > 150 > first[0][8, 10, 2]


@pytest.mark.parametrize('video', ['nothing.mp4', 'no/folder', 'none/*.jpg'])
def test_missing(video):
    with pytest.raises(FileNotFoundError, match='missing.*expected'):
        open_video(video)


def test_unusable(tmp_path):
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ValueError, match='no frames'):
        open_video(tmp_path / 'empty')
    with pytest.raises(ValueError, match='no frames'):
        open_video([])
    (tmp_path / 'text.mp4').write_text('not a video')
    with pytest.raises(ValueError, match='text.mp4 cannot be opened'):
        open_video(tmp_path / 'text.mp4')
    with pytest.raises(ValueError, match='float32.*expected a uint8'):
        open_video(np.zeros((2, 8, 8, 3), np.float32))


def test_truncated_frame_is_named(folder):
    frame = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    data = cv2.imencode('.jpg', frame)[1].tobytes()
    (folder / '11.jpg').write_bytes(data[:len(data) // 2])
    with pytest.raises(ValueError, match='11.jpg'):
        list(open_video(folder).frames())

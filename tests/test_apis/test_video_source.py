import os
import struct

import cv2
import numpy as np
import pytest
from PIL import Image

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


@pytest.mark.parametrize(
    'video', ['nothing.mp4', 'no/folder', 'none/*.jpg', ''])
def test_missing(video):
    with pytest.raises(FileNotFoundError, match='(missing|empty).*expected'):
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


@pytest.mark.parametrize('as_list', [False, True])
def test_what_is_no_file_is_named(tmp_path, as_list):
    os.mkfifo(tmp_path / 'pipe')
    (tmp_path / 'link').symlink_to('nowhere')
    for path, kind in ((tmp_path / 'pipe', 'a named pipe'),
                       ('/dev/zero', 'a device'),
                       (tmp_path / 'link', 'a link to nowhere')):
        with pytest.raises((ValueError, OSError), match=f'is {kind}'):
            open_video([path] if as_list else path)


@pytest.mark.parametrize('length', [0, 2, 20])
def test_header_that_is_cut_short(tmp_path, length):
    for suffix, name in (('.jpg', 'JPEG'), ('.png', 'PNG')):
        frame = np.zeros((8, 8, 3), np.uint8)
        data = cv2.imencode(suffix, frame)[1].tobytes()[:length]
        path = tmp_path / f'0{suffix}'
        path.write_bytes(data)
        reason = 'is empty'
        if length > 3:
            reason = f'a {name} file whose header is cut short'
        with pytest.raises(ValueError, match=reason if length != 2 else '0'):
            list(open_video(path).frames())


def test_truncated_frame_is_named(tmp_path):
    frame = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    data = cv2.imencode('.jpg', frame)[1].tobytes()
    (tmp_path / '11.jpg').write_bytes(data[:len(data) // 2])
    with pytest.raises(ValueError, match='11.jpg'):
        list(open_video(tmp_path).frames())


def test_missing_frame_of_a_list_is_named(folder):
    with pytest.raises(FileNotFoundError, match='3.png is missing'):
        open_video([folder / '2.png', folder / '3.png'])


def test_a_folder_of_frames_and_masks_is_refused(folder):
    write_image(folder / '2.jpg', colour_video(1)[0])
    with pytest.raises(ValueError, match='1 .jpg and 3 .png.*a glob'):
        open_video(folder)
    assert len(open_video(f'{folder}/*.png')) == 3


def test_hidden_files_are_no_frames(folder):
    for name in ('._9.png', '__MACOSX/frames/._2.png', '__MACOSX/2.png'):
        write_image(folder / name, colour_video(1)[0])
    assert open_video(folder).names == ['2', '9', '10']
    assert open_video(f'{folder}/**/*.png').names == ['2', '9', '10']


def test_linked_folders_are_read_once(folder):
    (folder / 'loop').symlink_to(folder)
    assert open_video(f'{folder}/**/*.png').names == ['2', '9', '10']


def test_an_existing_path_is_no_glob(tmp_path):
    frames = colour_video(2)
    write_video(tmp_path / 'clip [1].mp4', frames)
    assert len(open_video(tmp_path / 'clip [1].mp4')) == 2
    for name in ('take [2]/0.png', 'take [2]/1*.png', 'take 2/0.png'):
        write_image(tmp_path / name, frames[0])
    assert open_video(tmp_path / 'take [2]').names == ['0', '1*']
    assert open_video(f'{tmp_path}/take [2]/*.png').names == ['0', '1*']
    assert open_video(f'{tmp_path}/take [2]/1*.png').names == ['1*']
    with pytest.raises(ValueError, match='1 files, none of them an image'):
        open_video(f'{tmp_path}/*.mp4')


def test_exif_rotation_is_applied(tmp_path):
    frame = colour_video(1)[0]
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90 degrees clockwise
    Image.fromarray(frame).save(
        tmp_path / '0.jpg', quality=95, subsampling=0, exif=exif)
    (_, _, image), = open_video(tmp_path).frames()
    turned = np.rot90(frame, -1)
    assert image.shape == turned.shape == (80, 48, 3)
    assert np.abs(image.astype(int) - turned).mean() < 3


def test_other_iterables():
    class Frames:
        """As a loader of frames: it has neither length nor index."""

        def __iter__(self):
            return iter(colour_video(3))

    source = open_video(Frames())
    for _ in range(2):
        assert len(list(source.frames())) == 3


def test_iterators_are_read_once():
    source = open_video(iter(colour_video(3)))
    assert len(source) == 0
    assert [name for name, _, _ in source.frames()] == [
        '00000', '00001', '00002']
    with pytest.raises(ValueError, match='frame 1 is a str'):
        list(open_video(iter([colour_video(1)[0], 'x'])).frames())


@pytest.mark.parametrize(
    'video', [True, None, 1.5, {'a': 1}, {1}, b'clip.mp4'])
def test_other_types_are_refused(video):
    with pytest.raises(TypeError, match='expected a video file, a folder'):
        open_video(video)


def test_a_damaged_video_says_how_much_is_left(tmp_path):
    path = tmp_path / 'whole.avi'
    video = cv2.VideoWriter(
        str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10, (112, 64))
    for frame in np.random.default_rng(0).integers(
            0, 255, (40, 64, 112, 3), np.uint8):
        video.write(frame)
    video.release()
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    with pytest.warns(UserWarning, match='of 40 frames can be read') as said:
        count = len(list(open_video(path).frames()))
    assert 0 < count < 40
    assert f': {count} of 40' in str(said[0].message)


def turn(path) -> None:
    """Mark an mp4 as filmed in portrait: rotate it by 90 degrees clockwise."""
    data = bytearray(path.read_bytes())
    start = data.index(b'tkhd') + 44  # of the track's matrix
    one = 1 << 16
    data[start:start + 36] = struct.pack('>9i', 0, one, 0, -one, 0, 0, 0, 0,
                                         1 << 30)
    path.write_bytes(data)


def test_rotation_of_a_video_is_applied(tmp_path):
    write_video(tmp_path / 'a.mp4', colour_video(1))
    (_, _, upright), = open_video(tmp_path / 'a.mp4').frames()
    turn(tmp_path / 'a.mp4')
    (_, _, turned), = open_video(tmp_path / 'a.mp4').frames()
    assert upright.shape == (48, 80, 3)
    assert (turned == np.rot90(upright, -1)).all()


def test_times_of_a_video(tmp_path):
    write_video(tmp_path / 'a.mp4', colour_video(4), fps=8)
    source = open_video(tmp_path / 'a.mp4')
    for _ in range(2):
        assert len(list(source.frames())) == 4
        assert source.times == pytest.approx([0, 0.125, 0.25, 0.375])


def test_times_that_do_not_increase_are_replaced(tmp_path):
    write_video(tmp_path / 'a.mp4', colour_video(3), fps=8)
    source = open_video(tmp_path / 'a.mp4')
    for time in (0, 0, float('nan'), 0.5):
        source._add_time(time)
    assert source.times == [0, 0.125, 0.25, 0.5]

"""What the page answers to a request; no browser and no model."""
from types import SimpleNamespace

import pytest

from mmrvos.web import Limits
from mmrvos.web.private_files import PrivateFiles

pytest.importorskip('gradio')
from mmrvos.web.page import Page  # noqa: E402


class Failing:
    """In place of a segmenter: fails."""
    limits = Limits()
    error = None

    def __call__(self, name, video, *args):
        raise self.error


@pytest.fixture
def page(tmp_path, monkeypatch) -> Page:
    monkeypatch.setenv('GRADIO_TEMP_DIR', str(tmp_path))
    files = PrivateFiles(tmp_path / 'examples')
    return Page(['one'], Failing(), files, tmp_path, [])


@pytest.fixture
def video(page, tmp_path) -> str:
    path = tmp_path / 'upload/dog.mp4'
    path.parent.mkdir()
    path.touch()
    page.files.add(path, 'me')
    return str(path)


def ask(page: Page, video: str | None, text: str = 'the dog',
        owner: str | None = 'me') -> str:
    cookies = {page.files.cookie: owner} if owner else {}
    status, overlay, rows, masks = page.answer(
        video, text, 'one', 0., SimpleNamespace(cookies=cookies), print)
    assert overlay is None and rows is None and masks.value is None
    return status


def test_video_of_another_browser(page, video):
    for owner in ('other', None):
        said = ask(page, video, owner=owner)
        assert said.startswith('Error: the video does not belong to this')


def test_missing_input(page, video, tmp_path):
    assert ask(page, None) == 'Error: no video is given: upload or record one'
    assert 'no sentence is given' in ask(page, video, ' \n')
    (tmp_path / 'upload/dog.mp4').unlink()
    assert ask(page, video) == ('Error: dog.mp4 was deleted: upload it again')


@pytest.mark.parametrize(('error', 'said'), [
    (lambda path: ValueError(f'{path} cannot be opened'),
     'Error: dog.mp4 cannot be opened'),
    (lambda path: KeyError('a key'), "Error: 'a key'"),
    (lambda path: RuntimeError(f'{path} is secret'),
     'Error: internal error (RuntimeError): see the terminal of mmrvos web'),
])
def test_errors_are_in_the_page(page, video, capsys, error, said):
    page.segmenter.error = error(video)
    assert ask(page, video) == said
    in_terminal = 'is secret' in capsys.readouterr().err
    assert in_terminal == ('internal' in said)


def test_reports_of_gradio_are_off(page):
    assert page.blocks.analytics_enabled is False

"""The page in a real browser: Chromium without a window.

Skipped without gradio, playwright or chromium (``apt-get install chromium``).
"""
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mmrvos.visualization.encoders import has_h264
from mmrvos.web.examples import EXAMPLES, make_examples

sync_api = pytest.importorskip('playwright.sync_api')
pytest.importorskip('gradio')
CHROMIUM = next(
    filter(None,
           map(shutil.which,
               ('chromium', 'chromium-browser', 'google-chrome'))), None)
if CHROMIUM is None or not has_h264():
    pytest.skip('chromium or PyAV is not installed', allow_module_level=True)

SECONDS = 120  # of patience on a busy machine
OPTIONS = ('--no-sandbox', '--disable-gpu', '--no-first-run',
           '--disable-background-networking', '--disable-component-update',
           '--disable-sync')
FIRST, SECOND = EXAMPLES[31][0], 'the blue zebra'


@pytest.fixture(scope='module')
def server(tmp_path_factory):
    """Address of a running `mmrvos web` and the folder of its files."""
    folder = tmp_path_factory.mktemp('tmp')
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, '-m', 'mmrvos', 'web', '--port', str(port),
         '--device', 'cpu', '--max-megabytes', '1'],
        env=os.environ | dict(TMPDIR=str(folder)),
        # a suite that runs in the background ignores the signal
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        stdout=subprocess.PIPE,
        text=True)
    try:
        line = process.stdout.readline()
        assert f'http://127.0.0.1:{port} ' in line
        root, = folder.glob('.unfinished_*')
        yield f'http://127.0.0.1:{port}', root
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 0
        assert not root.exists()  # files end with the server
    finally:
        process.kill()
        process.stdout.close()


@pytest.fixture(scope='module')
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


class Visitor:
    """A visitor with cookies of their own, at the page."""

    def __init__(self, browser, url: str) -> None:
        self.context = browser.new_context(accept_downloads=True)
        self.context.set_default_timeout(1000 * SECONDS)
        self.page = self.context.new_page()
        self.hosts = set()
        self.page.on('request', lambda request: self.hosts.add(
            urlsplit(request.url.removeprefix('blob:')).netloc))
        self.page.goto(url)
        self.url = url

    def ask(self, video: Path, *sentences: str) -> None:
        self.page.locator('#video input[type=file]').first.set_input_files(
            video)
        self.page.locator('#video video').wait_for()
        self.page.locator('#sentences textarea').fill('\n'.join(sentences))
        self.page.locator('#segment').click()

    def status(self, wanted: str) -> str:
        """Wait for a status that contains a text."""
        status = self.page.locator('#status textarea')
        self.page.wait_for_function(
            '([wanted]) => document.querySelector("#status textarea")'
            '.value.includes(wanted)',
            arg=[wanted])
        return status.input_value()

    def download(self, path: Path) -> Path:
        with self.page.expect_download() as download:
            self.page.locator('#masks').click()
        assert download.value.suggested_filename == 'masks.zip'
        download.value.save_as(path)
        return path

    @property
    def overlay(self) -> str:
        return self.page.locator('#overlay video').get_attribute('src')


@pytest.fixture
def visit(browser, server):
    """Make visitors."""

    @contextmanager
    def visitor():
        someone = Visitor(browser, server[0])
        try:
            yield someone
        finally:
            someone.context.close()

    return visitor


@pytest.fixture(scope='module')
def video(tmp_path_factory) -> Path:
    return make_examples(tmp_path_factory.mktemp('videos'))[0][0]


def sentences_in(archive: Path) -> list[int]:
    """Number of masks per sentence."""
    with zipfile.ZipFile(archive) as file:
        names = [name.split('/') for name in file.namelist()]
    indices = [int(name[1]) for name in names if name[0] == 'masks']
    return [indices.count(e) for e in range(len(set(indices)))]


def test_upload_play_and_download(visit, server, video, tmp_path):
    with visit() as visitor:
        visitor.ask(video, FIRST, SECOND)
        status = visitor.status('16 frames are segmented.')
        assert "does not know 'zebra'" in status
        player = visitor.page.locator('#overlay video')
        visitor.page.wait_for_function(
            '() => { const v = document.querySelector("#overlay video"); '
            'return v && v.readyState >= 3 }')
        player.evaluate('video => { video.loop = true; return video.play() }')
        before = player.evaluate('video => video.currentTime')
        visitor.page.wait_for_function(
            'before => document.querySelector("#overlay video").currentTime '
            '!== before', arg=before)
        # 16 frames at 6 per second, wider than high and with a legend
        assert player.evaluate('v => v.duration') == pytest.approx(16 / 6, .01)
        assert player.evaluate('v => v.videoWidth') >= 160
        visitor.page.locator('#scores').get_by_text(SECOND).first.wait_for()
        assert sentences_in(visitor.download(tmp_path / 'a.zip')) == [16, 16]
        # nothing comes from another host
        assert visitor.hosts - {''} == {urlsplit(server[0]).netloc}
        with visit() as stranger:
            for request, status in ((visitor.context.request, 200),
                                    (stranger.context.request, 403)):
                assert request.get(visitor.overlay).status == status


def test_bad_files(visit, video, tmp_path):
    with visit() as visitor:
        broken = tmp_path / 'broken.mp4'
        broken.write_bytes(video.read_bytes()[:300])
        visitor.ask(broken, FIRST)
        status = visitor.status('Error')
        assert status.startswith('Error: broken.mp4 cannot be opened')
        assert '/' not in status  # no path of the server
        assert not visitor.page.locator('#overlay video').count()
        visitor.page.locator('#video').get_by_label('Clear').click()
        text = tmp_path / 'notes.mp4'
        text.write_text('#EXTM3U\n/etc/passwd')
        visitor.ask(text, FIRST)
        assert 'notes.mp4 is not a video' in visitor.status('notes')
        visitor.page.locator('#video').get_by_label('Clear').click()
        large = tmp_path / 'large.mp4'
        large.write_bytes(bytes(2**21))
        visitor.page.locator('#video input[type=file]').first.set_input_files(
            large)
        visitor.page.get_by_text('maximum allowed size').first.wait_for()
        visitor.page.locator('#segment').click()
        visitor.status('Error: no video is given')


def test_two_users_at_once(visit, video, tmp_path):
    with visit() as one, visit() as two:
        one.ask(video, FIRST)
        two.ask(video, FIRST, SECOND, EXAMPLES[31][1])
        for someone in (one, two):
            someone.status('16 frames are segmented.')
            someone.page.locator('#overlay video').wait_for()
        assert one.overlay != two.overlay
        assert sentences_in(one.download(tmp_path / '1.zip')) == [16]
        assert sentences_in(two.download(tmp_path / '2.zip')) == 3 * [16]
        for own, other in ((one, two), (two, one)):
            assert own.context.request.get(own.overlay).status == 200
            assert own.context.request.get(other.overlay).status == 403


def test_example_without_upload(visit, server):
    with visit() as visitor:
        visitor.page.get_by_text(FIRST).first.click()
        visitor.page.locator('#video video').wait_for()
        visitor.page.locator('#segment').click()
        visitor.status('16 frames are segmented.')
        overlay = visitor.page.locator('#overlay video')
        overlay.wait_for()
        path = Path(visitor.overlay.split('file=')[1])
        assert path.is_file()
        assert path.is_relative_to(server[1])
    # files go when the visitor leaves
    end = time.monotonic() + SECONDS
    while path.parent.exists():
        assert time.monotonic() < end, f'{path} is still there'
        time.sleep(0.1)

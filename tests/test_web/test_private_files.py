"""The files of a browser, asked for by it and by another one."""
import asyncio
import json
import re

import pytest

from mmrvos.web.private_files import PrivateFiles, PrivateFilesMiddleware


async def gradio(scope, receive, send):
    """Stands for gradio: an upload lists files, others answer 'content'."""
    body = b'content'
    if scope['path'].endswith('/upload'):
        body = json.dumps(scope['uploaded']).encode()
    await send(dict(type='http.response.start', status=200, headers=[]))
    # in two parts, as large bodies are sent
    await send(
        dict(type='http.response.body', body=body[:3], more_body=True))
    await send(dict(type='http.response.body', body=body[3:]))


class Browser:
    """Sends requests with the cookie of its first answer."""

    def __init__(self, files: PrivateFiles) -> None:
        self.app = PrivateFilesMiddleware(gradio, files)
        self.cookies = []

    def get(self, path: str, **scope) -> tuple[int, bytes]:
        sent = []

        async def send(message):
            sent.append(message)

        headers = [(b'cookie', f'other=1; {cookie}'.encode())
                   for cookie in self.cookies]
        asyncio.run(
            self.app(
                dict(type='http', path=path, headers=headers, **scope), None,
                send))
        for key, value in sent[0]['headers']:
            if key == b'set-cookie':
                assert b'HttpOnly' in value and b'SameSite=Strict' in value
                self.cookies.append(value.split(b';')[0].decode())
        body = b''.join(message.get('body', b'') for message in sent)
        return sent[0]['status'], body

    @property
    def name(self) -> str:
        cookie, = self.cookies
        return re.fullmatch(r'mmrvos_\w{8}=(\S{40,})', cookie)[1]


@pytest.fixture
def files(tmp_path) -> PrivateFiles:
    for name in ('examples/one.mp4', 'upload/one.mp4', 'result/masks.zip'):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(name)
    return PrivateFiles(tmp_path / 'examples')


@pytest.fixture
def owner(files, tmp_path) -> Browser:
    """Has uploaded a file and got a result."""
    browser = Browser(files)
    assert browser.get('/')[0] == 200
    browser.get('/gradio_api/upload',
                uploaded=[str(tmp_path / 'upload/one.mp4')])
    files.add(tmp_path / 'result', browser.name)
    return browser


@pytest.mark.parametrize('route', ['/gradio_api/file=', '/gradio_api/file/',
                                   '/sub/gradio_api/file='])
@pytest.mark.parametrize('name', ['upload/one.mp4', 'result/masks.zip'])
def test_only_the_owner_reads(files, owner, tmp_path, route, name):
    other = Browser(files)
    other.get('/')
    assert other.name != owner.name
    assert owner.get(f'{route}{tmp_path}/{name}') == (200, b'content')
    assert other.get(f'{route}{tmp_path}/{name}')[0] == 403
    assert Browser(files).get(f'{route}{tmp_path}/{name}')[0] == 403


@pytest.mark.parametrize('path', [
    'examples/../upload/one.mp4', 'result', '../../etc/passwd', '\0',
    'result/' + 300 * 'x'
])
def test_other_paths(files, owner, tmp_path, path):
    other = Browser(files)
    other.get('/')
    assert other.get(f'/gradio_api/file={tmp_path}/{path}')[0] == 403


def test_examples_are_for_everybody(files, tmp_path):
    path = f'/gradio_api/file={tmp_path}/examples/one.mp4'
    assert Browser(files).get(path) == (200, b'content')


@pytest.mark.parametrize('path', [
    '/gradio_api/file=http://localhost/x', '/gradio_api/proxy=https://x.org/'
])
def test_addresses_are_not_fetched(files, owner, path):
    assert owner.get(path)[0] == 403


def test_files_go_with_the_last_tab(files, owner, tmp_path):
    files.open_tab(owner.name)
    files.open_tab(owner.name)
    files.close_tab(owner.name)
    assert (tmp_path / 'upload/one.mp4').is_file()
    files.close_tab(owner.name)
    assert [p.name for p in tmp_path.iterdir()] == ['examples']
    assert not files.owners and not files.tabs


def test_a_file_of_two_browsers(files, owner, tmp_path):
    """Both have uploaded the same content, which gradio stores once."""
    second = Browser(files)
    second.get('/')
    upload = tmp_path / 'upload/one.mp4'
    second.get('/gradio_api/upload', uploaded=[str(upload)])
    for browser in (owner, second):
        files.open_tab(browser.name)
    files.close_tab(owner.name)
    assert not (tmp_path / 'result').exists()
    assert owner.get(f'/gradio_api/file={upload}')[0] == 403
    assert second.get(f'/gradio_api/file={upload}')[0] == 200
    files.close_tab(second.name)
    assert not upload.parent.exists()

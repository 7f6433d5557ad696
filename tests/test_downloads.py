"""Downloads from a server on loopback."""
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import gdown.download
import numpy as np
import pytest
import requests
from huggingface_hub import constants

from mmrvos import downloads
from mmrvos.downloads import (
    fetch,
    hash_in_name,
    hub_file,
    local_name,
    web_page,
)

from .file_server import FileServer, file_server

ROOT = Path(__file__).parents[1]
DATA = np.random.default_rng(0).bytes(3_000_000)
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(scope='module')
def running():
    with file_server() as server:
        yield server


@pytest.fixture
def server(running, monkeypatch, tmp_path) -> FileServer:
    running.requests.clear()
    running.files.clear()
    running.files['x.pth'] = DATA
    monkeypatch.setenv('MMRVOS_HOME', str(tmp_path / 'home'))
    monkeypatch.setattr(downloads, 'TIMEOUT', 0.5)
    monkeypatch.setattr(downloads, 'RETRIES', 1)
    # no pause before the next attempt
    monkeypatch.setattr(gdown.download, '_wait_or_cancel',
                        lambda **kwargs: None, raising=False)
    return running


@pytest.fixture
def drive(server, monkeypatch) -> FileServer:
    """Google Drive at the server: gdown itself knows one address only."""
    send = requests.Session.get

    def get(session, url: str, **options):
        url = url.replace('https://drive.google.com', server.url)
        return send(session, url, **options)

    monkeypatch.setattr(requests.Session, 'get', get)
    return server


@pytest.fixture
def hub(server, monkeypatch) -> FileServer:
    monkeypatch.setattr(constants, 'ENDPOINT', server.url)
    monkeypatch.setattr(constants, 'HUGGINGFACE_CO_URL_TEMPLATE',
                        server.url +
                        '/{repo_id}/resolve/{revision}/{filename}')
    return server


def files(folder: Path) -> list[str]:
    return sorted(
        str(p.relative_to(folder)) for p in folder.rglob('*') if p.is_file())


@pytest.mark.parametrize('mode', ['good', 'slow', 'cut', 'moved'])
def test_the_whole_file_arrives(server, tmp_path, mode):
    target = tmp_path / 'out/x.pth'
    url = f'{server.url}/{mode}/x.pth'
    assert fetch(url, target, sha256=SHA256, size=len(DATA),
                 progress=False) == target
    assert target.read_bytes() == DATA
    assert files(tmp_path / 'out') == ['x.pth']
    if mode == 'cut':  # what had arrived is not sent again
        asked, = [r for _, r in server.requests if r]
        assert asked == f'bytes={2**20}-'  # the last whole piece of 512 KiB
    # the second call needs no server
    server.requests.clear()
    assert fetch(url, target, size=len(DATA)) == target
    assert not server.requests


def test_a_later_call_continues(server, tmp_path):
    target, url = tmp_path / 'out/x.pth', f'{server.url}/always_cut/x.pth'
    with pytest.raises(OSError, match='connection was cut; [0-9]+ bytes are '
                       'kept') as error:
        fetch(url, target, progress=False)
    assert '\n' not in str(error.value)
    assert len(files(tmp_path / 'out')) == 1
    assert files(tmp_path / 'out')[0].endswith('.part')
    server.requests.clear()
    for _ in range(2):
        try:
            fetch(url, target, sha256=SHA256, progress=False)
            break
        except OSError:
            continue
    assert target.read_bytes() == DATA
    assert all(r != 'bytes=0-' for _, r in server.requests)
    assert files(tmp_path / 'out') == ['x.pth']


def test_nothing_stays_if_the_server_cannot_continue(server, tmp_path):
    with pytest.raises(OSError, match='cannot be downloaded: .*try again'):
        fetch(f'{server.url}/cut_whole/x.pth', tmp_path / 'out/x.pth',
              progress=False)
    assert files(tmp_path / 'out') == []


def test_a_beginning_of_another_file_is_replaced(server, tmp_path):
    target = tmp_path / 'out/x.pth'
    with pytest.raises(OSError, match='are kept'):
        fetch(f'{server.url}/always_cut/x.pth', target, progress=False)
    # another file, by a server that sends no ranges
    server.files['x.pth'] = DATA[::-1]
    fetch(f'{server.url}/whole/x.pth', target, progress=False)
    assert target.read_bytes() == DATA[::-1]
    assert files(tmp_path / 'out') == ['x.pth']


def test_a_silent_server_ends_in_one_line(server, tmp_path):
    with pytest.raises(OSError, match='nothing for 0.5 seconds.*are kept'):
        fetch(f'{server.url}/silent/x.pth', tmp_path / 'out/x.pth',
              progress=False)


@pytest.mark.parametrize(('path', 'options', 'message'), [
    ('good/x.pth', dict(sha256='0' * 64), f'SHA-256 is {SHA256}'),
    ('good/x.pth', dict(size=5), 'sends 3000000 bytes, expected 5'),
    ('page/x.pth', {}, 'a web page was sent .* --from FILE'),
    ('page/x.pth', dict(size=5), 'a web page was sent'),
    ('good/none.pth', {}, 'the server answers 404'),
    ('good/empty.pth', {}, 'has 0 bytes, expected a file'),
    ('good/page.pth', {}, 'a web page was sent'),
])
def test_wrong_files_leave_nothing(server, tmp_path, path, options, message):
    server.files['empty.pth'] = b''
    server.files['page.pth'] = b'\xef\xbb\xbf \n<HTML lang="en">'
    with pytest.raises(OSError, match=message) as error:
        fetch(f'{server.url}/{path}', tmp_path / 'out/x.pth',
              progress=False, **options)
    assert '\n' not in str(error.value)
    assert files(tmp_path / 'out') == []


@pytest.mark.parametrize('folder, variable', [
    ('home/checkpoints', 'MMRVOS_HOME'), ('torch', 'TORCH_HOME')])
def test_a_full_disk_is_found_before_the_transfer(server, tmp_path,
                                                  monkeypatch, folder,
                                                  variable):
    monkeypatch.setattr(
        shutil, 'disk_usage',
        lambda path: namedtuple('Usage', 'free')(free=1000))
    with pytest.raises(OSError, match=f'the disk is full .*{variable}'):
        fetch(f'{server.url}/good/x.pth', tmp_path / folder / 'x.pth',
              progress=False)
    assert files(tmp_path / folder) == []


def test_one_of_several_processes_downloads(server, tmp_path):
    target, url = tmp_path / 'out/x.pth', f'{server.url}/slow/x.pth'
    with ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(fetch, url, target, progress=False)
                for _ in range(3)]
        assert {job.result() for job in jobs} == {target}
    assert len(server.requests) == 1


def test_no_network(tmp_path, server):
    closed = 'http://127.0.0.1:9'
    with pytest.raises(OSError, match='connection was refused'):
        fetch(f'{closed}/x.pth', tmp_path / 'x.pth', progress=False)
    with pytest.raises(ValueError, match='ftp://a is no address'):
        fetch('ftp://a', tmp_path / 'x.pth')


def test_interrupted_by_the_keyboard(server, tmp_path):
    code = ('import sys\nfrom pathlib import Path\n'
            'from mmrvos.downloads import fetch\n'
            'fetch(sys.argv[1], Path(sys.argv[2]), progress=False)')
    child = subprocess.Popen(
        [sys.executable, '-c', code, f'{server.url}/silent/x.pth',
         str(tmp_path / 'out/x.pth')],
        env=os.environ | dict(PYTHONPATH=str(ROOT)),
        # a suite that runs in the background ignores the signal
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        stderr=subprocess.DEVNULL)
    until = time.monotonic() + 20
    while not files(tmp_path / 'out') and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.2)
    child.send_signal(signal.SIGINT)
    assert child.wait(20) != 0
    part, = files(tmp_path / 'out')
    assert part.endswith('.part')
    fetch(f'{server.url}/good/x.pth', tmp_path / 'out/x.pth', sha256=SHA256,
          progress=False)
    assert files(tmp_path / 'out') == ['x.pth']


def test_google_drive(drive, tmp_path):
    drive.files['id=abc_1'] = DATA
    target = tmp_path / 'out/x.pth'
    fetch('gdrive:abc_1', target, sha256=SHA256[:8], progress=False)
    assert target.read_bytes() == DATA
    with pytest.raises(OSError, match='gdrive:gone cannot be .*quota.*'
                       'https://drive.google.com/file/d/gone/view'):
        fetch('gdrive:gone', tmp_path / 'out/y.pth', progress=False)
    assert files(tmp_path / 'out') == ['x.pth']


@pytest.mark.parametrize(('source', 'path'), [
    ('hf:me/mine/a/x.pth', 'me/mine/resolve/main/a/x.pth'),
    ('hf:spaces/me/mine/x.pth', 'spaces/me/mine/resolve/main/x.pth'),
])
def test_hugging_face_hub(hub, tmp_path, source, path):
    hub.files[path] = DATA
    fetch(source, tmp_path / 'out/x.pth', sha256=SHA256, progress=False)
    assert (tmp_path / 'out/x.pth').read_bytes() == DATA
    with pytest.raises(OSError, match='SHA-256'):
        fetch(source, tmp_path / 'out/y.pth', sha256='00', progress=False)
    with pytest.raises(OSError, match='the server answers 404'):
        fetch('hf:me/mine/none.pth', tmp_path / 'out/z.pth', progress=False)
    assert files(tmp_path / 'out') == ['x.pth']


def test_addresses():
    assert hub_file('hf:spaces/a/b/c/d.pth') == ('space', 'a/b', 'c/d.pth')
    assert hub_file('hf:a/b/c') == ('model', 'a/b', 'c')
    with pytest.raises(ValueError, match='hf:OWNER/REPOSITORY/FILE'):
        hub_file('hf:a/b')
    assert web_page('hf:spaces/a/b/c') == (
        'https://huggingface.co/spaces/a/b/resolve/main/c')
    names = [local_name(s) for s in (
        'gdrive:1zF', 'https://a.org/v1/x.pth?a=1', 'https://a.org/v1/x.pth',
        'hf:a/b/x.pth', 'hf:a/b_x.pth')]
    assert len(set(names)) == 5
    assert [name[9:] for name in names] == [
        'gdrive_1zF', 'a.org_v1_x.pth', 'a.org_v1_x.pth', 'a_b_x.pth',
        'a_b_x.pth']


@pytest.mark.parametrize('name, digest', [
    ('resnet50-0676ba61.pth', '0676ba61'),
    ('faster_rcnn_20200130-047c8118.pth', '047c8118'),
    ('model-20240612.pth', None),
    ('model-20241312.pth', '20241312'),
    ('model.pth', None),
])
def test_the_hash_in_a_name(name, digest):
    assert hash_in_name(name) == digest


@pytest.mark.parametrize('part', ['home', 'home/checkpoints', 'home/locks'])
def test_a_folder_that_cannot_be_used_is_named(running, tmp_path,
                                               monkeypatch, part):
    """Before the transfer, with the variable that names another one."""
    monkeypatch.setenv('MMRVOS_HOME', str(tmp_path / 'home'))
    file = tmp_path / part
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    running.files['x.pth'] = DATA
    with pytest.raises(OSError, match='cannot hold .*MMRVOS_HOME') as error:
        fetch(f'{running.url}/good/x.pth', tmp_path / 'home/checkpoints/x.pth',
              progress=False)
    assert str(tmp_path / 'home') in str(error.value)
    assert '\n' not in str(error.value)

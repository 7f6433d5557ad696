"""Options of ``mmrvos web``, checked before anything is started."""
import socket
import sys

import pytest

from mmrvos.commands import web


@pytest.fixture
def installed(monkeypatch):
    """gradio is not needed for what these tests check."""
    monkeypatch.setattr(web, 'import_gradio', lambda: None)
    monkeypatch.setattr(web, 'serve', None)


@pytest.mark.parametrize(('arguments', 'said'), [
    (['--max-frames', '0'], '--max-frames 0: expected at least 1'),
    (['--max-megabytes', '-1'], '--max-megabytes -1: expected at least 1'),
    (['--port', '99999'], '--port 99999: expected 1 to 65535'),
    (['--host', '192.0.2.1', '--port', '7999'],
     'cannot be served at 192.0.2.1:7999'),
    (['--device', 'cuda:99', '--port', '7999'],
     "device 'cuda:99' cannot be used"),
    (['referformer_r50_ytvso', '--port', '7999'], 'referformer_r50_ytvos'),
])
def test_wrong_options_are_one_line(installed, mmrvos, arguments, said):
    with pytest.raises(SystemExit, match=said):
        mmrvos('web', *arguments)


def test_port_in_use(installed, mmrvos):
    with socket.socket() as other:
        other.bind(('127.0.0.1', 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SystemExit, match=f'127.0.0.1:{port} .*--port'):
            mmrvos('web', '--port', port)


def test_without_gradio(mmrvos, monkeypatch):
    monkeypatch.setitem(sys.modules, 'gradio', None)
    with pytest.raises(SystemExit, match='needs gradio.*pip install'):
        mmrvos('web')


def test_no_model(mmrvos, installed, monkeypatch):
    """As in a wheel, which has no checkpoints."""
    monkeypatch.setattr(web, 'weights', lambda entry: 'repository')
    monkeypatch.setattr(web, 'check_address', lambda *args: None)
    with pytest.raises(SystemExit, match='no model are here: give names'):
        mmrvos('web')


def test_models(monkeypatch, mmrvos, installed):
    """The shipped model is the default; named ones replace all others."""
    served = []
    monkeypatch.setattr(web, 'serve', lambda *args: served.append(args))
    monkeypatch.setattr(web, 'check_address', lambda *args: None)
    mmrvos('web', '--max-frames', '7')
    mmrvos('web', 'referformer_tiny_shapes', '--host', '::1', '--port', '80')
    (names, segmenter, host, port), (named, *_, host2, port2) = served
    assert names[:2] == [
        'referformer_tiny_shapes_motion', 'referformer_tiny_shapes'
    ]
    assert (host, port) == ('127.0.0.1', 7860)
    assert segmenter.limits.frames == 7
    assert named == ['referformer_tiny_shapes']
    assert (host2, port2) == ('::1', 80)

"""Small models with official files on loopback."""
import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mmrvos import cli, downloads, model_index

from ..file_server import FileServer, file_server
from ..official_models import (
    converted_from,
    entry,
    official_file,
    write_index,
    write_model,
)

RF, A2D = 'referformer_r50_s0', 'mttr_a2d_s0'


@pytest.fixture(scope='session')
def official() -> dict[str, bytes]:
    """Official files by name."""
    return {
        'r50.pth': official_file(RF),
        'a2d.pth.tar': official_file(A2D, 'model_state_dict'),
    }


@pytest.fixture(scope='session')
def running(official):
    with file_server() as server:
        server.files.update(official)
        yield server


@pytest.fixture(scope='session')
def index(tmp_path_factory, running, official) -> Path:
    """Folder of model-index.yml."""
    folder = tmp_path_factory.mktemp('index')
    r50 = official['r50.pth']
    ytvos = write_model(folder, 'referformer/r50_ytvos.py', RF,
                        'SampleAllFrames')
    davis = write_model(folder, 'referformer/r50_davis17.py', RF,
                        'SampleAllFrames')
    a2d = write_model(folder, 'mttr/video-swin-t_a2d.py', A2D,
                      'SampleCentredFrames')
    return write_index(folder, [
        entry(
            'r50_ytvos', ytvos, 'Ref-YouTube-VOS', {'J&F': 55.6},
            Aliases=['small/r50'],
            **converted_from(f'{running.url}/cut/r50.pth', 'referformer',
                             SHA256=hashlib.sha256(r50).hexdigest(),
                             Size=len(r50),
                             Submission=f'{running.url}/good/submission.zip')
        ),
        entry(
            'r50_davis17', davis, 'Ref-DAVIS17', {'J&F': 58.5},
            **{'Weights From': 'r50_ytvos'}),
        entry(
            'a2d', a2d, 'A2D-Sentences', {'mAP': 46.1, 'oIoU': 72.0},
            **converted_from(f'{running.url}/moved/a2d.pth.tar', 'mttr')),
        entry(
            'wrong_method', ytvos, 'Ref-YouTube-VOS', {'J&F': 1.0},
            **converted_from(f'{running.url}/good/a2d.pth.tar', 'soc')),
        entry(
            'wrong_config', a2d, 'A2D-Sentences', {'mAP': 1.0},
            **converted_from(f'{running.url}/good/r50.pth', 'referformer')),
        entry(
            'wrong_hash', ytvos, 'Ref-YouTube-VOS', {'J&F': 1.0},
            **converted_from(f'{running.url}/good/r50.pth', 'referformer',
                             SHA256='0' * 64)),
        entry(
            'page', ytvos, 'Ref-YouTube-VOS', {'J&F': 1.0},
            **converted_from(f'{running.url}/page/r50.pth', 'referformer')),
        entry('no_weights', ytvos, 'Ref-YouTube-VOS', {'J&F': 1.0}),
    ])


@pytest.fixture
def server(running, index, tmp_path, monkeypatch) -> FileServer:
    """The server, with an empty home folder and the small index."""
    running.requests.clear()
    monkeypatch.setattr(downloads, 'TIMEOUT', 2)
    monkeypatch.setattr(model_index, 'index_folder', lambda: index)
    monkeypatch.setenv('MMRVOS_HOME', str(tmp_path / 'home'))
    monkeypatch.chdir(tmp_path)
    return running


@pytest.fixture
def mmrvos(monkeypatch) -> Callable[..., int | None]:
    """Run the command in this process."""

    def run(*args: object) -> int | None:
        monkeypatch.setattr(sys, 'argv', ['mmrvos', *map(str, args)])
        return cli.main()

    return run

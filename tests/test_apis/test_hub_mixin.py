"""Models to and from the Hugging Face hub, which is on loopback."""
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import HfApi, constants

from mmrvos.apis import RVOSInferencer
from mmrvos.utils import read_checkpoint, write_checkpoint

from ..file_server import file_server

VIDEO = np.random.default_rng(0).integers(0, 255, (2, 64, 112, 3), np.uint8)


@pytest.fixture(scope='module')
def inferencer() -> RVOSInferencer:
    return RVOSInferencer(
        'referformer_tiny_shapes', device='cpu', show_progress=False)


def test_push_and_load(inferencer, tmp_path, monkeypatch):
    class Answer:
        repo_id = 'me/mine'

    monkeypatch.setattr(HfApi, 'create_repo', lambda self, **kw: Answer)
    monkeypatch.setattr(
        HfApi, 'upload_folder', lambda self, folder_path, **kw: shutil.
        copytree(folder_path, tmp_path / 'pushed'))
    inferencer.push_to_hub('me/mine')
    pushed = {p.name: p.read_bytes() for p in (tmp_path / 'pushed').iterdir()}
    assert set(pushed) == {'README.md', 'config.json', 'model.safetensors'}
    assert 'library_name: mmrvos' in pushed['README.md'].decode()
    # nothing of this machine
    assert set(json.loads(pushed['config.json'])) == {'model_type', 'mmrvos'}

    with file_server() as server:
        monkeypatch.setattr(constants, 'ENDPOINT', server.url)
        monkeypatch.setattr(constants, 'HUGGINGFACE_CO_URL_TEMPLATE',
                            server.url +
                            '/{repo_id}/resolve/{revision}/{filename}')
        server.files.update({
            f'me/mine/resolve/main/{name}': content
            for name, content in pushed.items()
        })
        loaded = RVOSInferencer.from_pretrained(
            'me/mine', cache_dir=tmp_path / 'cache', device='cpu', window=1,
            show_progress=False)
    assert loaded.model.test_cfg.window == 1
    result, = loaded(VIDEO[:1], 'the red circle')
    expected, = inferencer(VIDEO[:1], 'the red circle')
    assert (result.score, result.rles) == (expected.score, expected.rles)


def test_the_files_of_a_repository_choose_no_code(inferencer, tmp_path):
    inferencer.save_pretrained(tmp_path)
    script = tmp_path / 'evil.py'
    script.write_text(f'open({str(tmp_path / "was_run")!r}, "w")')
    (tmp_path / 'config.json').write_text(json.dumps(
        dict(model=str(script), cfg_options={'model.type': 'os.system'})))
    RVOSInferencer.from_pretrained(
        tmp_path, device='cpu', show_progress=False)
    file = tmp_path / 'model.safetensors'
    checkpoint = read_checkpoint(file)
    cfg = checkpoint['meta']['cfg'].replace("'ReferFormer'", "'os.system'")
    write_checkpoint(file, checkpoint['state_dict'], dict(cfg=cfg))
    with pytest.raises(ValueError, match="type 'os.system' is not registered"):
        RVOSInferencer.from_pretrained(Path(tmp_path), device='cpu')
    assert not (tmp_path / 'was_run').exists()

"""Inference by name, with weights that are fetched on first use."""
import json
import subprocess
import sys

import numpy as np
import pytest

from mmrvos.visualization import write_image


def test_weights_come_by_themselves(server, mmrvos, tmp_path, capsys):
    video = np.random.default_rng(0).integers(0, 255, (2, 32, 48, 3), np.uint8)
    for t, frame in enumerate(video):
        write_image(tmp_path / 'frames' / f'{t}.png', frame)
    mmrvos('infer', 'small/r50', tmp_path / 'frames', 'the', 'the the',
           '--out-dir', tmp_path / 'out', '--device', 'cpu', '--no-progress')
    result = json.loads((tmp_path / 'out/result.json').read_text())
    assert [e['text'] for e in result['expressions']] == ['the', 'the the']
    assert (tmp_path / 'out/masks/1/1.png').is_file()
    assert 'masks/, result.json' in capsys.readouterr().out
    assert (tmp_path / 'home/checkpoints/r50_ytvos.pth').is_file()


@pytest.mark.parametrize('name', [
    'grounded_sam2_tiny_ytvos', 'sam3_full_mevis'])
def test_models_of_the_hub_need_no_checkpoint(mmrvos, tmp_path, monkeypatch,
                                              name):
    built = []

    class Inferencer:

        def __init__(self, *args, **options):
            built.append(args)
            raise ValueError('built')

    monkeypatch.setattr('mmrvos.apis.RVOSInferencer', Inferencer)
    write_image(tmp_path / '0.png', np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(SystemExit, match='built'):
        mmrvos('infer', name, tmp_path / '0.png', 'a dog', '--out-dir',
               tmp_path / 'out')
    assert built == [(name, None)]


def test_the_video_is_checked_before_the_download(server, mmrvos, tmp_path):
    with pytest.raises(SystemExit, match='none.mp4 is missing'):
        mmrvos('infer', 'small/r50', 'none.mp4', 'the')
    assert not server.requests


@pytest.mark.parametrize(('arguments', 'said'), [
    ([' '], "the sentences are .' '.: expected at least one, none of them em"),
    (['a dog', '--min-score', '2'], 'min_score=2.0: expected 0 to 1'),
    (['a dog', '--out-dir', '/dev/null/out'],
     r'/dev/null/out cannot be created: .* \(from --out-dir\)'),
    (['a dog', '--device', 'cuda:99'], "device 'cuda:99' cannot be used"),
])
def test_options_are_checked_before_the_download(server, mmrvos, tmp_path,
                                                 arguments, said):
    write_image(tmp_path / '0.png', np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(SystemExit, match=said):
        mmrvos('infer', 'small/r50', tmp_path / '0.png', *arguments)
    assert not server.requests


def test_options_are_checked_without_torch(tmp_path):
    """An empty sentence does not wait for torch."""
    write_image(tmp_path / '0.png', np.zeros((8, 8, 3), np.uint8))
    program = (
        'import sys; from mmrvos.commands.infer import infer, parse_args\n'
        'try: infer(parse_args())\n'
        'except ValueError: assert "torch" not in sys.modules\n'
        'else: raise AssertionError')
    subprocess.run([sys.executable, '-c', program, 'referformer_tiny_shapes',
                    str(tmp_path / '0.png'), ''], check=True)

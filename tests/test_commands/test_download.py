"""Weights by name: from an official file on a server to a checkpoint."""
import hashlib
import re
from pathlib import Path

import pytest
import torch

from mmrvos.utils import read_checkpoint

from ..file_server import PAGE
from ..golden_kinds.case import load_case
from ..official_models import GOLDEN
from .conftest import A2D, RF


def files(folder: Path) -> list[str]:
    return sorted(
        str(p.relative_to(folder)) for p in folder.rglob('*')
        if p.is_file() and p.parent.name != 'locks')


def test_downloads_converts_and_checks(server, mmrvos, tmp_path, capsys):
    mmrvos('download', 'small/r50')
    said = capsys.readouterr()
    assert 'licence: none stated' in said.err
    assert files(tmp_path / 'home') == ['checkpoints/r50_ytvos.pth']
    path = tmp_path / 'home/checkpoints/r50_ytvos.pth'
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert said.out == f'r50_ytvos: {path} (SHA-256 {digest})\n'
    checkpoint = read_checkpoint('checkpoints/r50_ytvos.pth')
    official = load_case(GOLDEN / f'{RF}.npz').state_dict()
    assert torch.equal(checkpoint['state_dict']['head.controller.layers.0'
                                                '.weight'],
                       official['controller.layers.0.weight'])
    known = checkpoint['meta']['official']
    assert known['weights'] == f'{server.url}/cut/r50.pth'
    # the cut download continued
    assert [r for _, r in server.requests if r]
    # the second time, and for a config that tests the same weights
    server.requests.clear()
    mmrvos('download', 'r50_ytvos', 'r50_davis17')
    assert not server.requests
    assert capsys.readouterr().out.count(digest) == 2


def test_two_files_and_keep(server, mmrvos, tmp_path, capsys, official):
    mmrvos('download', 'a2d', '--keep')
    kept, ours = 'downloads', 'checkpoints/a2d.pth'
    found = files(tmp_path / 'home')
    assert found[0] == ours and found[1].startswith(kept) and len(found) == 2
    assert (tmp_path / 'home' / found[1]).read_bytes() == (
        official['a2d.pth.tar'])
    # hash and size for the metafile
    digest = hashlib.sha256(official['a2d.pth.tar']).hexdigest()
    assert f'SHA-256 {digest}, {len(official["a2d.pth.tar"])} bytes (not ' in (
        capsys.readouterr().err)
    case = load_case(GOLDEN / f'{A2D}.npz')
    assert len(read_checkpoint(ours)['state_dict']) == len(case.state_shapes)


def test_a_file_fetched_by_hand(server, mmrvos, tmp_path, official):
    by_hand = tmp_path / 'mine.pth'
    by_hand.write_bytes(official['r50.pth'])
    mmrvos('download', 'r50_ytvos', '--from', by_hand)
    assert not server.requests and by_hand.exists()
    assert files(tmp_path / 'home') == ['checkpoints/r50_ytvos.pth']
    by_hand.write_bytes(official['r50.pth'][:-1])
    with pytest.raises(SystemExit, match='mine.pth has [0-9]+ bytes, exp'):
        mmrvos('download', 'r50_ytvos', '--from', by_hand)
    assert by_hand.exists()


def test_a_file_by_hand_that_is_none(server, mmrvos, tmp_path, capsys):
    with pytest.raises(SystemExit, match=f'{tmp_path} is a folder: expected'):
        mmrvos('download', 'a2d', '--from', tmp_path)
    by_hand = tmp_path / 'mine.pth'
    by_hand.write_bytes(PAGE)
    # the address is that of the official file
    with pytest.raises(SystemExit,
                       match=f'Open {server.url}/moved/a2d.pth.tar in a'):
        mmrvos('download', 'a2d', '--from', by_hand)
    by_hand.write_text('no checkpoint')
    with pytest.raises(SystemExit, match='cannot be read as a checkpoint'):
        mmrvos('download', 'a2d', '--from', by_hand)
    # the hash of a wrong file is not for the metafile
    assert 'metafile' not in capsys.readouterr().err
    assert files(tmp_path / 'home') == [] and not server.requests


@pytest.mark.parametrize('by_hand', [False, True])
def test_a_home_that_cannot_be_written(server, mmrvos, tmp_path, official,
                                       by_hand):
    (tmp_path / 'home').write_text('a file')
    mine = tmp_path / 'mine.pth'
    mine.write_bytes(official['r50.pth'])
    options = ['--from', mine] if by_hand else []
    with pytest.raises(SystemExit, match='cannot hold downloads .*: set '
                       'MMRVOS_HOME'):
        mmrvos('download', 'r50_ytvos', *options)
    assert not server.requests


@pytest.mark.parametrize(('name', 'message'), [
    ('wrong_method', 'not a checkpoint of SOC as it was published'),
    ('wrong_config', 'does not fit MTTR'),
    ('wrong_hash', 'SHA-256 is [0-9a-f]{64}, expected 0{64}'),
    ('page', 'a web page was sent in place of the file'),
    ('no_weights', 'no weights of no_weights are published'),
    ('r50_ytvo', 'the nearest of its 8 names are r50_ytvos, '),
])
def test_what_cannot_be_used_leaves_nothing(server, mmrvos, tmp_path, name,
                                            message):
    with pytest.raises(SystemExit) as left:
        mmrvos('download', name)
    assert re.search(message, left.value.code)
    assert files(tmp_path / 'home') == []


def test_names_are_checked_before_the_first_download(server, mmrvos):
    with pytest.raises(SystemExit, match='none of these'):
        mmrvos('download', 'r50_ytvos', 'none of these')
    assert not server.requests


def test_list(server, mmrvos, capsys):
    mmrvos('list', 'r50*')
    assert capsys.readouterr().out.splitlines() == [
        'NAME         TEST DATA        NUMBER            WEIGHTS',
        'r50_ytvos    Ref-YouTube-VOS  J&F 55.6 (paper)  official',
        'r50_davis17  Ref-DAVIS17      J&F 58.5 (paper)  official']
    mmrvos('download', 'r50_ytvos')
    capsys.readouterr()
    mmrvos('list', 'R50_D')  # a part of the name, in any case
    assert 'downloaded' in capsys.readouterr().out
    mmrvos('list', 'a2d', '--verbose')
    said = capsys.readouterr().out
    assert f'official file: {server.url}/moved/a2d.pth.tar, licence' in said
    assert 'A2D-Sentences, paper: mAP 46.1, oIoU 72.0' in said
    with pytest.raises(SystemExit, match="matches 'r51'; the nearest are r50"):
        mmrvos('list', 'r51')


def test_a_model_of_the_hub_has_no_checkpoint(mmrvos, tmp_path, capsys):
    mmrvos('list', 'sam3_full_mevis', '--verbose')
    name, _, networks = capsys.readouterr().out.splitlines()[1:]
    assert name.endswith(' hub')
    assert networks == '    networks: facebook/sam3 of the Hugging Face hub'
    mmrvos('download', 'sam3_full_mevis')
    assert 'sam3_full_mevis has no checkpoint' in capsys.readouterr().out
    assert not (tmp_path / 'home').exists()
    with pytest.raises(SystemExit, match='remove --from'):
        mmrvos('download', 'sam3_full_mevis', '--from', tmp_path / 'x.pth')

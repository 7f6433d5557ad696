"""tools/analysis_tools/eval_masks.py on good and bad predictions."""
import csv
import json
import os
import shutil
import subprocess
import sys
import weakref
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmrvos.evaluation.offline.predictions import (
    PredictionError,
    PredictionFiles,
)
from mmrvos.evaluation.offline.readers import RLEReader

from .conftest import FRAMES, SIZE, TOOLS, load_tool, save

tool = load_tool('eval_masks')


@pytest.fixture
def run(monkeypatch, capsys):
    """(root, data set, options) to (exit status, summary, stderr)."""

    def call(root: Path, dataset: str, *options, pred: Path | None = None):
        out = root / 'out.json'
        out.unlink(missing_ok=True)
        monkeypatch.setattr(sys, 'argv', [
            'eval_masks.py', str(pred or root / 'pred'), '--gt',
            str(root / 'gt'), '--dataset', dataset, '--json', str(out),
            *map(str, options)
        ])
        status = tool.main()
        result = json.loads(out.read_text()) if out.exists() else None
        return status, result, capsys.readouterr().err

    return call


def pack(folder: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, 'w') as archive:
        for path in sorted(folder.rglob('*.*')):
            archive.write(path, path.relative_to(folder).as_posix())
    return target


# ------------------------------------------------------------ good predictions


def test_perfect_masks_score_100(ytvos, run):
    status, result, err = run(ytvos, 'ytvos')
    assert status == 0 and 'problem' not in err
    summary = result['summary']
    for key in ('J&F', 'J', 'F', 'P@0.9', 'frame_P@0.9', 'J&F/motion',
                'J&F/long'):
        assert summary[key] == 100
    assert summary['var_J'] == 0
    assert len(result['expressions']) == 6
    assert len(result['expressions'][0]['per_frame']['J']) == len(FRAMES)


@pytest.mark.parametrize('name', ['ytvos', 'mevis', 'davis', 'a2d'])
def test_scoring_imports_no_torch(name, request):
    root = request.getfixturevalue(name)
    code = ('import sys; from mmrvos.commands.eval import main;'
            'assert main() == 0; assert "torch" not in sys.modules')
    pred = next(root.glob('pred*'))
    subprocess.run([
        sys.executable, '-c', code, str(pred), '--gt', str(root / 'gt'),
        '--dataset', 'davis17' if name == 'davis' else name
    ], check=True, stdout=subprocess.DEVNULL)


def test_zip_workers_csv_and_plots_agree(ytvos, run, tmp_path):
    shutil.rmtree(ytvos / 'pred/Annotations/bb/1')
    folder = run(ytvos, 'ytvos')
    zipped = run(
        ytvos, 'ytvos', '--workers', 2, '--csv', tmp_path / 'out.csv',
        '--plot', tmp_path / 'plots',
        pred=pack(ytvos / 'pred', tmp_path / 'pred.zip'))
    assert folder[0] == zipped[0] == 1
    assert folder[1] == zipped[1]
    rows = list(csv.DictReader((tmp_path / 'out.csv').open()))
    assert [r['J&F'] for r in rows] == ['100.0000'] * 4 + ['0.0000'
                                                          ] + ['100.0000']
    for name in ('jf_over_frames', 'jf_by_split'):
        assert Image.open(tmp_path / f'plots/{name}.png').size[0] > 100


def test_mevis_takes_the_union(mevis, run):
    assert run(mevis, 'mevis')[1]['summary']['J&F'] == 100
    for frame in FRAMES[:3]:  # where the second object is there as well
        shutil.copy(mevis / f'pred/aa/1/{frame}.png',
                    mevis / f'pred/aa/0/{frame}.png')
    # one of two equally large objects is half of the target
    assert run(mevis, 'mevis')[1]['summary']['J'] == pytest.approx(
        (100 * 3 + (3 * 50 + 100) / 4) / 4)


def test_revos_leaves_out_expressions_without_a_target(mevis, run):
    folder = mevis / 'gt/valid_u'
    content = json.loads((folder / 'meta_expressions.json').read_text())
    for video in content['videos'].values():
        video['expressions']['1'].update(anno_id=[], type_id=2)
        video['expressions']['0'].update(type_id=0)
    (mevis / 'gt/meta_expressions_valid_.json').write_text(
        json.dumps(content))
    (folder / 'mask_dict.json').rename(mevis / 'gt/mask_dict.json')
    status, result, _ = run(mevis, 'revos')
    assert status == 0
    assert result['summary']['J&F'] == 100
    # a mask is given where there is no target
    assert result['summary']['N_acc'] == 0
    assert result['summary']['T_acc'] == 100


def test_any_folder_around_the_videos_is_found(ytvos, run):
    (ytvos / 'pred/Annotations').rename(ytvos / 'pred/valid')
    (ytvos / 'pred').rename(ytvos / 'results')
    (ytvos / 'pred').mkdir()
    (ytvos / 'results').rename(ytvos / 'pred/results')
    status, result, _ = run(ytvos, 'ytvos')
    assert (status, result['summary']['J&F']) == (0, 100)


def test_davis_matches_objects_or_not(davis, run):
    status, result, _ = run(davis, 'davis17')
    assert status == 0
    assert result['summary']['J&F'] == 100  # swapped labels lose nothing
    assert result['protocol'] == 'unsupervised'
    fixed = run(davis, 'davis17', '--protocol', 'fixed')[1]
    per_label = {e['exp_id']: e['J'] for e in fixed['expressions']}
    assert per_label['anno_0/1'] == per_label['anno_0/2'] == 100
    # the second object is gone in the last of four frames, its prediction not
    assert per_label['anno_1/1'] == per_label['anno_1/2'] == 0


def test_davis_takes_one_folder_of_results(davis, run):
    status, result, _ = run(davis, 'davis17', pred=davis / 'pred/anno_0')
    assert (status, len(result['expressions'])) == (0, 2)
    assert result['summary']['J&F'] == 100


def test_a2d_ranks_candidates(a2d, run):
    status, result, _ = run(a2d, 'a2d')
    assert status == 0
    summary = result['summary']
    assert summary['P@0.5'] == pytest.approx(200 / 3)
    assert summary['mIoU'] == pytest.approx(200 / 3, abs=1e-3)
    assert summary['oIoU'] == pytest.approx(100 * 2 / 4)
    # by score: right, right, wrong, wrong, wrong, right (precision 3/6)
    recall = np.linspace(0, 1, 101)
    assert summary['mAP'] == pytest.approx(
        100 * np.mean(np.where(recall <= 2 / 3, 1, 0.5)), abs=0.7)


def test_jhmdb_takes_single_masks(a2d, run):
    source = a2d / 'gt/a2d_sentences_test_annotations_in_coco_format.json'
    source.rename(
        a2d / 'gt/jhmdb_sentences_gt_annotations_in_coco_format.json')
    (a2d / 'pred/scores.json').unlink()
    for folder in sorted((a2d / 'pred').iterdir()):
        shutil.copy(folder / '0.png', a2d / f'pred/{folder.name}.png')
        shutil.rmtree(folder)
    status, result, _ = run(a2d, 'jhmdb')
    assert status == 0
    assert result['summary']['mAP'] == pytest.approx(100)


# ------------------------------------------------------------- bad predictions


def corrupt(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:40])


def deep(path: Path) -> None:
    Image.fromarray(np.zeros(SIZE, np.uint16)).save(path)


def small(path: Path) -> None:
    save(path, np.zeros((18, 35)))


@pytest.mark.parametrize('damage, words', [
    (corrupt, 'cannot be decoded'),
    (deep, 'mode I;16'),
    (small, 'size (18, 35), the ground truth has (36, 70)'),
    (Path.unlink, 'missing'),
])
def test_a_bad_frame_counts_0_and_the_rest_is_scored(ytvos, run, damage,
                                                     words):
    # the second object is absent here: an empty mask would score 1
    damage(ytvos / 'pred/Annotations/aa/1/00015.png')
    status, result, err = run(ytvos, 'ytvos')
    assert status == 1
    (line, ) = [x for x in err.splitlines() if x.startswith('problem: ')]
    assert 'aa/1/00015.png' in line and words in line
    scores = {(e['video_id'], e['exp_id']): e['J&F']
              for e in result['expressions']}
    assert scores.pop(('aa', '1')) == 75
    assert set(scores.values()) == {100}


@pytest.mark.parametrize('dataset', ['ytvos', 'mevis'])
def test_a_missing_video_counts_0(dataset, run, request):
    root = request.getfixturevalue(dataset)
    top = root / 'pred' / ('Annotations' if dataset == 'ytvos' else '')
    shutil.rmtree(top / 'aa')
    status, result, err = run(root, dataset)
    assert status == 1 and err.count('problem: ') == 1
    assert 'the video is missing' in err
    assert result['summary']['J&F'] == 50


def test_the_official_rule_is_an_option(mevis, run):
    shutil.rmtree(mevis / 'pred/aa/0')
    for missing, score, left_out in (('zero', 75, 0), ('official', 100, 1)):
        status, result, _ = run(mevis, 'mevis', '--missing', missing)
        assert (status, result['summary']['J&F']) == (1, score)
        assert result['missing'] == missing
        assert result['left_out_expressions'] == left_out
        assert len(result['expressions']) == 4 - left_out


@pytest.mark.parametrize('options, words', [
    (['--missing=official'], 'no official rule'),
    (['--split=train'], 'meta_expressions.json is missing'),
])
def test_what_a_benchmark_lacks(ytvos, run, options, words):
    status, result, err = run(ytvos, 'ytvos', *options)
    assert (status, result) == (2, None) and words in err
    assert len(err.strip().splitlines()) == 1


def test_an_unknown_protocol(davis, run):
    status, _, err = run(davis, 'davis17', '--protocol', 'free')
    assert status == 2 and "protocol='free'" in err


@pytest.mark.parametrize('options, words', [
    (['--config', 'x.py', '--missing', 'zero'], '--missing is not for'),
    (['--dataset', 'ytvos'], '--gt is missing'),
    (['--config', 'x.py'], 'x.py is missing'),
])
def test_config_or_dataset(monkeypatch, capsys, options, words):
    monkeypatch.setattr(sys, 'argv', ['eval_masks.py', 'pred', *options])
    try:
        status = tool.main()
    except SystemExit as error:
        status = error.code
    assert status == 2 and words in capsys.readouterr().err


@pytest.mark.parametrize('workers', [1, 2])
def test_what_the_data_set_does_not_know_is_named(ytvos, run, workers):
    save(ytvos / 'pred/Annotations/zz/0/00000.png', np.zeros(SIZE))
    save(ytvos / 'pred/Annotations/aa/7/00000.png', np.zeros(SIZE))
    (ytvos / 'pred/notes.txt').write_text('hello')
    (ytvos / 'pred/notes2.txt').write_text('hello')
    status, result, err = run(ytvos, 'ytvos', '--workers', workers)
    assert status == 1
    assert result['problems'] == [
        'zz: unknown to the dataset, not scored',
        'Annotations/aa/7: an expression unknown to the dataset, not scored',
        'notes.txt: not a PNG, ignored, nor are 1 more',
    ]
    assert all(line in err for line in result['problems'])
    assert result['summary']['J&F'] == 100


def test_hidden_files_are_passed_over(ytvos, run):
    # the folder that sorts behind it must be found all the same
    (ytvos / 'pred/Annotations').rename(ytvos / 'pred/results')
    save(ytvos / 'pred/results/aa/.ipynb_checkpoints/00000.png',
         np.zeros(SIZE))
    (ytvos / 'pred/.DS_Store').write_bytes(b'of a Mac')
    for path in sorted((ytvos / 'pred').rglob('*.png')):
        beside = path.relative_to(ytvos / 'pred')
        beside = ytvos / 'pred/__MACOSX' / beside.with_name(f'._{path.name}')
        beside.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(b'attributes')
    for pred in (None, pack(ytvos / 'pred', ytvos / 'pred.zip')):
        status, result, err = run(ytvos, 'ytvos', pred=pred)
        assert result['summary']['J&F'] == 100
        assert (status, result['problems']) == (0, []), err


@pytest.mark.parametrize('dataset', ['ytvos', 'mevis', 'davis', 'a2d'])
def test_predictions_of_something_else_are_no_result(dataset, run, request):
    root = request.getfixturevalue(dataset)
    shutil.rmtree(root / 'pred')
    name = 'davis17' if dataset == 'davis' else dataset
    (root / 'pred').mkdir()
    status, result, err = run(root, name)
    assert (status, result) == (2, None) and 'among its 0 PNGs' in err
    save(root / 'pred/another/0/00000.png', np.zeros(SIZE))
    status, result, err = run(root, name)
    assert (status, result) == (2, None)
    assert 'among its 1 PNGs' in err and 'expected ' in err


@pytest.mark.parametrize('dataset, option, words', [
    ('ytvos', '--protocol=fixed',
     '--protocol is for davis17, ref_sav, revos, not for ytvos'),
    ('davis17', '--split=valid', 'not for davis17'),
    ('jhmdb', '--expressions=x.json', 'not for jhmdb'),
    ('ytvos', '--workers=0', '--workers is 0, expected 1 or more'),
    ('ytvos', '--csv=.', '. is a folder'),
])
def test_options_that_mean_nothing_are_refused(tmp_path, run, capsys, dataset,
                                               option, words):
    with pytest.raises(SystemExit) as error:
        run(tmp_path, dataset, option)
    assert error.value.code == 2
    assert words in capsys.readouterr().err


def test_folders_of_results_are_made(ytvos, run, tmp_path):
    path = tmp_path / 'new/folder/out.csv'
    assert run(ytvos, 'ytvos', '--csv', path)[0] == 0
    assert len(path.read_text().splitlines()) == 7


@pytest.mark.parametrize('name', ['../evil.png', '/etc/evil.png',
                                  'a/../../evil.png', 'C:/evil.png',
                                  '..\\evil.png'])
def test_a_zip_that_climbs_out_is_refused(ytvos, run, tmp_path, name):
    target = pack(ytvos / 'pred', tmp_path / 'pred.zip')
    with zipfile.ZipFile(target, 'a') as archive:
        archive.writestr(name, b'')
    status, result, err = run(ytvos, 'ytvos', pred=target)
    assert (status, result) == (2, None)
    assert 'refused' in err and 'leads out of the archive' in err


def test_linked_folders_are_followed_once(davis, run):
    linked = davis / 'links'
    (linked / 'anno_0').mkdir(parents=True)
    (linked / 'anno_0/cat').symlink_to(davis / 'pred/anno_0/cat')
    (linked / 'anno_0/loop').symlink_to(linked)
    status, result, _ = run(davis, 'davis17', pred=linked)
    assert (status, result['summary']['J&F']) == (0, 100)


def test_folders_of_plots_are_checked_first(ytvos, run, capsys):
    (ytvos / 'file').write_text('x')
    with pytest.raises(SystemExit) as error:
        run(ytvos, 'ytvos', '--plot', ytvos / 'file/plots')
    assert error.value.code == 2
    assert f"{ytvos / 'file'} is not a folder" in capsys.readouterr().err


def test_plots_need_values_per_frame(a2d, run):
    status, result, err = run(a2d, 'a2d', '--plot', a2d / 'plots')
    assert (status, result) == (2, None) and 'A2DMetric has none' in err
    assert not (a2d / 'plots').exists()


def test_a_zip_with_a_link_or_a_damaged_entry(ytvos, run, tmp_path):
    link = zipfile.ZipInfo('Annotations/aa/0/link.png')
    link.external_attr = 0o120777 << 16
    target = pack(ytvos / 'pred', tmp_path / 'link.zip')
    with zipfile.ZipFile(target, 'a') as archive:
        archive.writestr(link, '/etc/passwd')
    assert 'is a link' in run(ytvos, 'ytvos', pred=target)[2]

    target = pack(ytvos / 'pred', tmp_path / 'damaged.zip')
    with zipfile.ZipFile(target) as archive:
        info = archive.getinfo('Annotations/aa/0/00000.png')
    content = bytearray(target.read_bytes())
    start = info.header_offset + 30 + len(info.filename) + 20
    content[start:start + 20] = bytes(20)
    target.write_bytes(content)
    status, result, err = run(ytvos, 'ytvos', pred=target)
    assert status == 1 and 'cannot be read' in err
    assert len(result['expressions']) == 6


def test_what_is_no_zip_or_not_there(ytvos, run, tmp_path):
    (tmp_path / 'x.zip').write_bytes(b'no zip')
    for pred, words in ((tmp_path / 'x.zip', 'neither a folder nor a zip'),
                        (tmp_path / 'nowhere', 'is missing')):
        status, _, err = run(ytvos, 'ytvos', pred=pred)
        assert status == 2 and words in err
        assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize('scores, words', [
    ([float('nan'), 0.5], 'nan'),
    ([0.5], '2 masks with the scores [0.5]'),
    (['high', 'low'], "'high'"),
    (dict(first=1), "[{'first': 1}]"),
])
def test_scores_that_rank_nothing(a2d, run, scores, words):
    path = a2d / 'pred/scores.json'
    content = json.loads(path.read_text())
    content['v_a_f_1_i_0'] = scores
    path.write_text(json.dumps(content))
    status, result, err = run(a2d, 'a2d')
    assert status == 1
    assert 'v_a_f_1_i_0' in err and words in err
    assert result['summary']['P@0.5'] == pytest.approx(100 / 3)


def test_repeated_predictions_are_refused(a2d, run, tmp_path):
    """Which of the two scores counts is not known."""
    path = a2d / 'pred/scores.json'
    text = path.read_text()
    path.write_text(text.replace('{', '{"v_a_f_1_i_0": [0.1, 0.2], ', 1))
    status, _, err = run(a2d, 'a2d')
    assert status == 2
    assert "scores.json: no valid JSON (the key 'v_a_f_1_i_0' occurs" in err
    path = tmp_path / 'masks.json'
    path.write_text('{"v": {"0": {}, "0": {}}}')
    with pytest.raises(PredictionError, match="the key '0' occurs 2 times"):
        RLEReader(path, dict(v=['0']), None)


def test_scores_in_another_form(a2d, run):
    (a2d / 'pred/scores.json').write_text('[0.5]')
    status, _, err = run(a2d, 'a2d')
    assert status == 2 and 'expected {image id: [score, ...]}' in err


@pytest.mark.parametrize('name', ['scores.json', 'v_a_f_1_i_0/0.png'])
def test_a_pipe_is_not_read(a2d, run, name):
    path = a2d / 'pred' / name
    path.unlink()
    os.mkfifo(path)
    status, result, err = run(a2d, 'a2d')
    assert (status, result) == (2, None)
    assert name in err and 'named pipe' in err


def test_davis_with_too_many_labels_or_a_missing_frame(davis, run):
    labels = np.arange(36 * 70).reshape(SIZE) % 40
    save(davis / 'pred/anno_0/cat/00005.png', labels)
    (davis / 'pred/anno_1/cat/00000.png').unlink()
    status, result, err = run(davis, 'davis17')
    assert status == 1
    assert 'label 39' in err and 'anno_1/cat/00000.png: missing' in err
    assert result['summary']['J&F'] == 75  # one of four frames each


def test_broken_ground_truth(ytvos, run):
    corrupt(ytvos / 'gt/valid/Annotations/aa/00005.png')
    status, result, err = run(ytvos, 'ytvos')
    assert status == 1 and 'aa: left out, its ground truth' in err
    assert {e['video_id'] for e in result['expressions']} == {'bb'}
    assert result['left_out'] == 1


def test_annotations_of_some_videos_are_missing(ytvos, run):
    shutil.rmtree(ytvos / 'gt/valid/Annotations/aa')
    status, result, err = run(ytvos, 'ytvos')
    assert status == 1 and 'aa: left out, its ground truth' in err
    assert result['left_out'] == 1
    shutil.rmtree(ytvos / 'gt/valid/Annotations')
    status, _, err = run(ytvos, 'ytvos')
    assert status == 2 and 'holds no masks' in err


def test_expressions_without_objects(ytvos, run):
    path = ytvos / 'gt/meta_expressions/valid/meta_expressions.json'
    content = json.loads(path.read_text())
    del content['videos']['bb']['expressions']['2']['obj_id']
    path.write_text(json.dumps(content))
    status, _, err = run(ytvos, 'ytvos')
    assert status == 2 and '--expressions' in err
    for text, words in (('{', 'no valid JSON'),
                        ('[]', 'no expression file'),
                        ('{"videos": {}}', 'found no expressions'),
                        ('{"videos": {"aa": {}}}', 'aa has no "frames"')):
        path.write_text(text)
        status, _, err = run(ytvos, 'ytvos')
        assert status == 2 and words in err


def test_masks_of_another_release(mevis, run):
    path = mevis / 'gt/valid_u/mask_dict.json'
    masks = json.loads(path.read_text())
    masks['20'].pop()
    path.write_text(json.dumps(masks))
    status, _, err = run(mevis, 'mevis')
    assert status == 2 and 'object 20 has 3 masks' in err


def test_the_test_videos_are_left_out(ytvos, run):
    folder = ytvos / 'gt/meta_expressions'
    content = json.loads(
        (folder / 'valid/meta_expressions.json').read_text())
    del content['videos']['aa']
    (folder / 'test').mkdir()
    (folder / 'test/meta_expressions.json').write_text(json.dumps(content))
    _, result, _ = run(ytvos, 'ytvos')
    assert {e['video_id'] for e in result['expressions']} == {'aa'}


def test_masks_are_not_kept(ytvos, run, monkeypatch):
    """At most one predicted mask per expression is in memory."""
    read, alive, most = PredictionFiles.mask, weakref.WeakSet(), [0]

    class Mask(np.ndarray):
        __hash__ = object.__hash__

    def watched(self, path):
        mask = read(self, path).view(Mask)
        alive.add(mask)
        most[0] = max(most[0], len(alive))
        return mask

    monkeypatch.setattr(PredictionFiles, 'mask', watched)
    assert run(ytvos, 'ytvos')[0] == 0
    assert 1 <= most[0] <= 2 < 2 * 3 * len(FRAMES)


def test_exit_status_of_the_command(ytvos):
    (ytvos / 'pred/Annotations/aa/1/00015.png').unlink()
    done = subprocess.run(
        [sys.executable, TOOLS / 'eval_masks.py', ytvos / 'pred', '--gt',
         ytvos / 'gt', '--dataset', 'ytvos'],
        capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert 'J&F 95.83' in done.stdout  # 5.75 of 6
    assert 'Traceback' not in done.stderr

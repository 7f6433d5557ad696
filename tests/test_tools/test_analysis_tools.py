"""analyze_logs, analyze_results, vis_scheduler and the pages they write."""
import json
import re
import runpy
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from mmrvos.visualization import html

from ..colour_segmentor import colour_checkpoint
from ..test_datasets import miniature
from .running import CONFIG, EPOCH_ITERS, ROOT, options


def write_log(work_dir: Path, run: str, *records: dict) -> None:
    path = work_dir / run / 'vis_data/scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text('\n'.join(map(json.dumps, records)))


def step(number: int, loss: float, **others: float) -> dict:
    return dict(loss=loss, step=number, iter=number, epoch=1, time=0.5,
                **others)


@pytest.fixture
def logs(tmp_path) -> list[str]:
    """Two work dirs; the first was resumed at iteration 3."""
    write_log(tmp_path / 'a', '20260101_000000', step(1, 4.), step(2, 3.),
              step(3, 9.), step(4, 9.), {'ytvos/J&F': 10., 'step': 1})
    write_log(tmp_path / 'a', '20260102_000000', step(3, 2.), step(4, 1.),
              {'ytvos/J&F': 30., 'ytvos/J&F/motion': 5., 'step': 2},
              {'ytvos/J&F': 20., 'ytvos/J&F/motion': 6., 'step': 3})
    with open(tmp_path / 'a/20260102_000000/vis_data/scalars.json', 'a') as f:
        f.write('\n{"loss": 7, "st')  # killed while it wrote
    write_log(tmp_path / 'b', '20260101_000000', step(1, 5.))
    return [str(tmp_path / 'a'), str(tmp_path / 'b')]


def test_logs_of_several_work_dirs(logs, tool, tmp_path, capsys):
    tool('analysis_tools/analyze_logs.py', *logs, '--out',
         str(tmp_path / 'curves.png'))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ['a', 'loss', '1', '1', 'iteration', '4'] in lines
    assert ['a', 'ytvos/J&F', '20', '30', 'epoch', '2'] in lines
    assert ['a', 'seconds', 'per', 'iteration', '0.500'] in lines
    assert ['b', 'loss', '5', '5', 'iteration', '1'] in lines
    with Image.open(tmp_path / 'curves.png') as picture:
        assert picture.width > 900
        assert len(np.unique(np.asarray(picture.convert('L')))) > 50


def test_resumed_runs_are_joined(logs, tool, capsys):
    tool('analysis_tools/analyze_logs.py', logs[0], '--keys', 'loss',
         'J&F/motion')
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and 'ytvos/J&F/motion' in lines[2]
    from analyze_logs import read_curves, smooth
    curve = read_curves(Path(logs[0]))['loss']
    assert (curve.steps, curve.values) == ([1, 2, 3, 4], [4, 3, 2, 1])
    assert smooth(curve.values, 2).tolist() == [4, 3.5, 2.5, 1.5]


@pytest.mark.parametrize('args, message', [
    (['--keys', 'lss'], '--keys lss: no log has this key; the keys are J&F'),
    (['/nowhere'], '/nowhere has no <time>/vis_data/scalars.json'),
])
def test_logs_that_cannot_be_read(logs, tool, args, message):
    with pytest.raises(SystemExit, match=re.escape(message)):
        tool('analysis_tools/analyze_logs.py', logs[0], *args)


def test_learning_rates(tool, tmp_path, capsys):
    picture = tmp_path / 'lr.png'
    tool('analysis_tools/vis_scheduler.py', 'configs/referformer/r50_ytvos.py',
         '--steps-per-epoch', '10', '--out', str(picture))
    out = capsys.readouterr().out
    assert 'backbone: 5e-05 at first, 5e-05 at most, 5e-07 at last' in out
    assert 'other parameters: 0.0001 at first' in out
    assert '60 iterations' in out and picture.is_file()


def test_schedulers_of_iterations_and_epochs(shapes):
    """A tenth after one epoch, times a line to 0 at the last iteration."""
    from vis_scheduler import count_steps, learning_rates, stages_of

    from mmrvos.utils import load_config
    cfg = load_config(CONFIG, dict(data_root=shapes))
    steps = count_steps(cfg, processes=2)
    assert steps == EPOCH_ITERS / 2
    iterations, rates = learning_rates(cfg, steps)
    assert iterations == list(range(4 * steps))
    factor = np.where(np.arange(4 * steps) < steps, 1, 0.1)
    np.testing.assert_allclose(
        rates['other parameters'],
        0.1 * factor * np.linspace(1, 0, 4 * steps), atol=1e-12)
    assert stages_of(cfg) == [(0, 'category'), (2, 'dense'), (3, 'whole')]


# -------------------------------------------------------------------- results


def test_pages_escape_texts():
    text = '<script>alert("x")</script>'
    content = html.page(
        text, html.heading(text), html.note(text),
        html.table([text], [[text], [1.5], [float('nan')]]),
        html.figure('a"b <c>.png', text, text))
    assert '<script' not in content and '<c>' not in content
    assert content.count('&lt;script&gt;') == 8
    assert 'src="a%22b%20%3Cc%3E.png"' in content
    assert '<td>1.50</td>' in content and '<td>-</td>' in content


def test_results_of_a_model(shapes, tmp_path, tool, capsys):
    page = tmp_path / 'out/results.html'
    tool('analysis_tools/analyze_results.py', CONFIG,
         colour_checkpoint(tmp_path, threshold=120), '--out', str(page),
         '--num', '1', '--frames', '2',
         *options(shapes, f'work_dir={tmp_path}/work',
                  'test_dataloader.dataset.indices=1'))
    content = page.read_text()
    rows = re.findall(r'<tr><td>(.*?)</td><td>(\d+)</td><td>(.*?)</td>',
                      content)
    assert rows[0][0] == 'all'
    total = re.search(r'^total +([\d.]+)', capsys.readouterr().out, re.M)[1]
    assert float(rows[0][2]) == pytest.approx(float(total), abs=0.01)
    splits = {name for name, *_ in rows if 'to' not in name}
    assert {'all', 'appearance', 'short', 'long'} <= splits
    assert content.count('<img') == 2 * len(splits)
    assert 'all: worst 1' in content and 'appearance: best 1' in content


def test_frames_of_a_video_file_are_named_from_1(tmp_path):
    """As the frames of A2D-Sentences, whose last one may be annotated."""
    video = cv2.VideoWriter(str(tmp_path / 'v.avi'),
                            cv2.VideoWriter_fourcc(*'MJPG'), 10, (32, 16))
    for grey in (0, 100, 200):
        video.write(np.full((16, 32, 3), grey, np.uint8))
    video.release()
    read_frame = runpy.run_path(
        str(ROOT / 'tools/analysis_tools/analyze_results.py'))['read_frame']
    means = [read_frame(str(tmp_path / 'v.avi'), f'{i:05d}').mean()
             for i in (1, 2, 3)]
    assert means == pytest.approx([0, 100, 200], abs=3)


def test_results_of_masks(tmp_path, tool):
    """Perfect masks of one sentence, nothing for the others; one sentence
    has no target."""
    root = miniature.ref_youtube_vos(tmp_path / 'data', ('ccc', ), 'valid')
    path = root / 'meta_expressions/valid/meta_expressions.json'
    content = json.loads(path.read_text())
    expressions = content['videos']['ccc']['expressions']
    first, *others = expressions.values()
    first.update(exp='<i>the first</i>', obj_id='1')
    others[-1]['obj_id'] = []
    path.write_text(json.dumps(content))
    for name in content['videos']['ccc']['frames']:
        labels = np.asarray(Image.open(
            root / f'valid/Annotations/ccc/{name}.png'))
        for e in expressions:
            folder = tmp_path / f'pred/ccc/{e}'
            folder.mkdir(parents=True, exist_ok=True)
            mask = (labels == 1) & (expressions[e] is first)
            Image.fromarray(255 * mask.astype(np.uint8)).save(
                folder / f'{name}.png')
    config = Config.fromfile('configs/_base_/datasets/ref_youtube_vos.py')
    loader = config.test_dataloader.to_dict()
    loader['dataset']['data_root'] = str(root)
    (tmp_path / 'config.py').write_text(
        f"test_dataloader = {loader!r}\n"
        "test_evaluator = dict(type='RefYoutubeVOSMetric')\n"
        "default_scope = 'mmrvos'\n")
    tool('analysis_tools/analyze_results.py', str(tmp_path / 'config.py'),
         '--masks', str(tmp_path / 'pred'), '--out',
         str(tmp_path / 'page.html'), '--num', '3')
    page = (tmp_path / 'page.html').read_text()
    cells = re.search('<tr><td>all</td>(.*?)</tr>', page)[1]
    count, *_, hits, misses, nothing, surplus = re.findall(
        '<td>(.*?)</td>', cells)
    targets = len(expressions) - 1
    assert (int(count), int(hits)) == (targets + 1, 2)
    assert int(nothing) == targets - 1 and int(surplus) == 0
    assert int(misses) <= targets - 1
    assert '&lt;i&gt;the first&lt;/i&gt;' in page and '<i>' not in page
    assert 'no target' in page


def test_results_are_checked_before_the_work(tmp_path, tool):
    for args, message in ((('--out', 'x.txt'), 'ends in .html'),
                          (('no.pth', '--out', 'x.html'), 'no.pth'),
                          (('--out', f'{tmp_path}/x.html'),
                           'needs a checkpoint')):
        with pytest.raises(SystemExit, match=message):
            tool('analysis_tools/analyze_results.py',
                 'configs/referformer/tiny_shapes.py', *args)

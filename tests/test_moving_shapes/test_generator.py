import ast
import hashlib
import importlib
import json
import multiprocessing
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmrvos.datasets.transforms.flip_words import (
    swap_left_right,
    swap_up_down,
)
from mmrvos.moving_shapes import (
    VERSION,
    VOCABULARY,
    ensure,
    generate,
    grammar,
)
from mmrvos.moving_shapes.generate import VERSION_FILE
from mmrvos.moving_shapes.meanings import TYPES, MeaningEvaluator
from mmrvos.moving_shapes.motions import random_path
from mmrvos.moving_shapes.random_stream import RandomStream
from mmrvos.moving_shapes.scene_facts import (
    EXTENT_FACTS,
    ORDER_FACTS,
    YES,
    Facts,
    Motion,
)
from mmrvos.moving_shapes.scenes import (
    HELD_OUT,
    SIZES,
    SceneFailed,
    make_scene,
)
from mmrvos.moving_shapes.shapes import (
    SHAPES,
    coverage,
    outer_radius,
    signed_distance,
)
from mmrvos.moving_shapes.videos import SIZES as DATA_SIZES
from mmrvos.moving_shapes.videos import make_video

MINI = DATA_SIZES['mini']
ARRAY_HASHES = {
    'train':
    '3d3d2f8f826184acf115ed26d416244f5bac04de47bd999fcaef4c1a030e692b',
    'valid':
    'f7de249daaa517b7c3c4f712bc75e2d704e818b52676e341dd21787320a047a4',
}


@pytest.fixture(scope='module')
def made():
    """All videos of mini as {(split, index): Made}."""
    return {(split, i): make_video(MINI, split, i)
            for split, count in (('train', MINI.train), ('valid', MINI.valid))
            for i in range(count)}


@pytest.fixture(scope='module')
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp('shapes') / 'mini'
    generate('mini', root, workers=2, progress=False)
    return root


def every(made, *type_ids):
    return [(m, e) for m in made.values() for e in m.expressions
            if not type_ids or e.meaning.type_id in type_ids]


@pytest.mark.parametrize('split', ['train', 'valid'])
def test_arrays_are_the_same_everywhere(made, split):
    digest = hashlib.sha256()
    for (of, _), m in made.items():
        if of == split:
            digest.update(m.video.frames.tobytes())
            digest.update(m.video.labels.tobytes())
    assert digest.hexdigest() == ARRAY_HASHES[split]


def test_draws_are_the_same_everywhere():
    rng = RandomStream(1, 2, 3)
    assert [rng.integer(1000) for _ in range(4)] == [670, 111, 511, 356]
    assert rng.bytes(3).tolist() == [247, 242, 11]


def test_no_array_depends_on_the_number_of_processes(tree, tmp_path):
    generate('mini', tmp_path / 'one', workers=1, progress=False)
    files = sorted(p.relative_to(tree) for p in tree.rglob('*')
                   if p.is_file())
    assert len(files) == 12 * 8 * 2 + 2 * 3 + 1
    for file in files:
        assert (tree / file).read_bytes() == (
            tmp_path / 'one' / file).read_bytes(), file


def test_layout_is_that_of_ref_youtube_vos(tree, made):
    for split, count in (('train', 8), ('valid', 4)):
        said = json.loads((tree / 'meta_expressions' / split
                           / 'meta_expressions.json').read_text())['videos']
        meta = json.loads((tree / split / 'meta.json').read_text())['videos']
        assert len(said) == len(meta) == count
        for (name, video), m in zip(
                said.items(), (made[split, i] for i in range(count)),
                strict=True):
            assert video['frames'] == [f'{t:05d}' for t in range(8)]
            objects = meta[name]['objects']
            for t, frame in enumerate(video['frames']):
                image = Image.open(
                    tree / split / 'JPEGImages' / name / f'{frame}.jpg')
                pixels = np.asarray(image).astype(int)
                assert pixels.shape == (64, 112, 3)
                assert abs(pixels - m.video.frames[t]).mean() < 5
                label = Image.open(
                    tree / split / 'Annotations' / name / f'{frame}.png')
                assert label.mode == 'P'
                assert (np.asarray(label) == m.video.labels[t]).all()
                assert {str(i) for i in np.unique(label) if i} == {
                    k for k, o in objects.items() if frame in o['frames']}
            for e in video['expressions'].values():
                assert set(e) == {'exp', 'obj_id', 'type_id', 'length'}
                assert e['obj_id'] in objects
                assert e['type_id'] in TYPES
                assert e['length'] in ('short', 'long')


def test_every_expression_means_one_object(made):
    for m, e in every(made):
        evaluator = MeaningEvaluator(m.facts)
        assert evaluator.fits(e.meaning).only == e.meaning.target, e.text
        assert evaluator.check(e.meaning), e.text


def test_every_type_is_there_and_no_sentence_comes_twice(made):
    for split in ('train', 'valid'):
        types = Counter(e.meaning.type_id for (of, _), m in made.items()
                        if of == split for e in m.expressions)
        assert set(types) == set(TYPES)
    for m in made.values():
        texts = [e.text for e in m.expressions]
        assert len(texts) == len(set(texts))


def test_long_forms_are_longer(made):
    lengths = {'short': [], 'long': []}
    for _, e in every(made):
        lengths[e.length].append(len(e.text.split()))
    assert np.mean(lengths['long']) > np.mean(lengths['short']) + 3
    assert 0.4 < len(lengths['long']) / sum(map(len, lengths.values())) < 0.6


def test_vocabulary_is_small_and_closed(made):
    assert len(VOCABULARY) < 150
    assert list(VOCABULARY) == sorted(set(VOCABULARY))
    assert all(w.isalpha() and w.islower() for w in VOCABULARY)
    for _, e in every(made):
        assert set(e.text.split()) <= set(VOCABULARY), e.text


def test_words_say_the_meaning(made):
    for m, e in every(made):
        words = set(e.text.split())
        for word in e.meaning.words:
            names = {*grammar.ADJECTIVES.get(word, ()),
                     *grammar.NOUNS.get(word, ()),
                     *grammar.WITH.get(word, '').split()}
            assert words & names, (e.text, word)
        for part in e.meaning.parts:
            if part.kind == 'relation':
                anchor = m.scene.objects[part.anchor].look.shape
                assert words & set(grammar.NOUNS[anchor]), e.text
            for side in ('left', 'right'):
                if side in part.name.split():
                    assert any(side in w for w in words), e.text


# ---- what blind models cannot do

def test_static_oracle_is_at_half_on_motion(made):
    """Without motion exactly two objects fit, and they look the same."""
    found = every(made, 'motion-extent', 'motion-order')
    assert len(found) > 50
    for m, e in found:
        chosen = [i for i in range(m.facts.count)
                  if e.oracles.static >> i & 1]
        assert len(chosen) == 2 and e.meaning.target in chosen
        a, b = (m.scene.objects[i] for i in chosen)
        assert a.look == b.look


def test_set_oracle_is_at_half_on_motion_order_only(made):
    for _, e in every(made, 'motion-order'):
        assert e.oracles.set == e.oracles.static
    for _, e in every(made, 'motion-extent', 'appearance', 'position'):
        assert e.oracles.set == 1 << e.meaning.target


def backwards(m):
    scene = replace(m.scene, objects=tuple(
        replace(o, path=o.path.reversed()) for o in m.scene.objects))
    return Facts(scene, m.video.labels[::-1], m.video.amodal_masks[:, ::-1])


def test_order_sentences_mean_the_twin_when_the_video_runs_backwards(made):
    """The same frames in another order, another answer."""
    for m in made.values():
        evaluator = MeaningEvaluator(backwards(m))
        for e in m.expressions:
            if e.meaning.type_id == 'motion-order':
                twin = evaluator.fits(e.meaning).only
                assert twin is not None and twin != e.meaning.target, e.text
                assert e.oracles.static == (1 << twin
                                            | 1 << e.meaning.target)
            elif e.meaning.type_id == 'motion-extent':
                assert evaluator.fits(e.meaning).only == e.meaning.target


def test_each_core_part_of_a_mixed_sentence_is_needed(made):
    for m, e in every(made, 'mixed'):
        assert len(e.meaning.core) >= 2
        for category in e.meaning.core:
            rest = MeaningEvaluator(m.facts).fits(e.meaning, without=category)
            assert rest.sure & ~(1 << e.meaning.target), (e.text, category)


def test_the_largest_object_is_no_good_guess():
    hits, chances = {}, {}
    for i in range(50):
        m = make_video(MINI, 'train', 100 + i)
        largest = m.facts.areas.sum(1).argmax()
        for type_id, target in sorted(
                {(e.meaning.type_id, e.meaning.target)
                 for e in m.expressions}):
            hits.setdefault(type_id, []).append(target == largest)
            chances.setdefault(type_id, []).append(1 / m.facts.count)
    for type_id in TYPES:
        gap = np.mean(hits[type_id]) - np.mean(chances[type_id])
        assert abs(gap) < 0.12, (type_id, gap)


def test_held_out_pairs_appear_in_validation_only():
    def pairs(split):
        found = Counter()
        for i in range(150):
            try:
                scene = make_scene((9, i), 8, 1.75, split == 'valid')
            except SceneFailed:
                continue
            found.update((o.colour, o.shape) for o in scene.objects)
        return found
    train, valid = pairs('train'), pairs('valid')
    assert not set(HELD_OUT) & set(train)
    assert set(HELD_OUT) <= set(valid)
    assert 0.15 < sum(valid[p] for p in HELD_OUT) / valid.total() < 0.6
    assert len(train) == 48 - len(HELD_OUT)


# ---- parts

@pytest.mark.parametrize('shape', SHAPES)
def test_shapes_have_the_area_of_their_size(shape):
    y, x = np.mgrid[-60:60, -60:60] + 0.5
    radius = 40.0
    outer = radius * outer_radius(shape)
    distance = signed_distance(shape, x, y, np.float64(outer))
    assert abs(coverage(distance).sum() / (np.pi * radius**2) - 1) < 0.01
    farthest = np.sqrt(x**2 + y**2)[distance < 0].max()
    assert outer - 3 < farthest <= outer + 1e-6


def test_sizes_lie_a_factor_of_two_apart():
    areas = [radius**2 for radius in SIZES.values()]
    for small, large in zip(areas, areas[1:], strict=False):
        assert large * 0.98**2 / (small * 1.02**2) > 2


@pytest.mark.parametrize('frames', [8, 16, 32])
@pytest.mark.parametrize('kind,forward,reversed_', [
    ('still', 'still', 'still'), ('round', 'round', 'round'),
    ('zigzag', 'zigzag', 'zigzag'), ('bounce', 'bounce', 'bounce'),
    ('round', 'clockwise', 'anticlockwise'), ('halt', 'stops', 'waits'),
    ('line', 'heads down', 'heads up'), ('speed', 'faster', 'slower'),
    ('grow', 'grows', 'shrinks'), ('late', 'late', 'early')])
def test_motions_are_recognised(kind, forward, reversed_, frames):
    facts = {**EXTENT_FACTS, **ORDER_FACTS}
    for seed in range(10):
        drawn = random_path(kind, frames, RandomStream(seed), 0.25, (0.3, 0.5))
        for path, name in ((drawn, forward), (drawn.reversed(), reversed_)):
            assert facts[name](Motion(path, path.present)) == YES
            if forward != reversed_:
                other = ({forward, reversed_} - {name}).pop()
                assert facts[other](Motion(path, path.present)) == -1


MIRRORED = [
    (swap_left_right, {'left': 'right', 'leftmost': 'rightmost',
                       'clockwise': 'anticlockwise'}),
    (swap_up_down, {'top': 'bottom', 'up': 'down', 'above': 'below',
                    'topmost': 'bottommost',
                    'clockwise': 'anticlockwise'}),
]


@pytest.mark.parametrize('swap,names', MIRRORED)
def test_flipped_words_say_the_mirrored_meaning(swap, names):
    """In every table, for every name: synonyms map onto synonyms."""
    names = names | {b: a for a, b in names.items()}

    def forms(entry):
        if isinstance(entry, str):
            return swap(entry)
        return tuple(forms(e) for e in entry)

    for table in (grammar.SUPERLATIVES, grammar.REGIONS, grammar.TIMES,
                  grammar.EXTENT, grammar.ORDER, grammar.WAYS,
                  grammar.RELATIONS, grammar.AND_THEN, grammar.NOUNS,
                  grammar.ADJECTIVES):
        for name, entry in table.items():
            other = ' '.join(names.get(w, w) for w in name.split())
            assert forms(entry) == table[other], name


@pytest.mark.parametrize('axis,names', [(0, MIRRORED[0][1]),
                                        (1, MIRRORED[1][1])])
def test_mirrored_videos_swap_the_facts(made, axis, names):
    names = names | {b: a for a, b in names.items()}

    def other(name):
        return ' '.join(names.get(w, w) for w in name.split())

    for m in list(made.values())[:4]:
        size = [m.scene.aspect, 1.0][axis]
        flip = [1, 1]
        flip[axis] = -1
        scene = replace(m.scene, objects=tuple(
            replace(o, path=replace(
                o.path, centres=o.path.centres * flip
                + [size * (1 - axis), axis * size]))
            for o in m.scene.objects))
        back = np.s_[..., ::-1] if axis == 0 else np.s_[..., ::-1, :]
        facts = Facts(scene, m.video.labels[back], m.video.amodal_masks[back])
        for (name, when), found in m.facts.region.items():
            assert facts.region[other(name), when] == found
        for name, found in m.facts.order.items():
            assert facts.order[other(name)] == found, name
        for name, found in m.facts.extent.items():
            assert facts.extent[name] == found, name
        for (name, anchor), found in m.facts.relation.items():
            assert facts.relation[other(name), anchor] == found, name


def test_the_generator_imports_no_other_part_of_the_package():
    files = sorted(Path(grammar.__file__).parent.glob('*.py'))
    assert len(files) > 5
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.level < 2, path
            if isinstance(node, (ast.ImportFrom, ast.Import)):
                names = [alias.name for alias in node.names]
                names.append(getattr(node, 'module', None) or '')
                assert not any(n.startswith('mmrvos') for n in names), path


# ---- making the tree

def test_an_unknown_size_is_refused(tmp_path):
    with pytest.raises(ValueError, match="'tiny' is unknown; choose from"):
        generate('tiny', tmp_path / 'x')
    assert not list(tmp_path.iterdir())


def test_somebody_elses_folder_is_left_alone(tmp_path):
    (tmp_path / 'notes').mkdir()
    (tmp_path / 'notes' / 'mine.txt').write_text('mine')
    for make in (lambda: generate('mini', tmp_path / 'notes'),
                 lambda: ensure(tmp_path / 'notes', 'mini')):
        with pytest.raises(FileExistsError, match='is not empty'):
            make()
    assert [p.name for p in (tmp_path / 'notes').iterdir()] == ['mine.txt']


def test_a_failure_leaves_nothing_behind(tmp_path, monkeypatch):
    def fail(*args):
        raise OSError('disk full')
    module = importlib.import_module(
        'mmrvos.moving_shapes.generate')
    monkeypatch.setattr(module, '_write_video', fail)
    with pytest.raises(OSError, match='disk full'):
        module.generate('mini', tmp_path / 'x', workers=1, progress=False)
    assert not list(tmp_path.iterdir())


def test_stale_data_is_made_anew(tree, tmp_path, capfd):
    root = tmp_path / 'mini'
    root.mkdir()
    (root / VERSION_FILE).write_text(
        json.dumps({'version': VERSION - 1, 'size': 'mini'}))
    ensure(root, 'mini', workers=1)
    assert 'made anew' in capfd.readouterr().err
    assert json.loads((root / VERSION_FILE).read_text()) == {
        'version': VERSION, 'size': 'mini'}
    before = (root / VERSION_FILE).stat().st_mtime_ns
    ensure(root, 'mini')
    assert (root / VERSION_FILE).stat().st_mtime_ns == before


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes()
            for p in folder.rglob('*') if p.is_file()}


def test_a_single_split(tmp_path, tree):
    """Validation videos alone, then both splits, on first use."""
    root = tmp_path / 'mini'
    ensure(root, 'mini', workers=1, splits=['valid'])
    assert not (root / 'train').exists()
    assert contents(root / 'valid') == contents(tree / 'valid')
    before = (root / VERSION_FILE).stat().st_mtime_ns
    ensure(root, 'mini', workers=1, splits=['valid'])
    assert (root / VERSION_FILE).stat().st_mtime_ns == before
    ensure(root, 'mini', workers=1)
    assert contents(root) == contents(tree)
    ensure(root, 'mini', workers=1, splits=['valid'])
    assert (root / 'train').exists()
    with pytest.raises(ValueError, match="splits=.'test'.: expected some of"):
        generate('mini', tmp_path / 'x', splits=['test'])


def _ensure(root, results):
    ensure(root, 'mini', workers=1)
    results.put((root / VERSION_FILE).stat().st_ino)


def test_two_processes_make_it_once(tmp_path):
    context = multiprocessing.get_context('fork')
    results = context.Queue()
    processes = [
        context.Process(target=_ensure, args=(tmp_path / 'mini', results))
        for _ in range(2)]
    for process in processes:
        process.start()
    found = {results.get(timeout=60) for _ in processes}
    for process in processes:
        process.join()
    assert len(found) == 1
    assert [p.name for p in tmp_path.iterdir() if p.is_dir()] == ['mini']


def test_killed_maker_blocks_nobody(tmp_path):
    """Its workers end with it, so the next one gets the lock."""
    root = tmp_path / 'mini'
    command = [
        sys.executable, '-c', 'import sys; from mmrvos.moving_shapes import '
        "ensure; ensure(sys.argv[1], 'mini', workers=2)",
        str(root)
    ]
    first = subprocess.Popen(
        command, cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL)
    while not list(tmp_path.rglob('*.jpg')):
        assert first.poll() is None
        time.sleep(0.01)
    assert not root.exists()
    first.kill()
    first.wait()
    ensure(root, 'mini', workers=2)
    assert (root / VERSION_FILE).exists()
    # nothing is left of the first one
    assert sorted(p.name for p in tmp_path.iterdir()) == ['.mini.lock', 'mini']


def test_a_running_maker_keeps_its_folder(tree, tmp_path, monkeypatch):
    """Two calls of generate on one folder: the slower one is content."""
    module = importlib.import_module('mmrvos.moving_shapes.generate')
    fill = module._fill

    def fill_twice(size, seed, root, workers, progress, splits):
        monkeypatch.setattr(module, '_fill', fill)
        generate(size, tmp_path / 'mini', workers, progress)
        fill(size, seed, root, workers, progress, splits)

    monkeypatch.setattr(module, '_fill', fill_twice)
    generate('mini', tmp_path / 'mini', workers=1, progress=False)
    assert [p.name for p in tmp_path.iterdir()] == ['mini']
    assert (tmp_path / 'mini' / VERSION_FILE).exists()


@pytest.mark.parametrize(('mark', 'error', 'message'), [
    ({'version': VERSION, 'size': 'small'}, ValueError,
     "'small'.* If .* is meant, .*train_dataloader.dataset.size=small"),
    ({'version': VERSION - 1, 'size': 'small'}, ValueError, "'small'"),
    ({'version': VERSION + 1, 'size': 'mini'}, ValueError,
     f"'version': {VERSION + 1}"),
    ({'version': VERSION - 1, 'size': 'mini'}, FileExistsError, 'notes.txt'),
    ({'version': VERSION}, ValueError, f'{VERSION_FILE} is damaged'),
    ([], ValueError, f'{VERSION_FILE} is damaged'),
])
def test_what_may_not_be_replaced_is_kept(tmp_path, mark, error, message):
    (tmp_path / 'notes.txt').write_text('mine')
    (tmp_path / VERSION_FILE).write_text(json.dumps(mark))
    with pytest.raises(error, match=message):
        ensure(tmp_path, 'mini', workers=1)
    assert (tmp_path / 'notes.txt').read_text() == 'mine'


def test_another_seed_gives_fresh_videos(tmp_path, tree):
    root = tmp_path / 'fresh'
    generate('mini', root, workers=1, progress=False, seed=3)
    frame = 'JPEGImages/shapes_train_0000/00000.jpg'
    assert (root / 'train' / frame).read_bytes() != (
        tree / 'train' / frame).read_bytes()
    again = make_video(MINI, 'train', 0, seed=3)
    mask = root / 'train/Annotations/shapes_train_0000/00000.png'
    np.testing.assert_array_equal(
        np.array(Image.open(mask)), again.video.labels[0])
    # used as it is, and made again with its seed
    before = (root / VERSION_FILE).stat().st_mtime_ns
    assert ensure(root, 'mini') == root
    assert (root / VERSION_FILE).stat().st_mtime_ns == before
    (root / VERSION_FILE).write_text(
        json.dumps({'version': VERSION - 1, 'size': 'mini', 'seed': 3}))
    frame_bytes = (root / 'train' / frame).read_bytes()
    ensure(root, 'mini', workers=1)
    assert (root / 'train' / frame).read_bytes() == frame_bytes
    assert json.loads((root / VERSION_FILE).read_text())['seed'] == 3


def test_negative_seed(tmp_path):
    with pytest.raises(ValueError, match='seed=-1'):
        generate('mini', tmp_path / 'mini', seed=-1)


def test_no_workers(tmp_path):
    with pytest.raises(ValueError, match='workers=0'):
        generate('mini', tmp_path / 'mini', workers=0)
    assert not list(tmp_path.iterdir())

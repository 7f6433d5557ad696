"""Golden cases of whole benchmarks: data sets and predictions as files.

Each case is scored from its files, and by the metric as during testing.
"""
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from mmrvos.datasets import BaseRVOSDataset
from mmrvos.evaluation import (
    ExpressionMetric,
    InterRVOSMetric,
    InterRVOSTargetMetric,
    LongRVOSMetric,
    MeViSMetric,
    RefSAVMetric,
    ReVOSMetric,
    YoURVOSMetric,
)
from mmrvos.evaluation.functional import span_values
from mmrvos.evaluation.missing import Fault
from mmrvos.evaluation.offline.benchmarks import benchmark_dataset, make_scorer
from mmrvos.evaluation.offline.predictions import (
    PredictionError,
    PredictionFiles,
)
from mmrvos.evaluation.offline.readers import RLEReader, base_sample
from mmrvos.evaluation.offline.scoring import known_expressions, score_all

from .case import Case
from .evaluation import assert_close, encode

Records = dict[tuple[str, str], dict]
Result = tuple[Records, dict[str, float]]
ReadMask = Callable[[str, str, str, tuple[int, int]], dict | Fault]


@contextmanager
def unpacked(case: Case) -> Iterator[Path]:
    """Write the inputs of a case, which are files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in case.inputs.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data.tobytes())
        yield Path(folder)


def from_files(dataset: BaseRVOSDataset, metric: ExpressionMetric,
               pred: Path) -> Result:
    records = [
        record for scored in score_all(make_scorer(dataset, metric, pred))
        for record in scored.records
    ]
    return _result(metric, [records])


def while_testing(dataset: BaseRVOSDataset, metric: ExpressionMetric,
                  read: ReadMask) -> Result:
    for index in range(len(dataset)):
        sample = base_sample(dataset.get_data_info(index))
        size = sample['mask_source'].read((), 0).shape
        sample['pred'] = dict(masks=[[
            read(sample['video_id'], exp_id, frame, size)
            for frame in sample['frame_names']
        ] for exp_id in sample['exp_ids']])
        metric.process(None, [sample])
    return _result(metric, metric.results)


def _result(metric: ExpressionMetric, results: list[list[dict]]) -> Result:
    by_id = {(r['video_id'], r['exp_id']): r
             for records in results for r in records}
    return by_id, metric.compute_metrics(results)


def grey_masks(pred: Path, needed: str | None = None) -> ReadMask:
    """Read PNGs as the official scripts do, as RLEs.

    Args:
        pred: folder of ``<video>/<expression>/<frame>.png``.
        needed: frame without whose file an expression counts as missing.
    """
    files = PredictionFiles(pred)

    def read(video: str, exp_id: str, frame: str,
             size: tuple[int, int]) -> dict | Fault:
        folder = f'{video}/{exp_id}'
        if f'{folder}/{frame}.png' not in files:
            return Fault.MISSING
        if needed and f'{folder}/{needed}.png' not in files:
            return Fault.UNUSABLE
        mask = files.grey(f'{folder}/{frame}.png') != 0
        return encode(mask) if mask.shape == size else Fault.UNUSABLE

    return read


def compare(case: Case, records: Records, expected: np.ndarray,
            names: Sequence[str], values: Callable[[dict], Sequence[float]],
            skip: Callable[[int], bool] = lambda i: False) -> None:
    """Compare expressions with the rows of a table.

    Args:
        records: of the expressions that are scored.
        expected: (expressions, len(names)), NaN for those left out.
        values: gives the numbers of a record.
        skip: whether an expression is not compared.
    """
    for i, (video, exp_id) in enumerate(case.meta['expressions']):
        if skip(i):
            continue
        record = records.get((video, exp_id))
        if np.isnan(expected[i]).all():
            assert record is None, f'{video} {exp_id} is not left out'
            continue
        assert record is not None, f'{video} {exp_id} is left out'
        assert_close(values(record), expected[i], 1e-9,
                     f'{video} {exp_id}: {names}')


def means(*names: str) -> Callable[[dict], list[float]]:
    return lambda record: [np.mean(record[name]) for name in names]


def complete(case: Case, read: ReadMask, dataset: BaseRVOSDataset,
             fault: tuple[Fault, ...]) -> set[int]:
    """Indices of the expressions without any of the given faults."""
    indices = {tuple(x): i for i, x in enumerate(case.meta['expressions'])}
    found = set()
    for index in range(len(dataset)):
        sample = base_sample(dataset.get_data_info(index))
        size = sample['mask_source'].read((), 0).shape
        for exp_id in sample['exp_ids']:
            masks = [read(sample['video_id'], exp_id, frame, size)
                     for frame in sample['frame_names']]
            if not any(mask in fault for mask in masks):
                found.add(indices[sample['video_id'], exp_id])
    return found


# ---------------------------------------------------------------------- ReVOS


def revos_protocol(case: Case) -> None:
    """VISA's script on grey values and on 0/1, Sa2VA's, and masks as sets."""
    out, meta = case.outputs, case.meta
    measures = ('J', 'F', 'A', 'R')

    def names_objects_without_a_target(i: int) -> bool:
        """Here hallucinations have no target, whatever objects they list;
        they are in no row of the official table."""
        return meta['type_id'][i] == 2 and _names_objects(case, i)

    with unpacked(case) as folder:
        pred = folder / 'pred'
        read = grey_masks(pred)
        foreground = folder / 'gt/mask_dict_foreground.json'
        for options in (dict(), dict(foreground_file=str(foreground))):
            dataset = benchmark_dataset('revos', folder / 'gt')
            visa = ReVOSMetric(protocol='visa', missing='official', **options)
            records, summary = from_files(dataset, visa, pred)
            compare(case, records, out['visa/per_expression'], measures,
                    means(*measures), names_objects_without_a_target)
            _rows(case, summary, out['visa/table'], ('referring', 'reason'),
                  ('J', 'F', 'J&F', 'A', 'R'))
            _frames(case, records, 'visa/frames', measures,
                    names_objects_without_a_target)
        # RLEs of a model have no grey values: they count 255 per pixel
        records, summary = while_testing(
            dataset, ReVOSMetric(protocol='visa', missing='official'), read)
        black_white = _black_and_white(case, PredictionFiles(pred))
        compare(case, records, out['visa/per_expression'], measures,
                means(*measures),
                lambda i: i not in black_white or
                names_objects_without_a_target(i))
        failed = {tuple(x.rsplit('_', 1))
                  for x in meta['failed'] + meta['missing_video']}
        dropped = out['binary/per_expression'].copy()
        for i, expression in enumerate(meta['expressions']):
            if tuple(expression) in failed:
                dropped[i] = np.nan
        for score, source in ((from_files, pred), (while_testing, read)):
            sa2va = ReVOSMetric(protocol='sa2va', missing='official')
            records, summary = score(dataset, sa2va, source)
            compare(case, records, dropped, measures, means(*measures),
                    names_objects_without_a_target)
            _rows(case, summary, out['sa2va/table'], ('referring', 'reason'),
                  ('J', 'F', 'J&F', 'A', 'R'))
            union = ReVOSMetric(missing='official')
            records, _ = score(dataset, union, source)
            compare(case, records, out['clean/per_expression'], 'AR',
                    means('A', 'R'), names_objects_without_a_target)
            compare(case, records, out['visa/per_expression'][:, :2], 'JF',
                    means('J', 'F'), names_objects_without_a_target)
        # forms of the files on which the official code fails
        gt = folder / 'gt'
        for changed in ('gt_uncompressed/mask_dict.json',
                        'gt_int_ids/meta_expressions_valid_.json'):
            (folder / changed).rename(gt / Path(changed).name)
            again, _ = from_files(
                benchmark_dataset('revos', gt),
                ReVOSMetric(missing='official'), pred)
            assert again.keys() == records.keys()
            for key, record in again.items():
                assert_close(means(*measures)(record),
                             means(*measures)(records[key]), 0, str(key))


def _names_objects(case: Case, i: int) -> bool:
    content = json.loads(
        case.inputs['gt/meta_expressions_valid_.json'].tobytes())
    video, exp_id = case.meta['expressions'][i]
    return bool(content['videos'][video]['expressions'][exp_id]['anno_id'])


def _black_and_white(case: Case, files: PredictionFiles) -> set[int]:
    """Indices of the expressions whose PNGs hold the grey values 0 and 255
    only; damaged ones count as such."""
    found = set()
    for i, expression in enumerate(case.meta['expressions']):
        start = '/'.join(expression) + '/'
        values = {v for path in files.paths if path.startswith(start)
                  for v in np.unique(files.grey(path)).tolist()}
        if values <= {0, 255}:
            found.add(i)
    return found


def _rows(case: Case, summary: dict[str, float], table: np.ndarray,
          rows: Sequence[str], columns: Sequence[str]) -> None:
    """Compare the rows of a table in percent, the total last."""
    for row, name in zip(table, (*(f'/{r}' for r in rows), ''), strict=True):
        assert_close([summary[f'{c}{name}'] for c in columns], row, 1e-7,
                     f'row {name or "total"}')


def _frames(case: Case, records: Records, prefix: str, names: Sequence[str],
            skip: Callable[[int], bool] = lambda i: False) -> None:
    for key, expected in case.outputs.items():
        if key.startswith(f'{prefix}/'):
            i = int(key.rpartition('/')[2])
            if not skip(i):
                record = records[tuple(case.meta['expressions'][i])]
                assert_close([record[n] for n in names], expected, 1e-9, key)


# ---------------------------------------------------------------------- MeViS


def mevis_protocol(case: Case) -> None:
    """The official script, and what it leaves out as 0."""
    out = case.outputs
    official = out['official/per_expression']

    def total(summary: dict[str, float]) -> list[float]:
        return [summary[name] / 100 for name in ('J', 'F', 'J&F')]

    with unpacked(case) as folder:
        dataset = benchmark_dataset('mevis', folder / 'gt')
        read = grey_masks(folder / 'pred', needed='00000')
        for score, source in ((from_files, folder / 'pred'),
                              (while_testing, read)):
            records, summary = score(
                dataset, MeViSMetric(missing='official'), source)
            compare(case, records, official, 'JF', means('J', 'F'))
            assert_close(total(summary), out['official/printed'], 1e-9,
                         'printed')
            _frames(case, records, 'official/frames', 'JF')
        _, summary = while_testing(dataset, MeViSMetric(), read)
        assert_close(total(summary), out['zero_for_missing'], 1e-9, 'zero')
        # By default files need not be called 00000.png, and a palette PNG
        # counts by its indices.
        records, _ = from_files(dataset, MeViSMetric(), folder / 'pred')
        files = PredictionFiles(folder / 'pred')
        whole = complete(case, grey_masks(folder / 'pred'), dataset,
                         (Fault.MISSING, Fault.UNUSABLE))
        compare(case, records, np.nan_to_num(official), 'JF', means('J', 'F'),
                lambda i: (np.isnan(official[i]).all() and i in whole
                           ) or _coloured(files, case.meta['expressions'][i]))
        _other_forms(case, folder, records)


def _coloured(files: PredictionFiles, expression: Sequence[str]) -> bool:
    """Whether colours and palette indices of a prediction say different
    things."""
    start = '/'.join(expression) + '/'
    for path in files.paths:
        if path.startswith(start):
            try:
                if ((files.grey(path) != 0) != files.mask(path)).any():
                    return True
            except PredictionError:
                return False
    return False


def _other_forms(case: Case, folder: Path, records: Records) -> None:
    """Lists of counts and numbers as anno_id give the same numbers."""
    gt = folder / 'gt'
    for changed in ('gt_uncompressed', 'gt_int_ids'):
        for path in (folder / changed).rglob('*.json'):
            path.rename(gt / path.relative_to(folder / changed))
        again, _ = from_files(benchmark_dataset('mevis', gt), MeViSMetric(),
                              folder / 'pred')
        for key, record in again.items():
            assert_close(means('J', 'F')(record),
                         means('J', 'F')(records[key]), 0, str(key))


# ------------------------------------------------------------------ Long-RVOS


def long_rvos_protocol(case: Case) -> None:
    """The four official scripts; a list of objects is their union here."""
    out, meta = case.outputs, case.meta
    rows = out['official/per_expression'].copy()
    unions = {key.rpartition('/')[2]: value for key, value in out.items()
              if key.startswith('union/')}
    for i, row in unions.items():
        rows[int(i)] = row
    types = [meta['type_names'].get(t) for t in meta['type']]
    columns = ('J', 'F', 'tIoU', 'vIoU')

    def check_table(summary: dict[str, float], rows: np.ndarray) -> None:
        groups = {f'/{name}': [i for i, t in enumerate(types) if t == name]
                  for name in meta['type_names'].values()}
        groups[''] = [i for i, t in enumerate(types) if t is not None]
        for name, inds in groups.items():
            expected = np.nanmean(rows[inds], axis=0)
            assert_close([summary[f'{c}{name}'] / 100 for c in columns],
                         expected, 1e-9, f'row {name}')
            assert_close(summary[f'J&F{name}'] / 100, expected[:2].mean(),
                         1e-9, f'J&F {name}')

    def numbers(record: dict) -> list[float]:
        return [*means('J', 'F')(record), *span_values(record)]

    def unscored(i: int) -> bool:
        return types[i] is None

    with unpacked(case) as folder:
        dataset = benchmark_dataset('long_rvos', folder / 'data/long_rvos')
        pred = folder / meta['predictions']
        for score, source in ((from_files, pred),
                              (while_testing, grey_masks(pred))):
            records, summary = score(
                dataset, LongRVOSMetric(missing='official'), source)
            compare(case, records, rows, columns, numbers, unscored)
            check_table(summary, rows)
            _frames(case, records, 'official/frames', 'JF',
                    lambda i: str(i) in unions)
            records, summary = score(dataset, LongRVOSMetric(), source)
            zeros = np.nan_to_num(rows)
            compare(case, records, zeros, columns, numbers, unscored)
            check_table(summary, zeros)
    # the stored tables are means of the stored rows
    stored = out['official/per_expression']
    for name in meta['type_names'].values():
        inds = [i for i, t in enumerate(types) if t == name]
        assert_close(np.nanmean(stored[inds], axis=0),
                     out[f'official/{name}'][[0, 1, 3, 4]], 1e-9, name)
        assert_close(np.nan_to_num(stored[inds]).mean(axis=0),
                     out[f'zero_for_missing/{name}'][[0, 1, 3, 4]], 1e-9,
                     name)


# -------------------------------------------------------------------- Ref-SAV


def ref_sav_protocol(case: Case) -> None:
    """Sa2VA's script on JSON predictions."""
    out = case.outputs
    official = out['official/per_expression']
    with unpacked(case) as folder:
        dataset = benchmark_dataset('ref_sav', folder / 'gt')
        pred = folder / 'pred/results.json'
        metric = RefSAVMetric(protocol='sa2va', missing='official')
        records, summary = from_files(dataset, metric, pred)
        compare(case, records, official, 'JFA', means('J', 'F', 'A'))
        _rows(case, summary, out['official/table'], ('long', 'short'),
              ('J', 'F', 'J&F', 'A'))
        metric = RefSAVMetric(protocol='sa2va', missing='official')
        reader = RLEReader(pred, known_expressions(dataset),
                           metric.missing_rule)
        for index in range(len(dataset)):
            for sample in reader.samples(dataset.get_data_info(index), []):
                metric.process(None, [sample])
        assert metric.compute_metrics(metric.results) == summary
        zero = RefSAVMetric(protocol='sa2va')
        records, _ = from_files(dataset, zero, pred)
        compare(case, records, np.nan_to_num(official), 'JFA',
                means('J', 'F', 'A'))


# ------------------------------------------------------------------ InterRVOS


def interrvos_protocol(case: Case) -> None:
    """The scripts for the objects that act and those that are acted upon."""
    with unpacked(case) as folder:
        for name, benchmark, metric in (
            ('actor', 'interrvos', InterRVOSMetric),
            ('target', 'interrvos_target', InterRVOSTargetMetric)):
            dataset = benchmark_dataset(benchmark, folder / 'gt')
            records, summary = from_files(
                dataset, metric(missing='official'),
                folder / 'pred/results.json')
            compare(case, records, case.outputs[f'{name}/per_expression'],
                    'JF', means('J', 'F'))
            # the script rounds to 2 decimals
            assert_close([summary[key] for key in ('J', 'F', 'J&F')],
                         case.outputs[f'{name}/final'], 0.005 + 1e-9, name)


# -------------------------------------------------------------------- YoURVOS


def yourvos_protocol(case: Case) -> None:
    """The scripts for J and F, and for tIoU."""
    out = case.outputs
    expected = out['official/per_expression'] / 100
    expressions = [tuple(x) for x in case.meta['expressions']]

    def numbers(record: dict) -> list[float]:
        return [record[name][record['counted']].mean() for name in 'JF']

    with unpacked(case) as folder:
        dataset = benchmark_dataset('yourvos', folder)
        pred = folder / 'pred'
        for score, source in ((from_files, pred),
                              (while_testing, grey_masks(pred))):
            records, summary = score(
                dataset, YoURVOSMetric(missing='official'), source)
            scored = {k for k, r in records.items() if r['has_target']}
            assert scored == set(expressions)
            compare(case, records, expected, 'JF', numbers)
            assert_close([summary[key] for key in ('J&F', 'J', 'F')],
                         out['official/global'], 1e-7, 'global')
            tiou = {tuple(key): value for key, value in zip(
                case.meta['tiou_expressions'], out['official/tiou'],
                strict=True)}
            assert_close([records[key]['tIoU'] for key in tiou],
                         list(tiou.values()), 1e-9, 'tIoU')
            assert_close(summary['tIoU'] / 100, out['official/tiou_average'],
                         1e-9, 'mean tIoU')
            # by default nothing that is missing can raise the score
            zero, total = score(dataset, YoURVOSMetric(), source)
            assert set(zero) > set(records)
            for key in zero:
                if key not in records:
                    assert numbers(zero[key]) == [0, 0]
                    assert zero[key]['tIoU'] == 0
                elif zero[key]['has_target']:
                    assert numbers(zero[key])[0] <= numbers(
                        records[key])[0] + 1e-12
            assert total['J'] < summary['J'] and total['tIoU'] < summary[
                'tIoU']


KINDS = {
    'revos_protocol': revos_protocol,
    'mevis_protocol': mevis_protocol,
    'long_rvos_protocol': long_rvos_protocol,
    'interrvos_protocol': interrvos_protocol,
    'ref_sav_protocol': ref_sav_protocol,
    'yourvos_protocol': yourvos_protocol,
}

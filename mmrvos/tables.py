"""Tables of README files and docs, made from the metafiles.

A page marks the place of a table, and everything between the two comments is
written anew::

    <!-- table: soc; Ref-YouTube-VOS -->
    <!-- end of table -->

==============================  =============================================
marker                          rows
==============================  =============================================
methods                         each method, its best number per data set
models                          all models, one table per method
METHOD; DATASET                 the models of a method with numbers on a data
                                set, without ablations
METHOD; ablations of CONFIG     a config and its ablations
DATASET                         all models with numbers of ours on a data set
DATASET; NAME, NAME, ...        these models
==============================  =============================================

METHOD is a folder of configs, CONFIG the name of a file without suffix.
"""
import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from statistics import mean

import yaml

from .downloads import web_page
from .metafiles import DATASETS
from .model_index import SOURCES, ModelEntry, Result, read_model_index
from .utils import natural_key

MARKED = re.compile(
    r'^<!-- table: ([^\n]*) -->\n(.*?)^<!-- end of table -->$',
    re.DOTALL | re.MULTILINE)
PAGES = ('README.md', 'demo/README.md', 'docs/*.md', 'configs/*/README.md')
#: Measures in the order of the columns; the first one of a result leads.
METRICS = ('J&F', 'J', 'F', 'mAP', 'oIoU', 'mIoU', 'P@0.5', 'P@0.6', 'P@0.7',
           'P@0.8', 'P@0.9')
#: Splits of Moving Shapes, in the order of the columns.
SPLITS = ('static3', 'appearance', 'position', 'relation', 'motion-extent',
          'motion-order', 'mixed', 'total', 'short', 'long')
CEILINGS = 'docs/moving_shapes_ceilings.yml'


def pages(folder: Path) -> list[Path]:
    """Return the pages of a checkout that have tables."""
    return [
        page for pattern in PAGES for page in sorted(folder.glob(pattern))
        if MARKED.search(page.read_text())
    ]


def filled(page: Path, folder: Path) -> str:
    """Return the text of a page with its tables made anew.

    Args:
        page: the page.
        folder: of the checkout.

    Raises:
        ValueError: a marker names no method, data set or model.
    """
    entries = read_model_index(folder)
    tables = Tables(entries, folder, page)

    def fill(match: re.Match) -> str:
        try:
            body = tables.make(match[1])
        except ValueError as error:
            raise ValueError(f'{page}: {error}') from None
        return (f'<!-- table: {match[1]} -->\n\n{body}\n'
                '<!-- end of table -->')

    return MARKED.sub(fill, page.read_text())


class Tables:
    """Makes the tables of a page.

    Args:
        entries: all models by name.
        folder: of the checkout.
        page: the page, to which links are relative.
    """

    def __init__(self, entries: dict[str, ModelEntry], folder: Path,
                 page: Path) -> None:
        self.entries = sorted(
            entries.values(), key=lambda entry: natural_key(entry.name))
        self.folder = folder
        self.page = page

    def make(self, marker: str) -> str:
        """Return the Markdown of a marker's table.

        Raises:
            ValueError: the marker names no method, data set or model.
        """
        what, _, which = marker.partition('; ')
        if marker == 'methods':
            return self.methods()
        if marker == 'models':
            return self.models()
        if any(what == r.dataset for e in self.entries for r in e.results):
            return self.dataset(what, which)
        models = [e for e in self.entries if method_of(e) == what]
        if not (models and which):
            raise ValueError(
                f'marker {marker!r} names no method or data set; '
                'mmrvos/tables.py lists the markers')
        if which.startswith('ablations of '):
            return self.ablations(models, which.removeprefix('ablations of '))
        models = [e for e in models if not is_ablation(e)]
        pairs = [(e, r) for e in models for r in e.results
                 if r.dataset == which]
        if not pairs:
            raise ValueError(f'no model of {what} has a result on {which!r}')
        head, rows = self.numbers(pairs)
        return markdown(
            ['config', 'numbers of', *head, 'weights'],
            [[self.link(e), whose(r), *row, self.weights(e)]
             for (e, r), row in zip(pairs, rows, strict=True)])

    def methods(self) -> str:
        """One row per method and source, one column per data set.

        The number of a model is the mean over its seeds.
        """
        best: dict[tuple[str, str], dict[str, tuple[float, str]]] = {}
        for entry in self.entries:
            if is_ablation(entry):
                continue
            numbers: dict[tuple, list[float]] = defaultdict(list)  # by seed
            for result in entry.results:
                name, value = headline(result)
                column = f'{result.dataset}, {name}'
                numbers[result.source, column, result.note].append(value)
            for (source, column, _), values in numbers.items():
                value = mean(values)
                row = best.setdefault((entry.collection, source), {})
                if column not in row or value > row[column][0]:
                    row[column] = (value, self.link(entry, f'{value:.1f}'))
        order = [*DATASETS.values()]
        columns = sorted(
            {column for row in best.values() for column in row},
            key=lambda column: (
                order.index(column.split(',')[0])
                if column.split(',')[0] in order else len(order), column))
        readme = {e.collection: f'configs/{method_of(e)}/README.md'
                  for e in self.entries}
        return markdown(
            ['method', 'numbers of', *columns],
            [[f'[{method}]({self.relative(self.folder / readme[method])})',
              source, *(row[c][1] if c in row else '' for c in columns)]
             for (method, source), row in sorted(
                 best.items(),
                 key=lambda item: (item[0][0], SOURCES.index(item[0][1])))])

    def models(self) -> str:
        """One section per method with a row for each of its models."""
        sections = []
        for collection in sorted({e.collection for e in self.entries}):
            models = [e for e in self.entries if e.collection == collection]
            readme = self.folder / 'configs' / method_of(models[0])
            rows = [[
                self.link(e), e.metadata.get('Training Data')
                or (f'as {e.weights_from}' if e.weights_from else ''),
                e.metadata.get('Test Data', ''),
                *(str(e.metadata.get(key, ''))
                  for key in ('Epochs', 'Frames', 'Batch Size')),
                '; '.join(short(r, e.metadata.get('Test Data'))
                          for r in e.results),
                self.weights(e)
            ] for e in models]
            sections += [
                f'### {collection}\n',
                f'[Description]({self.relative(readme / "README.md")}), '
                f'{len(models)} '
                f'{"models" if len(models) > 1 else "model"}.\n',
                markdown([
                    'name', 'trained on', 'tested on', 'epochs', 'frames',
                    'clips per step', 'numbers', 'weights'
                ], rows)
            ]
        return '\n'.join(sections)

    def ablations(self, models: Sequence[ModelEntry], config: str) -> str:
        """One row for a config and for each of its ablations."""
        base = [e for e in models if e.config.stem == config
                and not is_ablation(e)]
        if not base:
            raise ValueError(f'{config!r} is no config of the method')
        rows = base + [e for e in models if is_ablation(e)
                       and e.config.stem.startswith(f'{config}_')]
        dataset = base[0].metadata['Test Data']
        pairs = [(e, r) for e in rows
                 for r in [r for r in e.results if r.dataset == dataset]
                 or [Result('', dataset, {}, 'not run')]]
        compared = {m for e, r in pairs if is_ablation(e) for m in r.metrics}
        head, numbers = self.numbers(pairs, compared)
        return markdown(
            ['config', 'change', 'table', 'numbers of', *head],
            [[self.link(e, e.config.stem), e.change or '',
              str(r.table or ''), whose(r), *row]
             for (e, r), row in zip(pairs, numbers, strict=True)])

    def dataset(self, dataset: str, names: str) -> str:
        """One row for each of our results on a data set."""
        chosen = self.entries
        if names:
            by_name = {e.name: e for e in self.entries}
            wanted = names.split(', ')
            for name in wanted:
                if name not in by_name:
                    raise ValueError(f'{name!r} is no model')
            chosen = [by_name[name] for name in wanted]
        pairs = [(e, r) for e in chosen for r in e.results
                 if r.dataset == dataset and r.source == 'ours']
        head = ['config', 'seed', 'machine', 'minutes', 'clips seen',
                'parameters']
        facts = [[
            self.link(e), str(r.seed), r.training.get('Machine', ''),
            str(r.training.get('Minutes', '')),
            f'{r.training["Clips"]:,}' if 'Clips' in r.training else '',
            f'{r.training["Parameters"]} M'
            if 'Parameters' in r.training else ''
        ] for e, r in pairs]
        if not any('hit' in r.metrics for _, r in pairs):
            names, numbers = self.numbers(pairs)
            return markdown([*head, *names], [
                [*row, *more]
                for row, more in zip(facts, numbers, strict=True)])
        rows = [[*row, *by_split(r.metrics)]
                for row, (_, r) in zip(facts, pairs, strict=True)]
        known = yaml.safe_load((self.folder / CEILINGS).read_text())
        rows += [[f'ceiling: {name}', *[''] * (len(head) - 1),
                  *by_split(metrics)]
                 for name, metrics in known.get(dataset, {}).items()]
        return markdown([*head, *SPLITS], rows)

    def numbers(self, pairs: Iterable[tuple[ModelEntry, Result]],
                wanted: Collection[str] = METRICS
                ) -> tuple[list[str], list[list[str]]]:
        """Return the names and the cells of the measures of some results.

        A column has the decimals of its most precise number.
        """
        results = [result for _, result in pairs]
        head = [m for m in METRICS
                if m in wanted and any(m in r.metrics for r in results)]
        columns = []
        for metric in head:
            values = [r.metrics.get(metric) for r in results]
            places = max(len(str(float(v)).partition('.')[2])
                         for v in values if v is not None)
            columns.append(['' if v is None else f'{v:.{places}f}'
                            for v in values])
        rows = [list(row) for row in zip(*columns, strict=True)]
        return head, rows or [[] for _ in results]

    def link(self, entry: ModelEntry, text: str | None = None) -> str:
        return f'[{text or entry.name}]({self.relative(entry.config)})'

    def relative(self, path: Path) -> str:
        return Path(os.path.relpath(path, self.page.parent)).as_posix()

    def weights(self, entry: ModelEntry) -> str:
        """Say where the weights of a model come from, if there are any."""
        if entry.hub_weights:
            return ', '.join(
                f'[{repository}](https://huggingface.co/{repository})'
                for repository in entry.hub_weights)
        if entry.weights is not None:
            text, link = 'published', entry.weights
            if '://' not in link:
                link = self.relative(Path(link))
        elif entry.converted_from is not None:
            official = entry.converted_from
            text, link = 'official', web_page(official.weights)
        else:
            return ''
        return f'[{text}]({link})'


def method_of(entry: ModelEntry) -> str:
    """Return the folder of configs that a model lies in."""
    return entry.config.parts[entry.config.parts.index('configs') + 1]


def is_ablation(entry: ModelEntry) -> bool:
    return entry.config.parent.name == 'ablations'


def headline(result: Result) -> tuple[str, float]:
    """Return the leading measure of a result and its value."""
    for name in (*METRICS, *result.metrics):
        if name in result.metrics:
            return name, result.metrics[name]
    raise ValueError(f'a result on {result.dataset} has no metrics')


def whose(result: Result) -> str:
    """Say whose number it is, with its seed and note."""
    seed = f'seed {result.seed}' if result.source == 'ours' else ''
    return ', '.join(filter(None, (result.source, seed, result.note)))


def short(result: Result, tested: str | None) -> str:
    """Return the leading number of a result in a few words."""
    name, value = headline(result)
    where = '' if result.dataset == tested else f'{result.dataset} '
    return f'{where}{name} {value} ({whose(result)})'


def by_split(metrics: dict[str, float]) -> list[str]:
    """Format J&F / hit rate per split of Moving Shapes."""
    ends = ['' if split == 'total' else f'/{split}' for split in SPLITS]
    return [f'{metrics["J&F" + end]:.1f} / {metrics["hit" + end]:.0f}'
            if 'J&F' + end in metrics else '' for end in ends]


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Format a table; its columns are not aligned, which keeps diffs small.

    Columns without any content are left out.
    """
    kept = [i for i in range(len(head)) if any(row[i] for row in rows)]
    lines = [head, ['---'] * len(head), *rows]
    return ''.join(
        '| ' + ' | '.join(line[i] for i in kept) + ' |\n' for line in lines)

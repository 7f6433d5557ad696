"""Make the navigation of the site from lists of patterns.

A page that no pattern names appears in the last section, so that a new page
is never missing from the site.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the tests run without Sphinx
    from sphinx.application import Sphinx

#: section for pages that ``navigation`` does not name
OTHER = 'More'


def sections(pages: Sequence[str],
             patterns: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Sort pages into sections, in the order of the patterns.

    Args:
        pages: names of pages without suffix, such as ``docs/inference``.
        patterns: patterns of pages by section.

    Returns:
        Names of pages by section; each page once.
    """
    left = sorted(pages)
    found = {}
    for section, wanted in patterns.items():
        found[section] = []
        for pattern in wanted:
            hits = [page for page in left if fnmatchcase(page, pattern)]
            found[section] += hits
            left = [page for page in left if page not in hits]
    found.setdefault(OTHER, []).extend(left)
    return {section: names for section, names in found.items() if names}


def add_navigation(app: Sphinx, docname: str, source: list[str]) -> None:
    """Append one hidden toctree per section to the root page."""
    root = app.config.root_doc
    if docname != root:
        return
    reference = f'{app.config.autoapi_root}/mmrvos/index'
    pages = [
        page for page in app.env.found_docs - {root} if page == reference
        or not page.startswith(f'{app.config.autoapi_root}/')
    ]
    patterns = app.config.navigation
    for section, names in sections(pages, patterns).items():
        entries = '\n'.join(
            f'API reference </{name}>' if name == reference else f'/{name}'
            for name in names)
        source[0] += (f'\n\n```{{toctree}}\n:hidden:\n:caption: {section}\n\n'
                      f'{entries}\n```\n')


def setup(app: Sphinx) -> dict:
    app.add_config_value('navigation', {}, 'env')
    app.connect('source-read', add_navigation)
    return dict(version='1', parallel_read_safe=True,
                parallel_write_safe=True)

"""Show files that pages link to, such as configs, as pages of the site.

On GitHub a link such as ``[config](../configs/soc/r50.py)`` opens the file.
MyST makes it a download, and refuses a link to a folder. This extension
writes one page per linked file, with highlighted code, and one per linked
folder, with the names of its files.
"""
from collections.abc import Iterable
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

LANGUAGES = {'.py': 'python', '.sh': 'bash', '.yml': 'yaml'}
#: these stay downloads
BINARY = {'.pth', '.png', '.jpg', '.gz', '.npz', '.ipynb'}
SCHEME = 'source:'
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<link rel="stylesheet" href="{root}_static/pygments.css">
<body style="font-family: sans-serif; margin: 2em">
<p><a href="{root}index.html">mmrvos</a></p>
<h1>{title}</h1>
{body}
"""


def page_name(path: str) -> str:
    return f'source/{path}'


def mark_links(app: Sphinx, doctree: nodes.document) -> None:
    """Replace links to files and folders of the repository by marked ones."""
    root = Path(app.srcdir)
    folder = root / Path(app.env.docname).parent
    for node in list(doctree.findall()):
        if isinstance(node, addnodes.download_reference):
            path = (root / node['reftarget'].lstrip('/')).resolve()
            if not path.exists():
                path = (folder / node['reftarget']).resolve()
        elif isinstance(node, addnodes.pending_xref) and \
                node['reftype'] == 'myst':
            path = (folder / node['reftarget']).resolve()
            if not path.is_dir():
                continue
        else:
            continue
        if path.suffix in BINARY or not path.is_relative_to(root):
            continue
        relative = path.relative_to(root).as_posix()
        app.env.source_pages.add(relative)
        link = nodes.reference(
            '', '', *node.children, internal=True, refuri=SCHEME + relative)
        node.replace_self(link)


def resolve_links(app: Sphinx, doctree: nodes.document,
                  docname: str) -> None:
    for node in doctree.findall(nodes.reference):
        uri = node.get('refuri', '')
        if uri.startswith(SCHEME):
            node['refuri'] = app.builder.get_relative_uri(
                docname, page_name(uri[len(SCHEME):]))


def write_pages(app: Sphinx, exception: Exception | None) -> None:
    """Write the pages without a theme, whose navigation takes a second each.
    """
    if exception is not None or app.builder.format != 'html':
        return
    todo = sorted(app.env.source_pages)
    done = set()
    while todo:
        relative = todo.pop()
        if relative in done:
            continue
        done.add(relative)
        path, page = Path(app.srcdir, relative), page_name(relative)
        if path.is_dir():
            files = [
                p.relative_to(app.srcdir).as_posix()
                for p in sorted(path.iterdir())
                if not p.name.startswith(('.', '_')) and p.suffix not in BINARY
            ]
            todo += files
            links = []
            for name in files:
                uri = app.builder.get_relative_uri(page, page_name(name))
                text = escape(Path(name).name)
                links.append(f'<li><a href="{uri}">{text}</a></li>')
            body = f'<ul>{"".join(links)}</ul>'
        else:
            body = app.builder.highlighter.highlight_block(
                path.read_text(), LANGUAGES.get(path.suffix, 'text'))
        target = Path(app.builder.get_outfilename(page))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(PAGE.format(
            title=escape(relative), body=body,
            root='../' * page.count('/')))


def prepare(app: Sphinx) -> None:
    if not hasattr(app.env, 'source_pages'):
        app.env.source_pages = set()


def merge(app: Sphinx, env: BuildEnvironment, docnames: Iterable[str],
          other: BuildEnvironment) -> None:
    env.source_pages |= other.source_pages


def setup(app: Sphinx) -> dict:
    app.connect('builder-inited', prepare)
    # before Sphinx collects downloads, at 500
    app.connect('doctree-read', mark_links, priority=400)
    app.connect('env-merge-info', merge)
    app.connect('doctree-resolved', resolve_links)
    app.connect('build-finished', write_pages)
    return dict(version='1', parallel_read_safe=True,
                parallel_write_safe=True)

"""The documentation site: ``make docs`` builds it, with warnings as errors.

Sources are the Markdown files of the repository at their own places, so the
source folder is the root of the checkout. The API reference is read from the
code without importing it: neither torch nor mmcv is needed.
"""
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'docs' / '_extensions'))

project = 'mmrvos'
author = 'mmrvos contributors'
copyright = author
root_doc = 'README'
include_patterns = [
    'README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'docs/**',
    'configs/*/README.md', 'demo/README.md'
]
exclude_patterns = ['docs/_extensions', 'docs/_site']
extensions = [
    'myst_parser', 'sphinx.ext.napoleon', 'autoapi.extension',
    'sphinxcontrib.mermaid', 'sphinx_copybutton', 'navigation', 'source_pages'
]

# Pages of a section in this order. Other pages are in a last section.
navigation = {
    'Start': ['docs/get_started', 'demo/README', 'docs/faq',
              'docs/compatibility'],
    'Tutorials': ['docs/tutorials/your_video', 'docs/own_data', 'docs/extend',
                  'docs/tutorials/*'],
    'Guide': ['docs/command_line', 'docs/inference', 'docs/web',
              'docs/training', 'docs/datasets', 'docs/evaluation',
              'docs/tools'],
    'Models': ['docs/model_zoo', 'docs/recipes', 'configs/*/README'],
    'Benchmarks': ['docs/benchmarks', 'docs/moving_shapes'],
    'Reference': ['docs/api/mmrvos/index', 'docs/design', 'docs/reliability',
                  'CONTRIBUTING', 'CHANGELOG'],
}

myst_heading_anchors = 4  # the anchors that GitHub gives to headings
myst_fence_as_directive = ['mermaid']

autoapi_dirs = [str(ROOT / 'mmrvos')]
autoapi_ignore = ['*/.mim/*']
autoapi_file_patterns = ['*.pyi', '*.py']  # a stub names lazy imports
autoapi_root = 'docs/api'
autoapi_add_toctree_entry = False
autoapi_options = [
    'members', 'undoc-members', 'imported-members', 'show-inheritance',
    'show-module-summary'
]
napoleon_use_ivar = True

html_theme = 'furo'
html_title = 'mmrvos'
html_extra_path = ['_site']  # index.html, which opens README.html
html_copy_source = False

#: modules that are public without being packages
PUBLIC_MODULES = {
    'mmrvos.command_line', 'mmrvos.home', 'mmrvos.model_index',
    'mmrvos.models.features', 'mmrvos.registry'
}
#: packages of the command-line programs, which export nothing
INNER_PACKAGES = {'mmrvos.commands', 'mmrvos.evaluation.offline'}


def skip_member(app, what, name, obj, skip, options):
    """Show what packages export, on the page of the innermost package."""
    if what == 'module':
        return name not in PUBLIC_MODULES
    if what == 'package':
        return name in INNER_PACKAGES or None
    source = obj.obj.get('original_path', '').rpartition('.')[0]
    if source and Path(ROOT, *source.split('.')).is_dir():
        return True
    documented = obj.docstring or name.startswith('mmrvos.registry.')
    if what in ('data', 'attribute') and not documented:
        return True
    return None


def setup(app):
    app.connect('autoapi-skip-member', skip_member)

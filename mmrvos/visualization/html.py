"""Pages of tables and pictures, as HTML without scripts.

Texts from data, such as names and sentences, are escaped.
"""
import base64
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np

STYLE = '''
body { font: 15px/1.5 sans-serif; margin: 2em auto; max-width: 1100px;
       padding: 0 1em; color: #222; }
table { border-collapse: collapse; margin: 1em 0; }
th, td { padding: 3px 12px; text-align: right; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; }
figure { margin: 1.5em 0; }
figcaption b { font-size: 1.1em; }
img { max-width: 100%; border: 1px solid #ddd; }
.bar { float: left; height: 0.8em; background: #4a7fb5; }
small, .note { color: #666; }
'''


def page(title: str, *parts: str) -> str:
    """Build a page.

    Args:
        title: text.
        parts: HTML, as the other functions return it.
    """
    return ('<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
            f'\n<title>{escape(title)}</title>\n<style>{STYLE}</style>\n'
            f'</head>\n<body>\n<h1>{escape(title)}</h1>\n'
            + '\n'.join(parts) + '\n</body>\n</html>\n')


def heading(text: str, level: int = 2) -> str:
    """Build a heading."""
    return f'<h{level}>{escape(text)}</h{level}>'


def note(text: str) -> str:
    """Build a paragraph of explanation."""
    return f'<p class="note">{escape(text)}</p>'


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Build a table. Numbers with a fraction get two digits; NaN is a dash.

    Args:
        header: names of the columns.
        rows: texts and numbers; a :class:`Bar` is drawn.
    """
    cells = ''.join(f'<th>{escape(name)}</th>' for name in header)
    lines = [f'<tr>{cells}</tr>']
    for row in rows:
        cells = ''.join(f'<td>{cell(value)}</td>' for value in row)
        lines.append(f'<tr>{cells}</tr>')
    return '<table>\n' + '\n'.join(lines) + '\n</table>'


class Bar:
    """A horizontal bar in a table.

    Args:
        share: of the full width, 0 to 1.
    """

    def __init__(self, share: float) -> None:
        self.share = share


def cell(value: object) -> str:
    """Format a value of a table."""
    if isinstance(value, Bar):
        return f'<span class="bar" style="width: {20 * value.share:.2f}em">' \
               '</span>'
    if isinstance(value, float):
        return '-' if np.isnan(value) else f'{value:.2f}'
    return escape(str(value))


def figure(source: np.ndarray | str, title: str, text: str) -> str:
    """Build a picture with a caption.

    Args:
        source: (H, W, 3) uint8 RGB, stored in the page as JPEG; or the path
            of a file, relative to the page.
        title, text: of the caption.
    """
    if isinstance(source, str):
        address = quote(source)
    else:
        done, data = cv2.imencode('.jpg', source[..., ::-1],
                                  [cv2.IMWRITE_JPEG_QUALITY, 85])
        assert done
        encoded = base64.b64encode(data).decode('ascii')
        address = f'data:image/jpeg;base64,{encoded}'
    return (f'<figure>\n<img loading="lazy" alt="" src="{address}">\n'
            f'<figcaption><b>{escape(title)}</b><br>{escape(text)}'
            '</figcaption>\n</figure>')


def write_page(path: Path, content: str) -> None:
    """Write a page; its folder is created."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding='utf-8')

"""Captions in scripts that DejaVu Sans lacks."""
import warnings
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from mmrvos.visualization import draw_legend
from mmrvos.visualization.drawing import LIGHT
from mmrvos.visualization.fonts import font_for, installed_fonts


@pytest.fixture(autouse=True)
def no_memory():
    """Forget the fonts of other tests."""
    font_for.cache_clear()
    installed_fonts.cache_clear()
    yield
    font_for.cache_clear()
    installed_fonts.cache_clear()


def write_font(path: Path, text: str) -> str:
    """Write a font in which the characters of a text are full squares."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for point in ((0, 800), (800, 800), (800, 0)):
        pen.lineTo(point)
    pen.closePath()
    names = {ord(c): f'u{ord(c):04X}' for c in text}
    order = ['.notdef', *names.values()]
    builder = FontBuilder(1000)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap(names)
    builder.setupGlyf(dict.fromkeys(order, pen.glyph()))
    builder.setupHorizontalMetrics(dict.fromkeys(order, (1000, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable(dict(familyName='Test', styleName='Regular'))
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)
    return str(path)


def install(monkeypatch, *paths: str) -> None:
    """Make these the only installed fonts."""
    monkeypatch.setattr('matplotlib.font_manager.findSystemFonts',
                        lambda: list(paths))


def test_the_font_has_the_characters(tmp_path, monkeypatch):
    (tmp_path / 'Broken.ttf').write_text('no font')
    few = write_font(tmp_path / 'Few.ttf', '\u7ea2')
    most = write_font(tmp_path / 'Most.ttf', 'a\u7ea2\u8272')
    boxes = write_font(tmp_path / 'LastResort.ttf', 'a\u7ea2\u8272\u8f66')
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        install(monkeypatch, boxes, most, few, str(tmp_path / 'Broken.ttf'))
        assert font_for('\u7ea2', 16).path == few
        assert font_for('a \u7ea2\u8272', 16).path == most
        monkeypatch.setattr('mmrvos.visualization.fonts.installed_fonts',
                            lambda: pytest.fail('not needed'))
        assert font_for('r\xe9d \u043a\u0440\u0430\u0441\u043d\u044b\u0439',
                        16).path.endswith('DejaVuSans.ttf')


def test_missing_characters_are_a_warning(tmp_path, monkeypatch):
    font = write_font(tmp_path / 'One.ttf', '\u7ea2')
    install(monkeypatch, font)
    with pytest.warns(UserWarning, match='install a font .*fonts-noto-cjk'):
        assert font_for('\u7ea2\u8272', 16).path == font


def test_legends_show_every_character(tmp_path, monkeypatch):
    """A long text without blanks is cut into lines."""
    install(monkeypatch, write_font(tmp_path / 'One.ttf', '\u7ea2'))
    for count in (2, 20):
        legend = draw_legend(['\u7ea2' * count], 100, font_size=10)
        light = (legend == LIGHT).all(axis=-1)
        # a character is a square of 8 x 8 pixels, 7 fit in a line
        assert light[:, 20:].sum() == pytest.approx(64 * count, rel=0.05)

import warnings

import pytest

from mmrvos.utils import clear_errors


def test_warnings_about_the_input_are_one_line(capsys, recwarn):
    before = warnings.showwarning

    @clear_errors
    def main():
        with warnings.catch_warnings():
            warnings.simplefilter('always')
            warnings.warn('clip.mp4: 14 of 40 frames can be read',
                          stacklevel=1)
            warnings.warn('old', DeprecationWarning, stacklevel=1)

    main()
    first, *others = capsys.readouterr().err.splitlines()
    assert first == 'warning: clip.mp4: 14 of 40 frames can be read'
    assert 'test_command_line.py' in others[0]
    assert warnings.showwarning is before


def test_errors_about_the_input_are_a_message(monkeypatch):
    monkeypatch.delenv('MMRVOS_TRACEBACK', raising=False)

    @clear_errors
    def main():
        raise KeyError("there is no 'x'")

    with pytest.raises(SystemExit, match="there is no 'x'"):
        main()
    monkeypatch.setenv('MMRVOS_TRACEBACK', '1')
    with pytest.raises(KeyError):
        main()

import signal

import pytest
import torch
from torch.utils.data import DataLoader

from mmrvos.utils import clear_errors

MESSAGE = "a/00003.jpg is cut: expected an image\nValueError: not the end"


class Broken(torch.utils.data.Dataset):
    """A data set whose only sample raises an error."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> None:
        try:
            {}['another']
        except KeyError:
            raise self.error  # noqa: B904  the traceback has two parts


def message_of(function) -> str:
    with pytest.raises(SystemExit) as stop:
        clear_errors(function)()
    return stop.value.code


@pytest.mark.parametrize(
    'kind', [FileNotFoundError, KeyError, ValueError, FloatingPointError])
@pytest.mark.parametrize('num_workers', [0, 1])
def test_errors_about_the_input(kind, num_workers):
    loader = DataLoader(Broken(kind(MESSAGE)), num_workers=num_workers)
    assert message_of(lambda: list(loader)) == (
        f'error ({kind.__name__}): {MESSAGE}\n'
        '(MMRVOS_TRACEBACK=1 shows where it was raised)')


@pytest.mark.parametrize('num_workers', [0, 1])
def test_other_errors_keep_their_traceback(num_workers):
    loader = DataLoader(Broken(RuntimeError('bug')), num_workers=num_workers)
    with pytest.raises(RuntimeError, match='bug'):
        clear_errors(lambda: list(loader))()


def test_killed_worker():
    def fail():
        raise RuntimeError(
            'DataLoader worker (pid 7) is killed by signal: Killed. \nmore')

    message, _ = message_of(fail).split('\n')
    assert 'killed by signal: Killed.' in message
    assert 'num_workers' in message


def test_lost_connection():
    def fail():
        raise RuntimeError('[pair.cc:547] Connection closed by peer [::1]:9')

    message, _ = message_of(fail).split('\n')
    assert 'connection to another process was lost' in message
    assert '--resume' in message


def test_errors_of_the_system_name_the_file(tmp_path):
    path = tmp_path / 'none.txt'
    assert message_of(path.read_text).startswith(
        f'error (FileNotFoundError): {path}: No such file')


def swallow_the_interrupt():
    """Raise what MMEngine's Config makes of Ctrl-C."""
    try:
        raise KeyboardInterrupt
    except:  # noqa: E722
        raise SyntaxError('Failed to format 500 lines')  # noqa: B904


@pytest.mark.parametrize('function', [
    lambda: signal.raise_signal(signal.SIGINT), swallow_the_interrupt
])
def test_interrupts_are_one_line(function, capsys, monkeypatch, request):
    # a suite that runs in the background ignores the signal
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, handler))
    assert message_of(function) == 130
    assert capsys.readouterr().err == '\ninterrupted\n'
    monkeypatch.setenv('MMRVOS_TRACEBACK', '1')
    with pytest.raises((KeyboardInterrupt, SyntaxError)):
        clear_errors(function)()

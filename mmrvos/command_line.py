"""Messages of the programs: one line for each error about the input."""
import ast
import functools
import os
import re
import sys
import warnings
from collections.abc import Callable
from typing import NoReturn

# OSError: missing files, full disks, downloads without a network.
# FloatingPointError: a training that diverges.
USER_ERRORS = (OSError, KeyError, TypeError, ValueError, FloatingPointError)


def show_warning(message, category, filename, lineno, file=None, line=None):
    """Print a warning about the input without the line of code."""
    if category is UserWarning:
        text = f'warning: {message}\n'
    else:
        text = warnings.formatwarning(message, category, filename, lineno,
                                      line)
    (file or sys.stderr).write(text)


def clear_errors(main: Callable[[], None]) -> Callable[[], None]:
    """Print errors about the input as a message, without a traceback.

    For the ``main`` of a tool. Errors about the input end the program with
    status 1 and their message; ``MMRVOS_TRACEBACK=1`` keeps the traceback.
    Other errors are not changed. Warnings about the input are one line. Ctrl-C
    ends the program with status 130 and one line.
    """

    @functools.wraps(main)
    def wrapper() -> None:
        show, warnings.showwarning = warnings.showwarning, show_warning
        try:
            main()
        except (Exception, KeyboardInterrupt) as error:
            if os.environ.get('MMRVOS_TRACEBACK'):
                raise
            if interrupt := interrupt_of(error):
                print(f'\n{str(interrupt) or "interrupted"}', file=sys.stderr)
                sys.exit(130)
            if message := message_of(error):
                leave(type(error).__name__, message)
            raise
        finally:
            warnings.showwarning = show

    return wrapper


def interrupt_of(error: BaseException | None) -> KeyboardInterrupt | None:
    """Find the Ctrl-C that an error began with.

    A bare ``except:`` of a library can turn it into another error.
    """
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error


def message_of(error: BaseException) -> str | None:
    """Return the message of an error about the input, None for others."""
    if isinstance(error, USER_ERRORS):
        # str(KeyError) would put the message in quotes
        message = error.args[0] if isinstance(error, KeyError) else str(error)
        return with_notes(of_worker(message) or of_system(error) or message,
                          error)
    if isinstance(error, RuntimeError):
        return of_worker(str(error)) or of_connection(str(error))
    return None


def leave(kind: str, message: str) -> NoReturn:
    sys.exit(f'error ({kind}): {message}\n'
             '(MMRVOS_TRACEBACK=1 shows where it was raised)')


def with_notes(message: str, error: Exception) -> str:
    """Add what the callers of the failing function know about it."""
    notes = ''.join(f' ({note})' for note in getattr(error, '__notes__', ()))
    first, *others = str(message).split('\n')
    return '\n'.join([first + notes, *others])


def of_system(error: Exception) -> str | None:
    """Put the file first in a message of the operating system.

    Returns:
        The message, or None for other errors.
    """
    if not isinstance(error, OSError) or error.filename is None:
        return None
    return f'{error.filename}: {error.strerror}'


def of_worker(message: str) -> str | None:
    """Find the message of an error that a DataLoader worker raised.

    torch raises it again with the traceback in its message.

    Returns:
        The message, or None if the error is not about the input.
    """
    if raised := re.match(r'Caught (\w+) in DataLoader worker', message):
        kind = raised[1]
        if kind in ('AssertionError', 'AttributeError', 'IndexError',
                    'RuntimeError'):
            return None
        # the last part is the error that was not handled
        last = message.split('\nTraceback (most recent call last):\n')[-1]
        _, *own = re.split(
            rf'^(?:[\w.]+\.)?{kind}: ', last, maxsplit=1, flags=re.MULTILINE)
        text = ''.join(own).strip()
        is_quoted = kind == 'KeyError' and text[:1] in ('"', "'")
        return (ast.literal_eval(text) if is_quoted else text) or None
    if re.match(r'DataLoader worker \(pid.*(exited|killed)', message):
        return (f'{message.splitlines()[0]} If memory ran out, lower '
                'num_workers or batch_size of the data loader.')
    return None


def of_connection(message: str) -> str | None:
    """Explain an error of the connection between processes.

    Returns:
        The explanation, or None for other errors.
    """
    lost = re.search(
        r'(?i)connection (was )?(closed|reset|aborted)( by peer| by remote)?|'
        r'broken pipe|remote process exited|NCCL (communicator|watchdog)|'
        r'timed out waiting|connectFullMesh failed', message)
    if lost is None:
        return None
    return (f'the connection to another process was lost ({lost[0]}): that '
            'process failed or was killed, see its own output. --resume '
            'continues from the last checkpoint')

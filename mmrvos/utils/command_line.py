import functools
import os
import sys
import warnings
from collections.abc import Callable

# OSError: missing files, full disks, downloads without a network
USER_ERRORS = (OSError, KeyError, TypeError, ValueError)


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
    Other errors are not changed. Warnings about the input are one line.
    """

    @functools.wraps(main)
    def wrapper() -> None:
        show, warnings.showwarning = warnings.showwarning, show_warning
        try:
            main()
        except USER_ERRORS as error:
            if os.environ.get('MMRVOS_TRACEBACK'):
                raise
            # str(KeyError) would put the message in quotes
            message = error.args[0] if isinstance(error,
                                                  KeyError) else str(error)
            sys.exit(f'error ({type(error).__name__}): {message}\n'
                     '(MMRVOS_TRACEBACK=1 shows where it was raised)')
        finally:
            warnings.showwarning = show

    return wrapper

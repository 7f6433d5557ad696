import functools
import os
import sys
from collections.abc import Callable

# OSError: missing files, full disks, downloads without a network
USER_ERRORS = (OSError, KeyError, TypeError, ValueError)


def clear_errors(main: Callable[[], None]) -> Callable[[], None]:
    """Say what is wrong with the input in a message, not a traceback.

    For the ``main`` of a tool. Errors that point to the input end the program
    with status 1 and their message alone; ``MMRVOS_TRACEBACK=1`` keeps the
    traceback. All others are left alone.
    """

    @functools.wraps(main)
    def wrapper() -> None:
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

    return wrapper

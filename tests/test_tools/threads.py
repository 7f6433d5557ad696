"""Threads in the place of processes, which would import everything again."""
import multiprocessing
import os
import threading
from multiprocessing.connection import Connection


class Threads:
    """Replace a context of :mod:`multiprocessing`."""
    Pipe = staticmethod(multiprocessing.Pipe)

    @staticmethod
    def Process(target, args, daemon=None):
        *args, connection = args
        # the caller closes its own
        connection = Connection(os.dup(connection.fileno()))

        def run() -> None:
            with connection:  # an error closes it, as the end of a process
                target(*args, connection)

        return threading.Thread(target=run, daemon=daemon)

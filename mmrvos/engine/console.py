import logging

#: Longest record in lines that is shown on the console in full.
MAX_LINES = 25


class ConsoleFormatter(logging.Formatter):
    """Shorten records of many lines, such as a whole config.

    The log file of the run holds them in full.

    Args:
        formatter: of the console before.
        log_file: named in place of the lines that are left out.
    """

    def __init__(self, formatter: logging.Formatter, log_file: str) -> None:
        super().__init__()
        self.formatter = formatter
        self.log_file = log_file

    def format(self, record: logging.LogRecord) -> str:
        first, *lines = self.formatter.format(record).splitlines()
        if len(lines) < MAX_LINES:
            return '\n'.join([first, *lines])
        return f'{first} {len(lines)} lines, see {self.log_file}'


def is_for_the_console(record: logging.LogRecord) -> bool:
    """Tell whether a record is not about a single parameter of the optimizer.

    MMEngine's constructor logs one record per parameter and option.
    """
    return not record.getMessage().startswith('paramwise_options -- ')


def shorten_console(logger: logging.Logger) -> None:
    """Let the console of a logger show no record of many lines, and none per
    parameter of the optimizer.

    A logger without a file is not changed.
    """
    files = [
        handler.baseFilename for handler in logger.handlers
        if isinstance(handler, logging.FileHandler)
    ]
    for handler in logger.handlers if files else ():
        is_console = not isinstance(handler, logging.FileHandler)
        if is_console and not isinstance(handler.formatter, ConsoleFormatter):
            handler.setFormatter(
                ConsoleFormatter(
                    handler.formatter or logging.Formatter(), files[0]))
            handler.addFilter(is_for_the_console)

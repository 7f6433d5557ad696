import logging

from mmrvos.engine.console import MAX_LINES, shorten_console


def test_long_records_are_in_the_file_only(tmp_path, capsys):
    file = tmp_path / 'run.log'
    logger = logging.Logger('test')
    logger.addHandler(logging.StreamHandler())
    logger.addHandler(logging.FileHandler(file))
    for _ in range(2):  # a second run of one process gets the same logger
        shorten_console(logger)
    table = '\n'.join(['table'] + ['row'] * (MAX_LINES - 1))
    logger.info(table)
    logger.info('Config:\n' + 'a = 1\n' * 700)
    assert capsys.readouterr().err == (
        f'{table}\nConfig: 700 lines, see {file}\n')
    assert file.read_text().count('a = 1\n') == 700


def test_options_of_parameters_are_in_the_file_only(tmp_path, capsys):
    logger = logging.Logger('test')
    logger.addHandler(logging.StreamHandler())
    logger.addHandler(logging.FileHandler(tmp_path / 'run.log'))
    shorten_console(logger)
    line = 'paramwise_options -- head.weight:lr=0.1'
    logger.info(line)
    assert not capsys.readouterr().err
    assert (tmp_path / 'run.log').read_text() == f'{line}\n'


def test_a_console_without_a_file_shows_all(capsys):
    logger = logging.Logger('test')
    logger.addHandler(logging.StreamHandler())
    shorten_console(logger)
    logger.info('x\n' * 100)
    assert capsys.readouterr().err.count('x\n') == 100

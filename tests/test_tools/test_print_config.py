"""print_config.py prints whole configs and parts of them."""
from pathlib import Path

import pytest
from mmengine.config import Config

from .running import run_tool

REPO = Path(__file__).parents[2]
CONFIG = str(REPO / 'configs/referformer/r50_ytvos.py')


def printed(monkeypatch, capsys, *args: str) -> str:
    run_tool(monkeypatch, 'analysis_tools/print_config.py', CONFIG, *args)
    return capsys.readouterr().out


def test_output_is_a_config_of_the_same_values(monkeypatch, capsys, tmp_path):
    path = tmp_path / 'whole.py'
    path.write_text(
        printed(monkeypatch, capsys, '--cfg-options',
                'train_dataloader.batch_size=3'))
    expected = Config.fromfile(CONFIG)
    expected.train_dataloader.batch_size = 3
    assert Config.fromfile(path).to_dict() == expected.to_dict()


def test_parts(monkeypatch, capsys):
    text = printed(monkeypatch, capsys, '--key',
                   'train_dataloader.dataset.pipeline.0.type')
    assert text.strip() == "type = 'SampleLocalGlobalFrames'"


@pytest.mark.parametrize(('key', 'message'), [
    ('model.decodr', "'decodr' is not in model, expected the keys"),
    ('train_pipeline.99', 'expected an index below'),
    ('default_scope.x', "expected no further key, its value is 'mmrvos'"),
])
def test_unknown_parts(monkeypatch, capsys, key, message):
    with pytest.raises(SystemExit) as error:
        printed(monkeypatch, capsys, '--key', key)
    assert message in str(error.value)

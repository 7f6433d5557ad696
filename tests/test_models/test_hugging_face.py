"""Weights of the Hugging Face hub: licences, and errors in one line."""
from types import SimpleNamespace

import pytest

from mmrvos.models import hugging_face
from mmrvos.models.hugging_face import load_published


def hub(monkeypatch, capsys, error: Exception, cached=None,
        network=True) -> tuple[type, list[str]]:
    """A class whose download fails, and what was printed before."""
    said = []

    def download(name, **options):
        said.append(capsys.readouterr().out)
        raise error

    def check_hub():
        if not network:
            raise OSError('there is no network')

    monkeypatch.setattr(hugging_face, 'try_to_load_from_cache',
                        lambda *args: cached)
    monkeypatch.setattr(hugging_face, 'check_hub', check_hub)
    kind = SimpleNamespace(from_pretrained=download, __name__='SomeModel')
    return kind, said


@pytest.mark.parametrize(('name', 'licence', 'gated'), [
    ('facebook/sam3', 'the SAM License; gated', True),
    ('facebook/sam2.1-hiera-large', 'Apache-2.0', False),
    ('IDEA-Research/grounding-dino-base', 'Apache-2.0', False),
    ('yonigozlan/EdgeTAM-hf', 'Apache-2.0', False),
    ('somebody/something', 'not known here, see the page', False),
])
def test_the_licence_is_printed_before_a_download(
        monkeypatch, capsys, name, licence, gated):
    kind, said = hub(monkeypatch, capsys, OSError('401 Client Error'))
    with pytest.raises(OSError, match='set model.weights=FOLDER') as error:
        load_published(kind, name, 'model.weights')
    assert said[0].startswith(
        f'{name}: downloading from https://huggingface.co/{name}. Licence: '
        f'{licence}')
    message = str(error.value)
    assert '401 Client Error' in message
    assert '\n' not in message
    page = f'accept their licence at https://huggingface.co/{name}'
    assert (page in message) == gated
    assert ('hf auth login' in message) == gated


def test_nothing_is_printed_for_weights_that_are_here(
        monkeypatch, capsys, tmp_path):
    for name, cached in ((str(tmp_path), None),
                         ('facebook/sam3', '/cache/config.json')):
        kind, said = hub(monkeypatch, capsys, OSError('damaged'), cached)
        with pytest.raises(OSError, match='damaged'):
            load_published(kind, name, 'model.weights')
        assert said == ['']


def test_without_network_nothing_is_downloaded(monkeypatch, capsys):
    kind, said = hub(monkeypatch, capsys, OSError(), network=False)
    with pytest.raises(OSError, match='First cause: there is no network'):
        load_published(kind, 'facebook/sam3', 'model.weights')
    assert said == []
    assert capsys.readouterr().out == ''


def test_a_backbone_of_timm_says_what_to_install(monkeypatch, capsys):
    kind, _ = hub(monkeypatch, capsys, ImportError('needs timm: ...'))
    with pytest.raises(ImportError, match='EdgeTAM-hf.* pip install timm'):
        load_published(kind, 'yonigozlan/EdgeTAM-hf', 'weights')

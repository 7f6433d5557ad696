"""Inferencers on the Hugging Face hub."""
from pathlib import Path
from typing import Any

import mmengine
from huggingface_hub import ModelHubMixin, hf_hub_download

from mmrvos.utils import write_checkpoint
from mmrvos.version import __version__

from .stored_config import config_text

#: weights, and the config as plain data
FILE = 'model.safetensors'
CARD = """---
{{ card_data }}
---

A model of referring video object segmentation: sentences and a video in,
masks out. It runs with [mmrvos]({{ repo_url | default('', true) }}):

```python
from mmrvos.apis import RVOSInferencer

inferencer = RVOSInferencer.from_pretrained('OWNER/NAME')
results = inferencer('video.mp4', ['the dog that jumps'], out_dir='output')
```

{{ description | default('', true) }}
"""


class HubMixin(
        ModelHubMixin,
        library_name='mmrvos',
        pipeline_tag='image-segmentation',
        tags=['referring-video-object-segmentation'],
        model_card_template=CARD):
    """Give an inferencer ``push_to_hub``, ``save_pretrained`` and
    ``from_pretrained``.

    A repository holds ``model.safetensors``: the weights with the config as
    plain data. Nothing of it is run: the config may only name registered
    classes. ``push_to_hub`` needs a token, see ``hf auth login``.

    Examples:
        >>> inferencer.push_to_hub('me/referformer_r50_ytvos', private=True)
        >>> RVOSInferencer.from_pretrained('me/referformer_r50_ytvos',
        ...                                device='cuda:0')
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Otherwise the config.json of a repository would set arguments of the
        # constructor, such as the path of a config file to run.
        cls._hub_mixin_init_parameters = {}

    def _save_pretrained(self, save_directory: Path) -> None:
        """Write weights and config into a folder."""
        write_checkpoint(save_directory / FILE, self.model.state_dict(),
                         dict(cfg=config_text(self.cfg), mmrvos=__version__))
        # The hub counts downloads by this file.
        mmengine.dump(
            dict(model_type=self.cfg.model.type, mmrvos=__version__),
            save_directory / 'config.json',
            indent=2)

    @classmethod
    def _from_pretrained(cls,
                         *,
                         model_id: str,
                         revision: str | None,
                         cache_dir: str | Path | None,
                         force_download: bool,
                         local_files_only: bool,
                         token: str | bool | None,
                         **options: Any) -> 'HubMixin':
        """Load a folder or a repository; options are the constructor's."""
        file = Path(model_id, FILE)
        if not Path(model_id).is_dir():
            file = hf_hub_download(
                model_id,
                FILE,
                revision=revision,
                cache_dir=cache_dir,
                force_download=force_download,
                local_files_only=local_files_only,
                token=token)
        return cls(weights=str(file), **options)

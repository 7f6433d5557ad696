"""Write metafiles: one form for all of them, and facts from the configs."""
from pathlib import Path
from typing import Any

import yaml
from mmengine.config import Config

TASKS = {
    'RefCOCODataset': 'Referring Image Segmentation',
}
#: Names of data sets for people, by registered class, in the order of the
#: columns of tables.
DATASETS = {
    'RefYoutubeVOSDataset': 'Ref-YouTube-VOS',
    'RefDAVIS17Dataset': 'Ref-DAVIS17',
    'A2DSentencesDataset': 'A2D-Sentences',
    'JHMDBSentencesDataset': 'JHMDB-Sentences',
    'MeViSDataset': 'MeViS',
    'ReVOSDataset': 'ReVOS',
    'LongRVOSDataset': 'Long-RVOS',
    'RefSAVDataset': 'Ref-SAV',
    'RefCOCODataset': 'RefCOCO/+/g',
}


def dataset_title(dataset: dict) -> str:
    """Return the name of a data set for people, from its config."""
    if dataset['type'] == 'MovingShapesDataset':
        return f'Moving Shapes ({dataset["size"]})'
    return DATASETS.get(dataset['type'], dataset['type'])


def model_name(config: Path) -> str:
    """Return the name of a config's model, which is also its file's name.

    Args:
        config: path below a folder ``configs``, for example
            ``configs/soc/ablations/video-swin-t_ytvos_scratch_no-voc.py``.

    Returns:
        '<method>_<name of the file>', without the folder 'ablations'.
    """
    parts = Path(config).with_suffix('').parts
    parts = parts[len(parts) - parts[::-1].index('configs'):]
    return '_'.join(part for part in parts if part != 'ablations')


def describe(config: Path, trains: bool = True) -> dict[str, Any]:
    """Return the facts of a config that its metafile lists as 'Metadata'.

    Args:
        config: the config file.
        trains: whether the model has weights of its own. A config that tests
            the weights of another may still hold training data.

    Returns:
        'Task', 'Test Data' and, if the config trains, 'Training Data',
        'Epochs', 'Frames' (per clip) and 'Batch Size' (clips per step over
        all processes).
    """
    cfg = Config.fromfile(config)
    tested = cfg.test_dataloader.dataset
    facts = {
        'Task': TASKS.get(tested.type, 'Referring Video Object Segmentation'),
        'Test Data': dataset_title(tested)
    }
    if trains and 'train_dataloader' in cfg:
        trained = cfg.train_dataloader.dataset
        parts = trained.get('datasets', [trained])
        titles = dict.fromkeys(map(dataset_title, parts))
        facts |= {
            'Training Data': ', '.join(titles),
            'Epochs': cfg.train_cfg.max_epochs,
            'Frames': _frames(cfg, parts[-1]),
            'Batch Size': cfg.auto_scale_lr.base_batch_size
        }
    return facts


def _frames(cfg: Config, dataset: dict) -> int:
    """Return the frames per training clip, in the last stage if staged."""
    pipeline = dataset['pipeline']
    for hook in cfg.get('custom_hooks') or ():
        if hook.type == 'TrainingStagesHook':
            pipeline = hook.stages[-1].get('pipeline', pipeline)
    counts = [step.num_frames for step in pipeline if 'num_frames' in step]
    return counts[0] if counts else dataset.get('num_frames', 1)


def updated_metafile(path: Path) -> str:
    """Return the text of a metafile that agrees with the configs.

    'Metadata' is read from the configs. A config without an entry gets one.

    Args:
        path: configs/<method>/metafile.yml.
    """
    content = yaml.safe_load(path.read_text())
    models = content['Models']
    checkout = path.parents[2]
    listed = {model['Config'] for model in models}
    for config in sorted(path.parent.rglob('*.py')):
        name = config.relative_to(checkout).as_posix()
        if '_base_' not in config.parts and name not in listed:
            models.append({
                'Name': model_name(config),
                'In Collection': content['Collections'][0]['Name'],
                'Config': name,
                'Metadata': {}
            })
    for model in models:
        if '_base_' not in model['Config']:
            model['Metadata'] = describe(
                checkout / model['Config'], 'Weights From' not in model)
    models.sort(key=lambda model: model['Config'])
    return dump_metafile(content)


class _Dumper(yaml.SafeDumper):
    """Writes numbers and names on one line and indents lists."""

    def increase_indent(self, flow: bool = False,
                        indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def represent_mapping(self, tag: str, mapping: dict,
                          flow_style: bool | None = None) -> yaml.Node:
        numbers = all(isinstance(v, float) for v in mapping.values())
        return super().represent_mapping(tag, mapping, numbers)

    def represent_sequence(self, tag: str, sequence: list,
                           flow_style: bool | None = None) -> yaml.Node:
        names = all(isinstance(item, str) for item in sequence)
        return super().represent_sequence(tag, sequence, names)


def dump_metafile(content: dict) -> str:
    """Format the content of a metafile; all metafiles have this form."""
    text = yaml.dump(
        content,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=79)
    return text.replace('\nModels:', '\n\nModels:')

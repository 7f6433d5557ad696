"""Values of a config that would fail after the first steps, or in silence."""
import logging
import math
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from mmengine.config import Config
from mmengine.logging import HistoryBuffer
from torch.utils.data import DataLoader

from .config_keys import ConfigError, receiver, walk
from .option_types import check_options
from .paths import brief


def is_count(value: Any) -> bool:
    return type(value) is int and value > 0


def is_interval(value: Any) -> bool:
    return type(value) is int and (value > 0 or value == -1)


def is_number(value: Any) -> bool:
    return type(value) in (int, float) and not math.isnan(value)


def is_rate(value: Any) -> bool:
    return is_number(value) and value >= 0


def is_positive(value: Any) -> bool:
    return is_number(value) and value > 0


def is_list_of_epochs(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(
        type(epoch) is int and epoch >= 0 for epoch in value)


def is_built(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value.get('type'))


def is_dataset(value: Any) -> bool:
    # inference reads the pipeline only
    return is_built(value) or (isinstance(value, Mapping)
                               and bool(value.get('pipeline')))


def is_level(value: Any) -> bool:
    return type(value) is int or (isinstance(value, str) and
                                  value in logging.getLevelNamesMapping())


def is_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def is_seed(value: Any) -> bool:
    return value is None or type(value) is int and 0 <= value < 2**32


def is_switch(value: Any) -> bool:
    return type(value) is bool


def is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(
        isinstance(item, str) for item in value)


def is_statistic(value: Any) -> bool:
    return (isinstance(value, str)
            and value in HistoryBuffer()._statistics_methods)


A_COUNT = is_count, 'an integer of at least 1'
A_NUMBER = is_number, 'a number'
A_RATE = is_rate, 'a number of at least 0'
A_POSITIVE = is_positive, 'a number above 0'
A_TEXT = is_text, 'a text, or None'
A_SWITCH = is_switch, 'True or False'
A_PART = is_built, 'a dictionary with a type'
#: pattern of dotted paths: (check, what is expected)
VALUES = {
    '*_dataloader.batch_size': A_COUNT,
    '*_dataloader.collate_fn': A_PART,
    '*_dataloader.dataset': (is_dataset, 'a dictionary with a type'),
    '*_dataloader.sampler': A_PART,
    '*_cfg.by_epoch': A_SWITCH,
    'auto_scale_lr.base_batch_size': A_COUNT,
    'auto_scale_lr.enable': A_SWITCH,
    'default_hooks.checkpoint.interval':
    (is_interval, 'an integer of at least 1, or -1 for no checkpoints'),
    'default_hooks.logger.interval': A_COUNT,
    'env_cfg.cudnn_benchmark': A_SWITCH,
    'find_unused_parameters': A_SWITCH,
    'load_cfg.drop': (is_list_of_texts, 'a list of regular expressions'),
    'load_from': A_TEXT,
    'log_level': (is_level, "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
    'log_processor.custom_cfg.*.data_src':
    (is_text, 'the name of a value to log'),
    'log_processor.custom_cfg.*.method_name':
    (is_statistic, "'mean', 'max', 'min' or 'current'"),
    'optim_wrapper.accumulative_counts': A_COUNT,
    'optim_wrapper.clip_grad.clip_value': A_POSITIVE,
    'optim_wrapper.clip_grad.max_norm': A_POSITIVE,
    'optim_wrapper.optimizer.lr': A_RATE,
    'optim_wrapper.optimizer.weight_decay': A_RATE,
    'optim_wrapper.paramwise_cfg.*_mult': A_NUMBER,
    'param_scheduler*.begin': A_NUMBER,
    'param_scheduler*.end': A_NUMBER,
    'param_scheduler*.eta_min': A_NUMBER,
    'param_scheduler*.factor': A_NUMBER,
    'param_scheduler*.gamma': A_NUMBER,
    'param_scheduler*.milestones':
    (is_list_of_epochs, 'a list of integers, epochs or iterations'),
    'param_scheduler*.power': A_NUMBER,
    'param_scheduler*.start_factor': A_NUMBER,
    'randomness.deterministic': A_SWITCH,
    'randomness.diff_rank_seed': A_SWITCH,
    'randomness.seed': (is_seed, 'an integer from 0 to 2**32 - 1, or None'),
    'resume': A_SWITCH,
    'sync_bn': A_TEXT,
    'train_cfg.max_epochs': A_COUNT,
    'train_cfg.max_iters': A_COUNT,
    'train_cfg.val_interval': A_COUNT,
}


def check_values(cfg: Config) -> None:
    """Check the types of all values of a config, and those of ``VALUES``.

    The types are the annotations of the class that receives a value. The
    table is for keys without an annotation, and for values that MMEngine and
    torch accept, or whose errors do not name the key. The range of a value is
    checked by the constructor of its class.

    Raises:
        ConfigError: names the key, the value and what is expected.
    """
    for path, value in walk(cfg):
        for pattern, (is_right, expected) in VALUES.items():
            if fnmatchcase(path, pattern) and not is_right(value):
                raise ConfigError(
                    f'{path} is {brief(value)}, expected {expected}')
    for path, value in walk(cfg):
        if isinstance(value, Mapping):
            is_loader = fnmatchcase(path, '*_dataloader')
            found = DataLoader if is_loader else receiver(value, path)
            try:
                if found is not None:
                    check_options(found, value, path)
            except TypeError as error:
                raise ConfigError(str(error)) from None

"""Print a config with everything that its base files set.

The output is a config file without base files. --key prints one part of it.
"""
import argparse

from mmengine.config import Config, ConfigDict

from mmrvos.utils import KeyValueAction, clear_errors


def part_of(cfg: Config, key: str) -> Config:
    """Return a config that holds one value.

    Args:
        cfg: the whole config.
        key: names of nested dictionaries, and indices of lists, joined by
            dots, such as ``model.decoder`` or ``train_pipeline.0``.

    Raises:
        KeyError: the config has no such key.
    """
    value, path = cfg, []
    for name in key.split('.'):
        if isinstance(value, (Config, ConfigDict)) and name in value:
            value = value[name]
        elif isinstance(value, (list, tuple)) and name.isdecimal() and (
                int(name) < len(value)):
            value = value[int(name)]
        else:
            if isinstance(value, (Config, ConfigDict)):
                known = f'the keys {sorted(value)}'
            elif isinstance(value, (list, tuple)):
                known = f'an index below {len(value)}'
            else:
                known = f'no further key, its value is {value!r}'
            raise KeyError(f'--key {key}: {name!r} is not in '
                           f'{".".join(path) or "the config"}, expected '
                           f'{known}')
        path.append(name)
    return Config({path[-1] if not path[-1].isdecimal() else 'value': value})


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--key',
        help='part to print, such as model.decoder or '
        'train_dataloader.dataset.pipeline.0')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=KeyValueAction,
        metavar='KEY=VALUE',
        help='change values of the config before it is printed')
    return parser.parse_args()


@clear_errors
def main() -> None:
    args = parse_args()
    from mmrvos.utils import load_config  # imports torch
    cfg = load_config(args.config, args.cfg_options)
    print((part_of(cfg, args.key) if args.key else cfg).pretty_text)


if __name__ == '__main__':
    main()

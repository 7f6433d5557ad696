"""Assign videos to the splits of a data set."""
import random
from collections.abc import Sequence

from mmrvos.utils import check_name


def assign_splits(videos: list[str], split: str,
                  hold_out: float | dict[str, float],
                  given: dict[str, str] | None = None
                  ) -> dict[str, list[str]]:
    """Assign every video to a split.

    The sentences of a video stay together: a video that is partly in both
    splits would be validated on frames that were trained on.

    Args:
        videos: ids of all videos.
        split: of the videos that are not held out.
        hold_out: share of the videos without a given split for the split
            'valid', or {split: share}; at least one video each, 0 holds none
            out. The choice depends on the ids only.
        given: {video: split} of a table, which shares do not change.

    Returns:
        {split: videos}, without empty splits.

    Raises:
        ValueError: the shares are not in [0, 1), or with a share a split would
            have no video.
    """
    given = given or {}
    shares = (
        hold_out if isinstance(hold_out, dict) else
        {'valid': hold_out} if hold_out else {})
    for name, share in shares.items():
        if not 0 <= share < 1:
            raise ValueError(f'--hold-out {share}: expected at least 0 and '
                             'less than 1, the share of the videos')
        if name == split:
            raise ValueError(
                f'--hold-out writes the split {name}, and --split is {name}, '
                'too: name another split, such as train')
    free = [v for v in videos if v not in given]
    shuffled = random.Random(0).sample(sorted(free), len(free))
    assigned = dict(given)
    for name, share in shares.items():
        count = max(1, round(share * len(free))) if share else 0
        held, shuffled = shuffled[:count], shuffled[count:]
        assigned.update(dict.fromkeys(held, name))
    splits: dict[str, list[str]] = {}
    for video in videos:
        splits.setdefault(assigned.get(video, split), []).append(video)
    expected = [split, *(name for name, share in shares.items() if share)]
    empty = [name for name in expected if name not in splits]
    if any(shares.values()) and empty:
        advice = (
            'give more videos or a smaller share' if free else
            'every video has a split in the table, so leave out --hold-out, '
            'or the split of some videos')
        raise ValueError(
            f'--hold-out {sum(shares.values()):g} of {len(free)} videos '
            'without a split leaves none for '
            f'{" and ".join(empty)}: {advice}')
    return splits


def parse_shares(values: Sequence[str]) -> dict[str, float]:
    """Read '0.2' or 'valid=0.1 test=0.1'.

    Raises:
        ValueError: a share is no number, or a split is named twice.
    """
    shares: dict[str, float] = {}
    for value in values:
        name, _, share = value.rpartition('=')
        name = check_name(name or 'valid', 'split', '--hold-out')
        try:
            number = float(share)
        except ValueError:
            raise ValueError(f'--hold-out {value}: expected a share such as '
                             '0.2 or test=0.2') from None
        if name in shares:
            raise ValueError(f'--hold-out names the split {name} twice')
        shares[name] = number
    return shares

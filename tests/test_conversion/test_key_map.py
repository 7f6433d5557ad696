import pytest
import torch

from mmrvos.conversion import METHODS, Rule, convert_keys
from mmrvos.conversion.key_map import shifted

RULES = [
    Rule(r'a\.(\d)', r'b.\1'),
    Rule(r'level_(?P<k>\d)\.w', shifted('levels.{k}.weight', k=-1)),
    Rule(r'old', None, 'not used any more', optional=True),
]


def weights(*keys):
    return {key: torch.tensor(float(i)) for i, key in enumerate(keys)}


def test_renames_drops_and_reports():
    state, report = convert_keys(
        weights('a.0', 'level_1.w', 'old'), RULES, 'X')
    assert {k: v.item() for k, v in state.items()} == {
        'b.0': 0, 'levels.0.weight': 1}
    assert report.dropped == {'old': 'not used any more'}
    assert 'a.0' in str(report)
    assert 'not used any more' in str(report)


@pytest.mark.parametrize('keys,match', [
    (('a.0', 'level_1.w', 'c'), 'c: 0 rules match'),
    (('a.0', ), 'no key matches level_'),
])
def test_every_key_has_one_rule_and_every_rule_a_key(keys, match):
    with pytest.raises(ValueError, match=match):
        convert_keys(weights(*keys), RULES, 'X')


def test_two_rules_for_a_key_are_an_error():
    with pytest.raises(ValueError, match='a.0: 2 rules match'):
        convert_keys(
            weights('a.0', 'level_1.w'), [*RULES, Rule(r'a\..', 'z')], 'X')


def test_two_keys_with_one_name_are_an_error():
    rules = [Rule(r'a\.\d', 'b')]
    with pytest.raises(ValueError, match='both become b'):
        convert_keys(weights('a.0', 'a.1'), rules, 'X')


def test_differing_copies_of_the_box_heads_are_damage():
    state = weights('bbox_embed.0.layers.0.bias',
                    'transformer.decoder.bbox_embed.0.layers.0.bias')
    with pytest.raises(ValueError, match='damaged'):
        METHODS['referformer'](state)


def test_a_shape_that_a_rule_cannot_convert_is_damage():
    rules = [Rule('a', 'b', value=lambda weight: weight.sum(2))]
    with pytest.raises(ValueError, match=r'a has the shape \(\), which is no'):
        convert_keys(weights('a'), rules, 'X')


def test_long_lists_of_problems_are_cut():
    with pytest.raises(ValueError, match=r'(?s)k19:.*and 980 more') as error:
        convert_keys(weights(*(f'k{i}' for i in range(1000))),
                     [Rule('none', 'x', optional=True)], 'X')
    assert len(str(error.value)) < 1200

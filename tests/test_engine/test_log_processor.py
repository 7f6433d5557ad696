from mmrvos.engine.log_processor import split_tables


def test_metrics_become_a_table_by_split():
    lines = split_tables({
        'shapes/J&F': 57.2, 'shapes/J': 50., 'shapes/P@0.5': 60.,
        'shapes/J&F/motion-order': 7.25, 'shapes/J/motion-order': 5.,
        'shapes/J&F/long': 100.
    })
    assert lines == [
        'shapes           J&F      J',
        'total          57.20  50.00',
        'motion-order    7.25   5.00',
        'long          100.00      -',
        '  P@0.5 60.00',
    ]


def test_metrics_without_splits_or_prefix():
    assert split_tables({'a2d/mAP': 1., 'a2d/oIoU': 2., 'loss': 0.5}) == [
        'a2d', '  mAP 1.00  oIoU 2.00', '  loss 0.50']
    assert split_tables({}) == []

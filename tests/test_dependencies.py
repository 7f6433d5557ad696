import pytest

from mmrvos.dependencies import check_dependencies, installed_version

ONEDL = {
    'onedl-mmcv': '2.3.6',
    'onedl-mmengine': '0.10.12',
    'onedl-mmdetection': '3.5.1'
}
UPSTREAM = dict(mmcv='2.1.0', mmengine='0.10.7', mmdet='3.3.0')


def test_what_is_installed_here_fits():
    check_dependencies()
    assert installed_version('no-such-distribution') is None


@pytest.mark.parametrize('versions', [ONEDL, UPSTREAM], ids=['onedl', 'mm'])
def test_both_families_fit(versions):
    check_dependencies(versions.get)


@pytest.mark.parametrize(('change', 'message'), [
    ({'onedl-mmengine': None}, 'mmengine is not installed'),
    ({'onedl-mmcv': '2.2.0'}, r'onedl-mmcv 2\.2\.0 is installed.*2\.3\.6'),
    ({'mmcv': '2.1.0'}, 'onedl-mmcv and mmcv are both installed'),
    ({'onedl-mmdetection': '4.0.0'}, 'onedl-mmdetection 4.0.0'),
])
def test_clear_message(change, message):
    with pytest.raises(ImportError, match=message):
        check_dependencies((ONEDL | change).get)

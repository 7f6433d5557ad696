from mmrvos.registry import DATASETS

from .ref_youtube_vos import RefYoutubeVOSDataset


@DATASETS.register_module()
class OwnVideosDataset(RefYoutubeVOSDataset):
    """Your own videos, in the layout of Ref-YouTube-VOS.

    ``tools/dataset_converters/custom.py`` writes the files, see
    docs/own_data.md.
    """

    hint = ('Your own data are converted by '
            'tools/dataset_converters/custom.py; docs/own_data.md shows the '
            'command, and --cfg-options data_root=DIR names another folder.')

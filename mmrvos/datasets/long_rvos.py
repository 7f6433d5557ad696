from mmrvos.registry import DATASETS
from mmrvos.utils import check_name

from .mask_sources import ObjectFolderMasks
from .ref_youtube_vos import RefYoutubeVOSDataset


@DATASETS.register_module()
class LongRVOSDataset(RefYoutubeVOSDataset):
    """Long-RVOS: videos of a minute, a folder of PNGs per object.

    ::

        data_root/{train,valid,test}/
          JPEGImages/<video>/<frame>.jpg
          Annotations/<video>/<object>/<frame>.png
          meta_expressions.json

    ``type_id`` is 'static', 'dynamic' or 'hybrid' (the file says
    'static+dynamic'). A frame without a PNG of an object does not show it.
    """

    METAINFO = {'classes': ()}

    hint = ('Long-RVOS needs JPEGImages, Annotations and '
            'meta_expressions.json in every split; docs/datasets.md says '
            'where it comes from.')

    def parse_expression(self, video_id: str, exp_id: str, exp: dict,
                         labels: dict) -> dict:
        parsed = super().parse_expression(video_id, exp_id, exp, labels)
        type_id = exp.get('type', exp.get('type_id'))
        if type_id == 'static+dynamic':
            type_id = 'hybrid'
        return dict(parsed, type_id=type_id)

    def check_object_id(self, obj_id: str, place: str) -> None:
        check_name(obj_id, 'object id', place)  # the name of a folder

    def mask_source(self, video_id: str,
                    frame_names: list[str]) -> ObjectFolderMasks | None:
        source = super().mask_source(video_id, frame_names)
        return None if source is None else ObjectFolderMasks(
            source.root, frame_names)

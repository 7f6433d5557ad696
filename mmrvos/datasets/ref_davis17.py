from mmrvos.registry import DATASETS
from mmrvos.structures import PNGMasks

from .ref_youtube_vos import RefYoutubeVOSDataset

NUM_ANNOTATORS = 4


@DATASETS.register_module()
class RefDAVIS17Dataset(RefYoutubeVOSDataset):
    """Ref-DAVIS17 after ``tools/dataset_converters/ref_davis17.py``.

    Expression ``4 * k + a`` is annotator a's for the k-th object (annotators
    0 and 1 are one person, seeing the first frame and the whole video; so are
    2 and 3). Pixels of value 255 are void. In testing an entry is one
    annotator's expressions for all objects of a video, in their order, with
    ``annotator``: a method merges their masks, so each pixel belongs to one
    object, and every annotator is scored apart.
    """

    METAINFO = {'classes': ()}

    hint = ('Ref-DAVIS17 is made by tools/dataset_converters/ref_davis17.py '
            'from DAVIS 2017 (unsupervised) and its text annotations; '
            'docs/datasets.md names the files.')

    def load_videos(self) -> list[dict]:
        videos = super().load_videos()
        if not self.test_mode:
            return videos
        entries = []
        for video in videos:
            expressions = sorted(
                video['expressions'], key=lambda e: int(e['exp_id']))
            if len(expressions) % NUM_ANNOTATORS:
                raise ValueError(
                    f'{self.ann_file}: video {video["video_id"]} has '
                    f'{len(expressions)} expressions, expected a multiple of '
                    f'{NUM_ANNOTATORS} (one per annotator and object)')
            entries += [
                dict(
                    video,
                    annotator=a,
                    expressions=expressions[a::NUM_ANNOTATORS])
                for a in range(NUM_ANNOTATORS)
            ]
        return entries

    def mask_source(self, video_id: str,
                    frame_names: list[str]) -> PNGMasks | None:
        source = super().mask_source(video_id, frame_names)
        if source is not None:
            source.void_value = 255
        return source

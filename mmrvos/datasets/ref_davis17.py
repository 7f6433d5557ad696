from typing import Any

from mmrvos.registry import DATASETS
from mmrvos.structures import PNGMasks
from mmrvos.utils import natural_key

from .ref_youtube_vos import RefYoutubeVOSDataset

NUM_ANNOTATORS = 4
#: annotators by what they saw before they wrote
ANNOTATORS = dict(
    all=(0, 1, 2, 3), first_frame=(0, 2), full_video=(1, 3))


@DATASETS.register_module()
class RefDAVIS17Dataset(RefYoutubeVOSDataset):
    """Ref-DAVIS17 as ``tools/dataset_converters/ref_davis17.py`` writes it.

    Expression ``4 * k + a`` describes object k and was written by annotator a.
    Annotators 0 and 1 are one person, who saw the first frame and then the
    whole video; so are 2 and 3. Pixels of value 255 are void.

    In testing, an entry has the expressions of one annotator for all objects
    of a video, in the order of the objects, and ``annotator``. A method merges
    their masks, so that each pixel belongs to one object. Every annotator is
    scored separately.

    Args:
        annotators: 'all'; 'first_frame' or 'full_video' keeps the expressions
            that were written after seeing the first frame or the whole video.
        ann_file, kwargs: see :class:`RefYoutubeVOSDataset`.

    Raises:
        ValueError: an unknown ``annotators``, or a video whose expressions
            are not four per object.
    """

    METAINFO = {'classes': ()}

    hint = ('Ref-DAVIS17 is made by tools/dataset_converters/ref_davis17.py '
            'from DAVIS 2017 (unsupervised) and its text annotations; '
            'docs/datasets.md names the files.')

    def __init__(self,
                 ann_file: str = '',
                 *,
                 annotators: str = 'all',
                 **kwargs: Any) -> None:
        if annotators not in ANNOTATORS:
            raise ValueError(
                f'RefDAVIS17Dataset got annotators={annotators!r}, expected '
                f'one of {tuple(ANNOTATORS)}')
        self.annotators = annotators
        super().__init__(ann_file, **kwargs)

    def load_videos(self) -> list[dict]:
        videos = super().load_videos()
        if not self.test_mode and self.annotators == 'all':
            return videos
        kept, entries = ANNOTATORS[self.annotators], []
        for video in videos:
            expressions = sorted(
                video['expressions'], key=lambda e: natural_key(e['exp_id']))
            if len(expressions) % NUM_ANNOTATORS:
                raise ValueError(
                    f'{self.ann_file}: video {video["video_id"]} has '
                    f'{len(expressions)} expressions, expected a multiple of '
                    f'{NUM_ANNOTATORS} (one per annotator and object)')
            if not self.test_mode:
                entries.append(
                    dict(
                        video,
                        expressions=[
                            e for i, e in enumerate(expressions)
                            if i % NUM_ANNOTATORS in kept
                        ]))
                continue
            entries += [
                dict(
                    video,
                    annotator=a,
                    expressions=expressions[a::NUM_ANNOTATORS]) for a in kept
            ]
        return entries

    def mask_source(self, video_id: str,
                    frame_names: list[str]) -> PNGMasks | None:
        source = super().mask_source(video_id, frame_names)
        if source is not None:
            source.void_value = 255
            if self.test_mode:
                source.check_ids()
        return source

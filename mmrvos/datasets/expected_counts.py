"""How much of every benchmark there should be, and who gives it out."""
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Expected:
    """Published counts of one split; None where none is published."""
    videos: int | None = None
    expressions: int | None = None


FILE = r'[^/]*$'
#: own data may be read by the same class: the name of the folder tells
YOUTUBE = r'(?i)y(ou)?t(ube)?[-_]?vos.*'

#: (data set, what the path of its annotation file ends with): counts. For
#: RefCOCO/+/g an image is a video.
EXPECTED: dict[tuple[str, str], Expected] = {
    ('RefYoutubeVOSDataset', rf'{YOUTUBE}/train/{FILE}'): Expected(3471),
    ('RefYoutubeVOSDataset', rf'{YOUTUBE}/valid/{FILE}'): Expected(202, 834),
    ('RefDAVIS17Dataset', rf'/train/{FILE}'): Expected(60),
    ('RefDAVIS17Dataset', rf'/valid/{FILE}'): Expected(30, 244),
    ('JHMDBSentencesDataset', 'samples_metadata'): Expected(928, 2784),
    ('RefCOCODataset', 'refcoco_train'): Expected(None, 120624),
    ('RefCOCODataset', 'refcoco_val'): Expected(None, 10834),
    ('RefCOCODataset', 'refcoco_testA'): Expected(None, 5657),
    ('RefCOCODataset', 'refcoco_testB'): Expected(None, 5095),
    ('RefCOCODataset', r'refcoco\+_train'): Expected(None, 120191),
    ('RefCOCODataset', r'refcoco\+_val'): Expected(None, 10758),
    ('RefCOCODataset', r'refcoco\+_testA'): Expected(None, 5726),
    ('RefCOCODataset', r'refcoco\+_testB'): Expected(None, 4889),
    ('RefCOCODataset', 'refcocog_train'): Expected(None, 80512),
    ('RefCOCODataset', 'refcocog_val'): Expected(None, 4896),
    ('RefCOCODataset', 'refcocog_test'): Expected(None, 9602),
    ('MeViSDataset', rf'(?i)v2.*/train/{FILE}'): Expected(1662, 27502),
    ('MeViSDataset', rf'(?i)v2.*/valid_u/{FILE}'): Expected(50, 907),
    ('MeViSDataset', rf'(?i)v2.*/valid/{FILE}'): Expected(140, 2523),
    ('YoURVOSDataset', r'/test/'): Expected(120, 489),
    ('MeViSDataset', rf'/train/{FILE}'): Expected(1662, 23051),
    ('MeViSDataset', rf'/valid_u/{FILE}'): Expected(50, 793),
    ('MeViSDataset', rf'/valid/{FILE}'): Expected(140, 2236),
    ('MeViSDataset', rf'/test/{FILE}'): Expected(154, 2490),
}

#: where each is said to come from; links of data sets do not live long
SOURCES = {
    'RefYoutubeVOSDataset':
    'https://youtube-vos.org/dataset/rvos (frames, expressions, training '
    'masks); validation masks: github.com/skynbe/Refer-Youtube-VOS, issue 8',
    'RefDAVIS17Dataset':
    'https://davischallenge.org (DAVIS-2017-Unsupervised-trainval-480p, '
    'DAVIS-2017_semantics-480p); sentences: "Video Object Segmentation with '
    'Language Referring Expressions", MPI Informatics; then '
    'tools/dataset_converters/ref_davis17.py',
    'A2DSentencesDataset':
    'https://web.eecs.umich.edu/~jjcorso/r/a2d (videos) and '
    'https://kgavrilyuk.github.io/publication/actor_action (sentences, '
    'instances); then tools/dataset_converters/a2d_sentences.py',
    'JHMDBSentencesDataset':
    'http://jhmdb.is.tue.mpg.de (often down; ReferFormer and ReferDINO name '
    'mirrors) and https://kgavrilyuk.github.io/publication/actor_action; '
    'sample file: MTTR; then tools/dataset_converters/jhmdb_sentences.py',
    'RefCOCODataset':
    'https://cocodataset.org (train2014) and github.com/lichengunc/refer '
    '(expressions); then tools/dataset_converters/refcoco.py',
    'MeViSDataset': 'https://henghuiding.com/MeViS',
    'ReVOSDataset': 'github.com/cilinyan/ReVOS-api',
    'RefSAVDataset':
    'huggingface.co/datasets/Dense-World/Sa2VA-Training (ref_sav.zip); frames '
    'from SA-V, Meta',
    'InterRVOSDataset': 'github.com/cvlab-kaist/InterRVOS',
    'YoURVOSDataset': 'github.com/gaomingqi/YoURVOS',
    'LongRVOSDataset': 'huggingface.co/datasets/iSEE-Laboratory/Long-RVOS',
    'MovingShapesDataset':
    'tools/dataset_converters/moving_shapes.py makes it',
    'OwnVideosDataset':
    'tools/dataset_converters/custom.py makes it, see docs/own_data.md',
}


def expected(dataset: str, ann_file: str) -> Expected:
    """Published counts for an annotation file, by its path.

    >>> expected('MeViSDataset', 'data/mevis/valid_u/meta_expressions.json')
    Expected(videos=50, expressions=793)
    """
    for (name, pattern), counts in EXPECTED.items():
        if name == dataset and re.search(pattern, ann_file):
            return counts
    return Expected()

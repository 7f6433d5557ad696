from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

import pycocotools.mask as mask_utils
import torch
from mmengine.structures import InstanceData
from torch import Tensor
from transformers import (
    AutoTokenizer,
    BatchEncoding,
    PreTrainedTokenizerBase,
    Sam3VideoConfig,
    Sam3VideoModel,
)

from mmrvos.registry import MODELS
from mmrvos.structures import RVOSDataSample

from ..hugging_face import check_source, load_published, tokenize
from ..postprocessors.masks import encode_masks
from ..sam3_kernels import use_scipy_kernels
from ..sam3_session import SAM3Session
from ..text_encoders.tokenizers import word_tokenizer
from .pretrained import PretrainedSegmentor, empty_prediction

CHOICES = ('best', 'all')


@MODELS.register_module()
class SAM3Segmentor(PretrainedSegmentor):
    """Segment with text-prompted SAM 3 (Meta, 2025) of transformers.

    SAM 3 detects and tracks all objects that fit a sentence. Each frame is
    segmented when it is read, and memory does not grow with the video. No
    frame waits for later ones: transformers' ``propagate_in_video_iterator``
    delays its answers by ``hotstart_delay`` frames to remove doubtful tracks,
    and so differs.

    Args:
        weights: name of a Hugging Face model, or a folder; read when first
            needed. None keeps random ones.
        config: keys of ``transformers.Sam3VideoConfig``, for random weights.
        vocabulary: the words of the tokenizer, with a ``config``.
        choose: 'best' takes the track of a sentence with the highest mean
            score up to the end of the window (``test_cfg.window``), 'all'
            the union of its tracks.
        score_threshold: a track with a lower mean score is not taken. A
            sentence without a track has empty masks and the score 0.
        max_objects: largest number of tracks in a video, of all sentences
            together. Memory and time of a frame grow with it.
        test_cfg: see :class:`InferenceCfg`. ``window`` is the number of
            frames that :meth:`stream` yields together; None waits for the
            end of the video, and keeps only its masks.
        data_preprocessor: by default with mean and deviation 127.5.

    Raises:
        ValueError: there are both ``weights`` and a ``config``, a config
            without vocabulary, or a value that is out of range.
        OSError: when first used, the model can neither be found nor
            downloaded, or its licence is not accepted.
    """

    def __init__(self,
                 *,
                 weights: str | None = 'facebook/sam3',
                 config: dict | None = None,
                 vocabulary: Sequence[str] | None = None,
                 choose: str = 'best',
                 score_threshold: float = 0.,
                 max_objects: int = 32,
                 test_cfg: dict | None = None,
                 data_preprocessor: dict | None = None) -> None:
        super().__init__(
            test_cfg=test_cfg,
            data_preprocessor=data_preprocessor or dict(
                type='RVOSDataPreprocessor', mean=[127.5] * 3,
                std=[127.5] * 3))
        check_source(type(self).__name__, weights, config)
        if weights is None and not (config and vocabulary):
            raise ValueError('SAM3Segmentor without weights needs a config '
                             'and a vocabulary')
        if choose not in CHOICES:
            raise ValueError(f'choose is one of {CHOICES}, got {choose!r}')
        if max_objects < 1:
            raise ValueError(
                f'max_objects must be at least 1, got {max_objects}')
        if self.propagator is not None:
            raise ValueError('SAM3Segmentor tracks by itself: remove '
                             'test_cfg.propagator')
        self.weights = weights
        self.config = config
        self.vocabulary = vocabulary
        self.choose = choose
        self.score_threshold = score_threshold
        self.max_objects = max_objects

    @cached_property
    def network(self) -> Sam3VideoModel:
        use_scipy_kernels()
        if self.weights is None:
            network = Sam3VideoModel(Sam3VideoConfig(**self.config))
            network = network.eval().requires_grad_(False)
        else:
            network = load_published(Sam3VideoModel, self.weights,
                                     'model.weights')
        network.max_num_objects = self.max_objects
        return network

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        if self.weights is None:
            return word_tokenizer(self.vocabulary)
        return AutoTokenizer.from_pretrained(
            self.weights, trust_remote_code=False)

    def encode_text(self, expressions: Sequence[Sequence[str]]
                    ) -> list[BatchEncoding]:
        """Tokenize the expressions; one that is too long is cut and named.

        Raises:
            ValueError: an expression is empty.
        """
        limit = (self.network.config.detector_config.text_config
                 .max_position_embeddings)
        return [
            tokenize(self.tokenizer, text, limit, padding='max_length')
            for texts in expressions for text in texts
        ]

    def stream(self, pieces: Iterable[Tensor],
               sample: RVOSDataSample) -> Iterator[InstanceData]:
        """See :meth:`WindowStreaming.stream`."""
        session = SAM3Session(
            self.network.to(self.device), self.encode_text([sample.texts]),
            self.device)
        tracks = Tracks(sample, self.choose, self.score_threshold)
        height, width = sample.img_shape[:2]
        window = self.test_cfg.window
        if sample.get('valid_index') is not None:
            window = None
        for piece in pieces:
            for frame in piece[..., :height, :width]:
                with self.test_cfg.precision(self.device):
                    found = session.step(frame, tuple(sample.ori_shape))
                tracks.add(found)
                if tracks.waiting == window:
                    yield tracks.take()
        if window is not None and not tracks.waiting:
            return
        pred = tracks.take()
        index = sample.get('valid_index')
        if index is not None:  # the only annotated frame
            pred.masks = [[rles[index]] for rles in pred.masks]
            pred.frame_scores = pred.frame_scores[:, index, None]
        yield pred


class Tracks:
    """The tracks of a video: mean scores, and masks of one window.

    Args:
        sample: its texts and its original size are read.
        choose, score_threshold: see :class:`SAM3Segmentor`.
    """

    def __init__(self, sample: RVOSDataSample, choose: str,
                 score_threshold: float) -> None:
        self.num_sentences = len(sample.texts)
        self.shape = tuple(sample.ori_shape)
        self.choose = choose
        self.score_threshold = score_threshold
        self.num_frames = 0
        self.sums: dict[int, float] = defaultdict(float)
        self.sentences: dict[int, int] = {}
        # of each waiting frame: score and mask of each track
        self.frames: list[dict[int, tuple[float, dict]]] = []

    @property
    def waiting(self) -> int:
        """Number of frames that :meth:`take` returns."""
        return len(self.frames)

    def add(self, found: dict[int, tuple[int, float, Tensor]]) -> None:
        """Add the tracks of a frame, see :meth:`SAM3Session.step`."""
        self.num_frames += 1
        frame = {}
        for track, (sentence, score, mask) in found.items():
            self.sums[track] += score
            self.sentences[track] = sentence
            rle, = encode_masks(mask[None])
            frame[track] = (score, rle)
        self.frames.append(frame)

    def take(self) -> InstanceData:
        """Return the prediction of the waiting frames, and forget them."""
        pred = empty_prediction(
            self.num_sentences, len(self.frames), self.shape)
        for e, chosen in enumerate(self.chosen()):
            for t, frame in enumerate(self.frames):
                seen = [frame[track] for track in chosen if track in frame]
                if seen:
                    pred.masks[e][t] = seen[0][1] if len(seen) == 1 else (
                        mask_utils.merge([rle for _, rle in seen]))
                    pred.frame_scores[e, t] = max(s for s, _ in seen)
        pred.scores = pred.frame_scores.mean(1)
        pred.queries[:, 0] = torch.tensor(
            [chosen[0] if chosen else -1 for chosen in self.chosen()])
        self.frames.clear()
        return pred

    def chosen(self) -> list[list[int]]:
        """Return the tracks of every sentence that are taken, best first."""
        means = {
            track: total / self.num_frames
            for track, total in self.sums.items()
            if total / self.num_frames >= self.score_threshold
        }
        order = sorted(means, key=lambda track: (-means[track], track))
        chosen = [[t for t in order if self.sentences[t] == e]
                  for e in range(self.num_sentences)]
        return [c[:1] for c in chosen] if self.choose == 'best' else chosen

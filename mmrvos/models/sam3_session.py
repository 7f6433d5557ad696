"""One video in SAM 3, with memory that does not grow."""
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import (
    BatchEncoding,
    Sam3VideoInferenceSession,
    Sam3VideoModel,
)


class SAM3Session:
    """Segment a video with SAM 3, frame by frame.

    The sentences are the prompts of one session of transformers. What no
    later frame reads is removed after every frame, with equal masks.

    Args:
        network: the model.
        tokens: of each of E sentences, padded.
        device: of the frames.
    """

    def __init__(self, network: Sam3VideoModel,
                 tokens: Sequence[BatchEncoding],
                 device: torch.device) -> None:
        self.network = network
        self.session = Sam3VideoInferenceSession(
            inference_device=device,
            inference_state_device=device,
            video_storage_device=device,
            dtype=torch.float32)
        self.session.processed_frames = CurrentFrame()
        for e, encoded in enumerate(tokens):
            # by number: equal sentences are prompts of their own
            prompt = self.session.add_prompt(str(e))
            encoded = encoded.to(device)
            self.session.prompt_input_ids[prompt] = encoded['input_ids']
            self.session.prompt_attention_masks[prompt] = encoded[
                'attention_mask']

    @torch.inference_mode()
    def step(self, frame: Tensor, shape: tuple[int, int]
             ) -> dict[int, tuple[int, float, Tensor]]:
        """Segment the next frame.

        Args:
            frame: (3, h, w), normalised with mean and deviation 0.5.
            shape: (H, W), the size of the masks.

        Returns:
            Of each track with a mask in this frame, by its number: the index
            of its sentence, its score (detection times tracker) and its mask
            (H, W) bool. The masks of a sentence do not overlap.
        """
        size = (self.network.config.image_size, ) * 2
        image = F.interpolate(
            frame[None].float(), size, mode='bilinear', align_corners=False,
            antialias=True)
        output = self.network(self.session, frame=image)
        hidden = set(output.suppressed_obj_ids or ())
        tracks = {}
        for track, logits in sorted(output.obj_id_to_mask.items()):
            mask = F.interpolate(
                logits[None].float(), shape, mode='bilinear',
                align_corners=False)[0, 0] > 0
            if track not in hidden and mask.any():
                # the logit -1e4 marks a track that was removed
                tracker = output.obj_id_to_tracker_score.get(track, 0.)
                score = output.obj_id_to_score[track] * min(max(tracker, 0), 1)
                tracks[track] = (
                    self.session.obj_id_to_prompt_id[track], tracker, score,
                    mask)
        self.forget(output.frame_idx)
        return {
            track: (sentence, float(score), mask)
            for track, (sentence, score, mask) in without_overlaps(
                tracks).items()
        }

    def forget(self, frame: int) -> None:
        """Remove what frames after ``frame`` do not read.

        A conditioning frame (a detection, or one of the repeated
        confirmations of a track) is read for its memory while it is among the
        nearest ``max_cond_frame_num``, and then only for its object pointer.
        The first pointer and the latest ``max_object_pointers_in_encoder``
        are kept: transformers keeps all. The masks are equal until a track is
        confirmed more often than ``max_object_pointers_in_encoder``: for 16
        pointers and a confirmation every 16 frames, at least 272 frames.
        """
        config = self.network.config.tracker_config
        pointers = config.max_object_pointers_in_encoder
        reach = frame - max(config.num_maskmem, pointers)
        session = self.session
        for outputs in session.output_dict_per_obj.values():
            drop_before(outputs['non_cond_frame_outputs'], reach)
            given = outputs['cond_frame_outputs']
            times = sorted(given)
            for t in times[1:-pointers]:
                del given[t]
            if config.max_cond_frame_num > 0:
                for t in times[:-config.max_cond_frame_num]:
                    if t in given and t < reach:
                        given[t] = dict(
                            object_pointer=given[t]['object_pointer'])
        for per_object in (session.frames_tracked_per_obj,
                           session.mask_inputs_per_obj):
            for frames in per_object.values():
                drop_before(frames, frame + 1)
        for per_frame in (session.obj_id_to_tracker_score_frame_wise,
                          session.suppressed_obj_ids):
            drop_before(per_frame, frame)
        # only the removal of tracks reads them, which a stream does not have
        session.unmatched_frame_inds.clear()
        session.overlap_pair_to_frame_inds.clear()
        session.processed_frames.clear()


class CurrentFrame(dict):
    """Frames of a session by index, of which only the last one is kept.

    transformers takes the length for the number of frames of the video.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def __setitem__(self, index: int, frame: Tensor) -> None:
        super().__setitem__(index, frame)
        self.seen = max(self.seen, index + 1)

    def __len__(self) -> int:
        return self.seen


def drop_before(by_frame: dict, first: int) -> None:
    """Remove entries of frames before ``first``."""
    for t in [t for t in by_frame if t < first]:
        del by_frame[t]


def without_overlaps(
        tracks: dict[int, tuple[int, float, float, Tensor]]
) -> dict[int, tuple[int, float, Tensor]]:
    """Give each pixel to one track of a sentence.

    The track of the highest tracker score gets it, of equals the first one.

    Args:
        tracks: sentence, tracker score, score and mask (H, W) of each track.

    Returns:
        Sentence, score and mask of the tracks.
    """
    order = sorted(tracks, key=lambda track: -tracks[track][1])
    taken: dict[int, Tensor] = {}
    masks = {}
    for track in order:
        sentence, _, _, mask = tracks[track]
        if sentence in taken:
            masks[track] = mask & ~taken[sentence]
            taken[sentence] = taken[sentence] | mask
        else:
            masks[track] = taken[sentence] = mask
    return {
        track: (sentence, score, masks[track])
        for track, (sentence, _, score, _) in tracks.items()
    }

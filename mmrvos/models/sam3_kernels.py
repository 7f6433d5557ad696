"""Mask NMS and connected components for SAM 3, on any machine.

transformers removes duplicate detections, fills holes and removes small spots
with an optional package, ``kernels``, that fetches compiled code from the hub.
Without it these steps are skipped, so masks depend on the machine. This
module replaces the kernels by scipy. It is the only place that touches a
private name of transformers: ``cv_utils_kernel``.
"""
import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from transformers.models.sam3_video import modeling_sam3_video


class ScipyKernels:
    """Functions of ``kernels-community/cv-utils`` that SAM 3 calls."""

    @staticmethod
    def generic_nms(ious: Tensor, scores: Tensor, threshold: float,
                    use_iou_matrix: bool = True) -> Tensor:
        """Keep the best detections that do not overlap a better one.

        Args:
            ious: (N, N).
            scores: (N,).
            threshold: largest IoU of two detections that are both kept.
            use_iou_matrix: always true here.

        Returns:
            Indices of the kept detections, by falling score.
        """
        overlaps = (ious > threshold).cpu()
        kept: list[int] = []
        for i in scores.argsort(descending=True, stable=True).tolist():
            if not overlaps[i, kept].any():
                kept.append(i)
        return torch.tensor(kept, device=ious.device)

    @staticmethod
    def cc_2d(masks: Tensor,
              get_counts: bool = True) -> tuple[Tensor, Tensor]:
        """Label the connected components (8 neighbours) of masks.

        Args:
            masks: (N, 1, H, W) uint8.
            get_counts: always true here.

        Returns:
            Labels, from 1 in each mask, and the area of each pixel's
            component, both (N, 1, H, W) int32 and 0 outside the masks.
        """
        labels = np.zeros(masks.shape, np.int32)
        counts = np.zeros(masks.shape, np.int32)
        for n, mask in enumerate(masks[:, 0].cpu().numpy()):
            labels[n, 0], _ = ndimage.label(mask, np.ones((3, 3)))
            areas = np.bincount(labels[n, 0].ravel())
            areas[0] = 0
            counts[n, 0] = areas[labels[n, 0]]
        return tuple(
            torch.from_numpy(a).to(masks.device) for a in (labels, counts))


def use_scipy_kernels() -> None:
    """Let transformers' SAM 3 call :class:`ScipyKernels` in this process.

    Raises:
        RuntimeError: this version of transformers has no such name.
    """
    if not hasattr(modeling_sam3_video, 'cv_utils_kernel'):
        raise RuntimeError(
            'this version of transformers has another place for the kernels '
            'of SAM 3 than modeling_sam3_video.cv_utils_kernel: install '
            'transformers 5.24')
    modeling_sam3_video.cv_utils_kernel = ScipyKernels

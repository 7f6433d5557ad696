import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pycocotools.mask as mask_utils

from mmrvos.registry import METRICS
from mmrvos.utils import check_name, safe_join
from mmrvos.utils.unfinished import replacing

from ..submission import TOP_FOLDERS, mask_path, save_mask
from .protocol import MetricProtocol


@METRICS.register_module()
class SubmissionWriter(MetricProtocol):
    """Write predictions in the layout that a benchmark's server expects.

    Computes no score and needs no ground truth. Every rank writes the PNGs of
    its videos into ``out_dir``, which all ranks must share. The first rank
    then packs exactly these files into ``<out_dir>.zip``.

    Args:
        layout: 'ytvos' (``Annotations/<video>/<expression>/<frame>.png``) or
            'mevis' (the same without the top folder).
        out_dir: folder for the PNGs.
        make_zip: pack them.
        collect_device, prefix: as in MMEngine.
    """

    default_prefix = 'submission'

    def __init__(self,
                 *,
                 layout: str,
                 out_dir: str,
                 make_zip: bool = True,
                 collect_device: str = 'cpu',
                 prefix: str | None = None) -> None:
        if layout not in TOP_FOLDERS:
            raise ValueError(
                f'SubmissionWriter got layout={layout!r}, expected one of '
                f'{sorted(TOP_FOLDERS)}')
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.layout = layout
        self.out_dir = Path(out_dir)
        self.make_zip = make_zip
        # path without case: the path, and the names that it was made from
        self._written: dict[str, tuple[str, tuple[str, ...]]] = {}

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Write the masks of some videos.

        Raises:
            ValueError: a video id, expression id or frame name leads out of
                ``out_dir``, or two masks have the same path. Nothing of that
                video is written.
        """
        for sample in data_samples:
            paths = self._paths(sample)
            for row, rles in zip(paths, sample['pred']['masks'], strict=True):
                for path, rle in zip(row, rles, strict=True):
                    save_mask(self.out_dir / path, mask_utils.decode(rle))
            self.results.append([path for row in paths for path in row])

    def compute_metrics(self, results: list[list[str]]) -> dict[str, float]:
        """Pack the written files and count them."""
        paths = sorted({path for written in results for path in written})
        if self.make_zip:
            target = self.out_dir.with_name(self.out_dir.name + '.zip')
            # PNGs are compressed already
            with replacing(target) as partial, zipfile.ZipFile(
                    partial, 'w', zipfile.ZIP_STORED) as archive:
                for path in paths:
                    archive.write(self.out_dir / path, path)
        return dict(videos=len(results), masks=len(paths))

    def _paths(self, sample: dict) -> list[list[str]]:
        """Checked paths under ``out_dir``, one list per expression."""
        source = f'submission {self.out_dir}'
        video = check_name(sample['video_id'], 'video id', source)
        for frame in sample['frame_names']:
            check_name(frame, f'frame name of video {video!r},', source)
        paths = []
        for exp_id in sample['exp_ids']:
            check_name(exp_id, f'expression id of video {video!r},', source)
            row = []
            for frame in sample['frame_names']:
                path = mask_path(self.layout, video, exp_id, frame)
                safe_join(self.out_dir, path, 'mask', source, writing=True)
                self._claim(path, (video, exp_id, frame))
                row.append(path)
            paths.append(row)
        return paths

    def _claim(self, path: str, names: tuple[str, ...]) -> None:
        """Refuse a path that holds the mask of other names.

        'a/b' + 'c' and 'a' + 'b/c' are one path. 'A' and 'a' are one path
        where the file system ignores case.
        """
        first, owner = self._written.setdefault(path.casefold(),
                                                (path, names))
        if owner == names:
            return
        here, there = self.out_dir / path, self.out_dir / first
        if path == first or here.exists() and here.samefile(there):
            raise ValueError(
                f'submission {self.out_dir}: the masks of {owner} and {names} '
                f'(video, expression, frame) have the same path {path}')

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pycocotools.mask as mask_utils
from mmengine.evaluator import BaseMetric

from mmrvos.registry import METRICS

from ..submission import TOP_FOLDERS, mask_path, save_mask


@METRICS.register_module()
class SubmissionWriter(BaseMetric):
    """Writes predictions the way a benchmark's server takes them; it measures
    nothing and needs no ground truth.

    Every rank writes its videos' PNGs into ``out_dir``, which all ranks must
    share; then the first one packs exactly these files into ``<out_dir>.zip``.

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

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        for sample in data_samples:
            written = []
            for exp_id, rles in zip(
                    sample['exp_ids'], sample['pred']['masks'], strict=True):
                for frame, rle in zip(
                        sample['frame_names'], rles, strict=True):
                    path = mask_path(
                        self.layout, sample['video_id'], exp_id, frame)
                    save_mask(self.out_dir / path, mask_utils.decode(rle))
                    written.append(path)
            self.results.append(written)

    def compute_metrics(self, results: list[list[str]]) -> dict[str, float]:
        paths = sorted({path for written in results for path in written})
        if self.make_zip:
            target = self.out_dir.with_name(self.out_dir.name + '.zip')
            # PNGs are compressed already
            with zipfile.ZipFile(target, 'w', zipfile.ZIP_STORED) as archive:
                for path in paths:
                    archive.write(self.out_dir / path, path)
        return dict(videos=len(results), masks=len(paths))

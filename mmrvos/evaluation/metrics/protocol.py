from typing import Any


class MetricProtocol:
    """What MMEngine's evaluator calls, as in its ``BaseMetric``.

    Metrics do not inherit from ``BaseMetric``, because its import loads
    PyTorch (1.5 s), which scoring files on disk does not need. A subclass
    appends to ``results`` in ``process`` and implements ``compute_metrics``.

    Args:
        collect_device: 'cpu' or 'gpu', where results of ranks are merged.
        prefix: of the names of the numbers, before a slash.
    """

    default_prefix: str | None = None

    def __init__(self,
                 collect_device: str = 'cpu',
                 prefix: str | None = None) -> None:
        self.collect_device = collect_device
        self.collect_dir = None
        self.prefix = prefix or self.default_prefix
        self._dataset_meta: dict | None = None
        self.results: list[Any] = []

    @property
    def dataset_meta(self) -> dict | None:
        """Meta information of the dataset, set before the first iteration."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict) -> None:
        self._dataset_meta = dataset_meta

    def evaluate(self, size: int) -> dict[str, Any]:
        """Merge the results of all ranks and compute the numbers.

        Args:
            size: length of the dataset.
        """
        from mmengine.evaluator import BaseMetric  # imports torch
        return BaseMetric.evaluate(self, size)

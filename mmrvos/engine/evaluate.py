from collections.abc import Sequence

from mmengine.config import Config

from .runner import RVOSRunner, bare_model
from .test_time_augmentation import use_tta


def evaluate(cfg: Config,
             checkpoint: str | None,
             compile: bool = False,
             tta_scales: Sequence[float] | None = None) -> dict[str, float]:
    """Test a checkpoint on the test data set of a config.

    Args:
        cfg: the config, changed in place as by :func:`test_runner`.
        checkpoint: file or address; every key must fit. None for a
            :class:`PretrainedSegmentor`.
        compile: compile the large parts of the model with torch.compile.
        tta_scales: scales of test-time augmentation, see :func:`use_tta`; None
            for none.

    Returns:
        The metrics by name, with the prefix of their class.
    """
    return test_runner(cfg, checkpoint, compile, tta_scales).test()


def test_runner(cfg: Config,
                checkpoint: str | None,
                compile: bool = False,
                tta_scales: Sequence[float] | None = None) -> RVOSRunner:
    """Build the runner of a test, see :func:`evaluate`.

    Args:
        cfg: the config; its keys ``load_from``, ``resume`` and ``load_cfg``
            are set, and those of test-time augmentation.
    """
    cfg.load_from, cfg.resume, cfg.load_cfg = checkpoint, False, None
    if tta_scales is not None:
        use_tta(cfg, tta_scales)
    runner = RVOSRunner.from_cfg(cfg)
    if compile:
        bare_model(runner.model).compile_parts()
    return runner

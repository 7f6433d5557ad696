from mmengine.config import Config

from .runner import RVOSRunner, bare_model


def evaluate(cfg: Config,
             checkpoint: str | None,
             compile: bool = False) -> dict[str, float]:
    """Test a checkpoint on the test data set of a config.

    Args:
        cfg: the config; its keys ``load_from``, ``resume`` and ``load_cfg``
            are set.
        checkpoint: file or address; every key must fit. None for a
            :class:`PretrainedSegmentor`.
        compile: compile the large parts of the model with torch.compile.

    Returns:
        The metrics by name, with the prefix of their class.
    """
    cfg.load_from, cfg.resume, cfg.load_cfg = checkpoint, False, None
    runner = RVOSRunner.from_cfg(cfg)
    if compile:
        bare_model(runner.model).compile_parts()
    return runner.test()

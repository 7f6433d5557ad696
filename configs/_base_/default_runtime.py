default_scope = 'mmrvos'

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', interval=1, max_keep_ckpts=3),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    epoch_seed=dict(type='EpochSeedHook'),
    check_finite=dict(type='CheckFiniteHook'),
    # tools/test.py --show-dir sets draw and out_dir
    visualization=dict(
        type='RVOSVisualizationHook', draw=False, interval=1, out_dir=None))

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    # Without a GPU, processes communicate over gloo and ignore this backend.
    dist_cfg=dict(backend='nccl'))
randomness = dict(seed=None, deterministic=False, diff_rank_seed=True)

vis_backends = [dict(type='LocalVisBackend')]
# Without a name: the runner gives each training its own.
visualizer = dict(type='RVOSVisualizer', vis_backends=vis_backends)
log_processor = dict(
    type='TableLogProcessor', window_size=50, by_epoch=True)
log_level = 'INFO'

load_from = None
# Keys of ``load_from`` (regular expressions) that are not loaded on purpose;
# any other difference between a checkpoint and the model is an error.
load_cfg = dict(drop=[])
resume = False
find_unused_parameters = False

from lazy_loader import attach

from mmrvos.model_index import ModelEntry, find_model, read_model_index

__getattr__, _, __all__ = attach(
    __name__,
    submod_attrs={
        'frame_sources': ['VideoSource'],
        'output_folder': ['OUTPUTS', 'check_folder'],
        'results': ['ExpressionResult', 'SegmentedFrames'],
        'rvos_inferencer': ['RVOSInferencer'],
        'video_source': ['open_video'],
    })
__all__ += ['ModelEntry', 'find_model', 'read_model_index']


def __dir__() -> list[str]:
    return __all__

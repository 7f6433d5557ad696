from mmrvos.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__, {
        'mmrvos.model_index': ['ModelEntry', 'find_model', 'read_model_index'],
        '.frame_sources': ['VideoSource'],
        '.output_folder': ['OUTPUTS', 'check_folder'],
        '.results': ['ExpressionResult', 'SegmentedFrames'],
        '.rvos_inferencer': ['RVOSInferencer'],
        '.video_source': ['open_video'],
    })

from mmrvos.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__, {
        '.masks': ['MaskSource', 'PNGMasks', 'RLEMasks', 'UnknownObjectError'],
        '.rvos_data_sample': ['RVOSDataSample'],
    })

from lazy_loader import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    submod_attrs={
        'masks': ['MaskSource', 'PNGMasks', 'RLEMasks', 'UnknownObjectError'],
        'rvos_data_sample': ['RVOSDataSample'],
    })

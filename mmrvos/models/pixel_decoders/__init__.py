from .cross_modal_fpn import CrossModalFPN

__all__ = ['CrossModalFPN']

from .cross_modal_fusion import CrossModalFusion

__all__ = ['CrossModalFusion']

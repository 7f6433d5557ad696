from .runner import RVOSRunner

__all__ = ['RVOSRunner']

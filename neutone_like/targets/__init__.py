"""A compiled model as a library or as C++ source, for somebody's own plugin, game or board."""

from neutone_like.targets.building import build_targets
from neutone_like.targets.target import TARGETS

__all__ = ["TARGETS", "build_targets"]

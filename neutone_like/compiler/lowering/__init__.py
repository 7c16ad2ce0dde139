"""From a graph's operations to a plan's steps: one rule for each operation."""

from neutone_like.compiler.lowering import (
    convolutions,
    elementwise,
    indexing,
    joining,
    making,
    movement,
    products,
    recurrent,
    reductions,
    scans,
    spectra,
)
from neutone_like.compiler.lowering.context import RULES
from neutone_like.compiler.lowering.lower import lower

__all__ = [
    "RULES",
    "convolutions",
    "elementwise",
    "indexing",
    "joining",
    "lower",
    "making",
    "movement",
    "products",
    "recurrent",
    "reductions",
    "scans",
    "spectra",
]

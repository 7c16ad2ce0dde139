"""From a graph's operations to a plan's steps: one rule for each operation."""

from neutone_like.compiler.lowering import elementwise, movement, products, recurrent, reductions, spectra
from neutone_like.compiler.lowering.context import RULES, Context
from neutone_like.compiler.lowering.lower import lower

__all__ = ["RULES", "Context", "elementwise", "lower", "movement", "products", "recurrent", "reductions", "spectra"]

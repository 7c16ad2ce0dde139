"""From a captured network to a plan that plays without PyTorch: numbers, and no code."""

from neutone_like.compiler.file import TestVector, write_plan
from neutone_like.compiler.plan import Plan
from neutone_like.compiler.planning import GRANULE, plan_graph
from neutone_like.compiler.proof import Accuracy

__all__ = ["GRANULE", "Accuracy", "Plan", "TestVector", "plan_graph", "write_plan"]

"""From a captured network to a plan that plays without PyTorch: numbers, and no code."""

from typing import TYPE_CHECKING

from neutone_like.lazy import export_lazily

if TYPE_CHECKING:
    from neutone_like.compiler.file import TestVector as TestVector
    from neutone_like.compiler.file import write_plan as write_plan
    from neutone_like.compiler.plan import Plan as Plan
    from neutone_like.compiler.planning import GRANULE as GRANULE
    from neutone_like.compiler.planning import plan_graph as plan_graph
    from neutone_like.compiler.proof import Accuracy as Accuracy

export_lazily(
    globals(),
    {
        "neutone_like.compiler.file": ("TestVector", "write_plan"),
        "neutone_like.compiler.plan": ("Plan",),
        "neutone_like.compiler.planning": ("GRANULE", "plan_graph"),
        "neutone_like.compiler.proof": ("Accuracy",),
    },
)

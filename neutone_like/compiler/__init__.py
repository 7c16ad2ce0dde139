"""From a captured network to a plan that plays without PyTorch: numbers, and no code."""

from typing import TYPE_CHECKING

from neutone_like.lazy import export_lazily

if TYPE_CHECKING:
    from neutone_like.compiler.model import CompiledModel as CompiledModel
    from neutone_like.compiler.model import CompileReport as CompileReport
    from neutone_like.compiler.model import compile_model as compile_model
    from neutone_like.compiler.model import load_compiled as load_compiled
    from neutone_like.compiler.plan import Plan as Plan
    from neutone_like.compiler.planning import plan_graph as plan_graph

export_lazily(
    globals(),
    {
        "neutone_like.compiler.model": ("CompileReport", "CompiledModel", "compile_model", "load_compiled"),
        "neutone_like.compiler.plan": ("Plan",),
        "neutone_like.compiler.planning": ("plan_graph",),
    },
)

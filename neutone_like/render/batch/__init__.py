"""Many files through one model: planned, spread over processes or a cluster, recorded, resumed."""

from typing import TYPE_CHECKING

from neutone_like.lazy import export_lazily

if TYPE_CHECKING:
    from neutone_like.render.batch.locations import PlanError as PlanError
    from neutone_like.render.batch.locations import StoreError as StoreError
    from neutone_like.render.batch.records import FileRecord as FileRecord
    from neutone_like.render.batch.records import WrittenFile as WrittenFile
    from neutone_like.render.batch.results import BatchResult as BatchResult
    from neutone_like.render.batch.results import RenderInterrupted as RenderInterrupted
    from neutone_like.render.batch.running import render_files as render_files

export_lazily(
    globals(),
    {
        "neutone_like.render.batch.locations": ("PlanError", "StoreError"),
        "neutone_like.render.batch.records": ("FileRecord", "WrittenFile"),
        "neutone_like.render.batch.results": ("BatchResult", "RenderInterrupted"),
        "neutone_like.render.batch.running": ("render_files",),
    },
)

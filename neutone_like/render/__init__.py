"""Offline: audio files and arrays through models and pedalboard plugins."""

from typing import TYPE_CHECKING

from neutone_like.lazy import export_lazily

if TYPE_CHECKING:
    from neutone_like.render.batch import BatchResult as BatchResult
    from neutone_like.render.batch import FileRecord as FileRecord
    from neutone_like.render.batch import RenderInterrupted as RenderInterrupted
    from neutone_like.render.batch import WrittenFile as WrittenFile
    from neutone_like.render.batch import render_files as render_files
    from neutone_like.render.board import Board as Board
    from neutone_like.render.file_rendering import render_file as render_file
    from neutone_like.render.model_plugin import ModelPlugin as ModelPlugin
    from neutone_like.render.offline_plugin import NonRealtimePlugin as NonRealtimePlugin
    from neutone_like.render.offline_plugin import OfflinePlugin as OfflinePlugin
    from neutone_like.render.render_result import RenderResult as RenderResult

export_lazily(
    globals(),
    {
        "neutone_like.render.batch": ("BatchResult", "FileRecord", "RenderInterrupted", "WrittenFile", "render_files"),
        "neutone_like.render.board": ("Board",),
        "neutone_like.render.file_rendering": ("render_file",),
        "neutone_like.render.model_plugin": ("ModelPlugin",),
        "neutone_like.render.offline_plugin": ("NonRealtimePlugin", "OfflinePlugin"),
        "neutone_like.render.render_result": ("RenderResult",),
    },
)

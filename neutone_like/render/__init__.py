"""Offline: audio files and arrays through models and pedalboard plugins."""

from neutone_like.render.batch import BatchResult as BatchResult
from neutone_like.render.batch import FileRecord as FileRecord
from neutone_like.render.batch import RenderInterrupted as RenderInterrupted
from neutone_like.render.batch import WrittenFile as WrittenFile
from neutone_like.render.batch import render_files as render_files
from neutone_like.render.board import Board as Board
from neutone_like.render.file_rendering import render_file as render_file
from neutone_like.render.model_plugin import ModelPlugin as ModelPlugin
from neutone_like.render.offline_plugin import OfflinePlugin as OfflinePlugin
from neutone_like.render.render_result import RenderResult as RenderResult

NonRealtimePlugin = OfflinePlugin  # its name in 0.1

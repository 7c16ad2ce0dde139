"""Offline: audio files and arrays through models and pedalboard plugins."""

from neutone_like.render.board import Board as Board
from neutone_like.render.file_rendering import RenderResult as RenderResult
from neutone_like.render.file_rendering import render_file as render_file
from neutone_like.render.model_plugin import ModelPlugin as ModelPlugin

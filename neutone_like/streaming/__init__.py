"""Layers that keep state between blocks, and the proof that they do."""

from neutone_like.streaming.layer import StreamingLayer, streaming_layers

__all__ = ["StreamingLayer", "streaming_layers"]

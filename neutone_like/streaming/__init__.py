"""Layers that keep state between blocks, and the proof that they do."""

from neutone_like.streaming.container import Parallel, Residual, Sequential
from neutone_like.streaming.conv import Conv1d
from neutone_like.streaming.conv_transpose import ConvTranspose1d
from neutone_like.streaming.delay import Delay
from neutone_like.streaming.layer import StreamingLayer, block_multiple, reset_streaming, streaming_layers
from neutone_like.streaming.report import StreamingCheck, StreamingReport
from neutone_like.streaming.start import SilentStart
from neutone_like.streaming.verify import verify_streaming

__all__ = [
    "Conv1d",
    "ConvTranspose1d",
    "Delay",
    "Parallel",
    "Residual",
    "Sequential",
    "SilentStart",
    "StreamingCheck",
    "StreamingLayer",
    "StreamingReport",
    "block_multiple",
    "reset_streaming",
    "streaming_layers",
    "verify_streaming",
]

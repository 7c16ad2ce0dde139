"""Layers that keep state between blocks, and the proof that they do."""

from neutone_like.streaming.attention import Attention
from neutone_like.streaming.layer import StreamingLayer, streaming_layers
from neutone_like.streaming.linear_attention import LinearAttention
from neutone_like.streaming.recurrent import GRU, LSTM, RNN
from neutone_like.streaming.state_space import DiagonalStateSpace

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Attention",
    "DiagonalStateSpace",
    "LinearAttention",
    "StreamingLayer",
    "streaming_layers",
]

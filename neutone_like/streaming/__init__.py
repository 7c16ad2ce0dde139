"""Layers that keep state between blocks, and the proof that they do."""

from neutone_like.streaming.attention import Attention
from neutone_like.streaming.container import Parallel, Residual, Sequential
from neutone_like.streaming.conv import Conv1d
from neutone_like.streaming.conv_transpose import ConvTranspose1d
from neutone_like.streaming.conversion import ConditionedNetwork, StreamingNetwork, to_streaming
from neutone_like.streaming.crossfade import OverlapAddCrossfade
from neutone_like.streaming.delay import Delay
from neutone_like.streaming.fir import FIR
from neutone_like.streaming.fractional_delay import FractionalDelay
from neutone_like.streaming.layer import StreamingLayer, block_multiple, reset_streaming, streaming_layers
from neutone_like.streaming.linear_attention import LinearAttention
from neutone_like.streaming.mel import MelSpectrogram
from neutone_like.streaming.normalisation import ChannelNorm, CumulativeLayerNorm, refuse_unstreamable
from neutone_like.streaming.pooling import Hold, Interpolate, Pool1d
from neutone_like.streaming.pqmf import PQMFAnalysis, PQMFSynthesis
from neutone_like.streaming.recurrent import GRU, LSTM, RNN
from neutone_like.streaming.recursive import IIR, Biquad
from neutone_like.streaming.report import StreamingCheck, StreamingReport
from neutone_like.streaming.spectrum import STFT, InverseSTFT
from neutone_like.streaming.start import SilentStart
from neutone_like.streaming.state_space import DiagonalStateSpace
from neutone_like.streaming.state_variable import StateVariableFilter
from neutone_like.streaming.verify import verify_streaming

__all__ = [
    "FIR",
    "GRU",
    "IIR",
    "LSTM",
    "RNN",
    "STFT",
    "Attention",
    "Biquad",
    "ChannelNorm",
    "ConditionedNetwork",
    "Conv1d",
    "ConvTranspose1d",
    "CumulativeLayerNorm",
    "Delay",
    "DiagonalStateSpace",
    "FractionalDelay",
    "Hold",
    "Interpolate",
    "InverseSTFT",
    "LinearAttention",
    "MelSpectrogram",
    "OverlapAddCrossfade",
    "PQMFAnalysis",
    "PQMFSynthesis",
    "Parallel",
    "Pool1d",
    "Residual",
    "Sequential",
    "SilentStart",
    "StateVariableFilter",
    "StreamingCheck",
    "StreamingLayer",
    "StreamingNetwork",
    "StreamingReport",
    "block_multiple",
    "refuse_unstreamable",
    "reset_streaming",
    "streaming_layers",
    "to_streaming",
    "verify_streaming",
]

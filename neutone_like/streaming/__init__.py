"""Layers that keep state between blocks, and the proof that they do."""

from neutone_like.streaming.attention import Attention
from neutone_like.streaming.crossfade import OverlapAddCrossfade
from neutone_like.streaming.fir import FIR
from neutone_like.streaming.fractional_delay import FractionalDelay
from neutone_like.streaming.layer import StreamingLayer, streaming_layers
from neutone_like.streaming.linear_attention import LinearAttention
from neutone_like.streaming.mel import MelSpectrogram
from neutone_like.streaming.pqmf import PQMFAnalysis, PQMFSynthesis
from neutone_like.streaming.recurrent import GRU, LSTM, RNN
from neutone_like.streaming.recursive import IIR, Biquad
from neutone_like.streaming.spectrum import STFT, InverseSTFT
from neutone_like.streaming.state_space import DiagonalStateSpace
from neutone_like.streaming.state_variable import StateVariableFilter

__all__ = [
    "FIR",
    "GRU",
    "IIR",
    "LSTM",
    "RNN",
    "STFT",
    "Attention",
    "Biquad",
    "DiagonalStateSpace",
    "FractionalDelay",
    "InverseSTFT",
    "LinearAttention",
    "MelSpectrogram",
    "OverlapAddCrossfade",
    "PQMFAnalysis",
    "PQMFSynthesis",
    "StateVariableFilter",
    "StreamingLayer",
    "streaming_layers",
]

"""Fits a model to a host inside TorchScript: rings, resampler, latency, channels, smoothing."""

from neutone_like.host.contract_metadata import contract_metadata as contract_metadata
from neutone_like.host.wrapper import SampleQueueWrapper as SampleQueueWrapper

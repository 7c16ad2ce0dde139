"""Fits a model to a host inside TorchScript: rings, resampler, latency, channels, smoothing."""

from neutone_like.host.contract_metadata import contract_metadata as contract_metadata
from neutone_like.host.live_wrapper import SampleQueueWrapper as SampleQueueWrapper
from neutone_like.host.offline_metadata import offline_contract_metadata as offline_contract_metadata
from neutone_like.host.offline_wrapper import NonRealtimeSampleQueueWrapper as NonRealtimeSampleQueueWrapper

"""Fits a model to a host inside TorchScript: rings, resampler, latency, channels, smoothing."""

from neutone_like.host.contract_metadata import contract_metadata as contract_metadata
from neutone_like.host.non_realtime_metadata import non_realtime_contract_metadata as non_realtime_contract_metadata
from neutone_like.host.non_realtime_wrapper import NonRealtimeSampleQueueWrapper as NonRealtimeSampleQueueWrapper
from neutone_like.host.wrapper import SampleQueueWrapper as SampleQueueWrapper

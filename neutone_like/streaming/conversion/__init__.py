"""An ordinary network of whole signals becomes one that plays them block by block."""

from neutone_like.streaming.conversion.network import ConditionedNetwork, StreamingNetwork, to_streaming

__all__ = ["ConditionedNetwork", "StreamingNetwork", "to_streaming"]

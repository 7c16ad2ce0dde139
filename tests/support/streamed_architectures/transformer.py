"""The transformer by streaming layers: keys and values of the window are kept from block to block."""

from neutone_like.streaming import Attention, Conv1d, ConvTranspose1d, Residual, Sequential, StreamingLayer
from support.architectures.transformer import CausalSelfAttention, FrameTransformer, TransformerBlock
from support.streamed_architectures.frames import EachFrame


def attention(ordinary: CausalSelfAttention) -> Attention:
    layer = Attention(ordinary.proj.in_features, ordinary.heads, ordinary.window, positions="rotary")
    weights = {"in_proj_weight": ordinary.qkv.weight, "in_proj_bias": ordinary.qkv.bias}
    projection = {"out_proj.weight": ordinary.proj.weight, "out_proj.bias": ordinary.proj.bias}
    layer.load_state_dict({**weights, **projection})
    return layer


def block(ordinary: TransformerBlock) -> StreamingLayer:
    attending = Residual(Sequential(EachFrame(ordinary.norm1), attention(ordinary.attention)))
    return Sequential(attending, Residual(Sequential(EachFrame(ordinary.norm2, ordinary.mlp))))


def stream(network: FrameTransformer) -> StreamingLayer:
    return Sequential(
        Conv1d.from_torch(network.embed),
        *(block(each) for each in network.blocks if isinstance(each, TransformerBlock)),
        EachFrame(network.norm),
        ConvTranspose1d.from_torch(network.head),
    )

"""Linear attention and a state space by streaming layers: a matrix and a vector of sums instead of the past."""

from torch import nn

from neutone_like.streaming import DiagonalStateSpace, LinearAttention, Residual, Sequential, StreamingLayer
from support.architectures.linear_state_space import S4D, LinearStateSpace, Retention
from support.streamed_architectures.frames import EachFrame


def attention(ordinary: Retention) -> LinearAttention:
    half_lives = ordinary.half_lives.tolist()
    layer = LinearAttention(ordinary.proj.in_features, ordinary.heads, half_lives)
    weights = {"in_proj_weight": ordinary.qkv.weight, "in_proj_bias": ordinary.qkv.bias}
    projection = {"out_proj.weight": ordinary.proj.weight, "out_proj.bias": ordinary.proj.bias}
    layer.load_state_dict({**weights, **projection, "halvings_per_sample": 1.0 / ordinary.half_lives})
    return layer


def state_space(ordinary: S4D) -> DiagonalStateSpace:
    channels, states = ordinary.frequency.shape
    layer = DiagonalStateSpace(channels, states)
    weights = {name: getattr(ordinary, name) for name in ("log_step", "log_damping", "frequency")}
    layer.load_state_dict({**weights, "output_weight": ordinary.output, "direct": ordinary.skip})
    return layer


def stream(network: LinearStateSpace) -> StreamingLayer:
    mixed = (EachFrame(network.norm2), state_space(network.state_space), nn.GELU(), network.gate, nn.GLU(dim=1))
    return Sequential(
        network.embed,
        Residual(Sequential(EachFrame(network.norm1), attention(network.attention))),
        Residual(Sequential(*mixed)),
        network.head,
    )

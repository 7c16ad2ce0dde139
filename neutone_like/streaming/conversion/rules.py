"""Which rule converts which operation."""

from collections.abc import Callable
from typing import Any

import torch

from neutone_like.graph import operation
from neutone_like.streaming.conversion import (
    overlap_add,
    rearranging,
    recurrent_rules,
    rowwise,
    running,
    upsampling,
    windows,
)
from neutone_like.streaming.conversion.attention_rule import attention
from neutone_like.streaming.conversion.calling import Call
from neutone_like.streaming.conversion.refusing import refuse, refuse_random
from neutone_like.streaming.conversion.writer import Writer

Rule = Callable[[Writer, Call], Any]
"""Writes a call for a stream, and says what its result is."""

_PLAIN = (
    "alias clone contiguous detach to type_as _to_copy lift_fresh "
    "lift_fresh_copy transpose permute movedim swapaxes unsqueeze squeeze t numpy_T mT conj view_as_real real imag "
    "view_as_complex complex polar embedding where masked_fill cdist zeros_like ones_like full_like "
    "resolve_conj resolve_neg atleast_1d atleast_2d atleast_3d stack broadcast_tensors one_hot hardswish log_sigmoid "
    "bucketize special_i0 fake_quantize_per_tensor_affine"
)
_OVER_DIMS = (
    "softmax log_softmax _softmax _log_softmax mean sum prod amax amin max min argmax argmin std var std_mean "
    "var_mean norm linalg_vector_norm logsumexp glu chunk split split_with_sizes tensor_split unbind select "
    "index_select gather flip roll sort topk fft_fft fft_ifft fft_rfft fft_irfft fft_hfft all any median "
    "count_nonzero cosine_similarity trapz trapezoid"
)
_TABLE: tuple[tuple[str, Rule], ...] = (
    (_PLAIN, rowwise.rowwise),
    (_OVER_DIMS, rowwise.over_dims),
    ("index", rowwise.chosen),
    ("dropout alpha_dropout feature_dropout feature_alpha_dropout rrelu", rowwise.random_in_training),
    ("layer_norm native_layer_norm rms_norm", rowwise.normalised_shape),
    ("batch_norm _native_batch_norm_legit_no_training prelu channel_shuffle", rowwise.over_channels),
    (
        "group_norm native_group_norm instance_norm adaptive_avg_pool1d adaptive_max_pool1d adaptive_avg_pool2d "
        "adaptive_max_pool2d",
        rowwise.over_batch_items,
    ),
    ("matmul mm bmm addmm baddbmm mv", rowwise.product),
    ("linear", rowwise.linear),
    ("einsum", rowwise.einsum),
    ("conv1d conv2d conv3d", windows.convolution),
    ("avg_pool1d avg_pool2d max_pool1d max_pool2d", windows.pooling),
    ("unfold", windows.framing),
    ("im2col", windows.columns),
    ("diff", windows.differences),
    ("stft", windows.spectra),
    ("convolution", overlap_add.either_convolution),
    ("conv_transpose1d conv_transpose2d", overlap_add.transposed_convolution),
    ("col2im", overlap_add.folding),
    ("istft", overlap_add.inverse_spectra),
    ("upsample_nearest1d upsample_nearest2d repeat_interleave", upsampling.held),
    ("upsample_linear1d", upsampling.lines_between),
    ("view reshape flatten unflatten _unsafe_view", rearranging.viewing),
    ("slice", rearranging.slicing),
    ("narrow", rearranging.narrowing),
    ("pad constant_pad_nd", rearranging.padding),
    ("cat concat concatenate", rearranging.concatenation),
    ("cumsum cumprod logcumsumexp cummax cummin", running.running),
    (
        "expand expand_as repeat tile new_zeros new_ones new_full zeros ones full scalar_tensor broadcast_to",
        rearranging.stretched,
    ),
    ("arange", rearranging.counting),
    ("lstm gru rnn_tanh rnn_relu", recurrent_rules.recurrent),
    ("scaled_dot_product_attention", attention),
)
_TAKE_HELD: tuple[Rule, ...] = (
    rowwise.rowwise,
    rowwise.over_dims,
    rowwise.chosen,
    rowwise.random_in_training,
    rowwise.normalised_shape,
    rowwise.over_channels,
    rowwise.product,
    rowwise.linear,
    rowwise.einsum,
    windows.convolution,
    windows.pooling,
    windows.framing,
    windows.columns,
    windows.differences,
    windows.spectra,
    rearranging.slicing,
    rearranging.narrowing,
    rearranging.padding,
)
_RULES = {name: rule for names, rule in _TABLE for name in names.split()}


def rule_of(call: Call) -> Rule:
    """How the operation is converted.

    Raises:
        ModelError: It draws random numbers, or nothing is known of it.
    """
    name = _name(call)
    if name in _RULES:
        return _RULES[name]
    tags = operation(call.node.op).tags
    if torch.Tag.nondeterministic_seeded in tags:
        refuse_random(call.node)
    if torch.Tag.pointwise in tags:
        return rowwise.rowwise
    refuse(
        call.node, "is an operation of which it is not known how time goes through it", "Replace it by standard layers"
    )


def takes_held(call: Call) -> bool:
    """Whether the rule takes streams that begin with samples of their first one's value; else these become delay."""
    rule = _RULES.get(_name(call))
    return rule in _TAKE_HELD if rule else torch.Tag.pointwise in operation(call.node.op).tags


def _name(call: Call) -> str:
    return call.node.op.removeprefix("aten::").partition(".")[0]

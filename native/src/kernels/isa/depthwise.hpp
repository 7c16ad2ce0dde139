// kDepthwise: a filter for each channel.
#pragma once

#include "kernels/isa/activations.hpp"
#include "kernels/isa/operands.hpp"
#include "kernels/isa/partial.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

static Need depthwise_check(const Call& call) {
    if (call.integer_count != 3) return {"three whole numbers: stride, dilation and activation", 0};
    const int64_t stride = call.integers[0], dilation = call.integers[1];
    if (stride < 1 || dilation < 1) return {"a stride and a dilation of at least 1", 0};
    if (call.integers[2] < 0 || call.integers[2] >= kActivations) return {"a known activation", 0};
    if (call.view_count != 4) return {"a result, weights, a bias and an input", 0};
    const Operand &out = call.views[0], &weights = call.views[1], &x = call.views[3];
    if (!out.writable || !are_floats(out, 2) || !are_floats(x, 2) || out.dims[0] != x.dims[0] || !is_contiguous(x)) {
        return {"a result [channels, samples] and an input [channels, any]", 0};
    }
    if (!are_floats(weights, 2) || weights.dims[0] != out.dims[0] || weights.dims[1] < 1 || !is_contiguous(weights) ||
        (weights.dims[0] > 1 && weights.strides[0] != weights.dims[1])) {
        return {"a filter for each channel", 0};
    }
    if (!is_array(call.views[2], out.dims[0])) return {"a bias for each channel", 0};
    // The last sample that is read.
    const int64_t last = (int64_t{out.dims[1]} - 1) * stride + (int64_t{weights.dims[1]} - 1) * dilation;
    if (out.dims[1] > 0 && last >= x.dims[1]) return {"an input as long as the filter reaches", 0};
    return {nullptr, 0};
}

struct DepthwiseChannel {
    const float *weights, *x;
    float bias;
    int32_t taps;
    ptrdiff_t stride, dilation;
    int32_t activation;
};

// kVectors vectors of time that begin at x; a stride of 1.
template <int kVectors>
NEUTONE_LIKE_INLINE void filter_vectors(const DepthwiseChannel& channel, const float* x, float* out, int32_t lanes) {
    Floats sums[kVectors];
    NEUTONE_LIKE_UNROLL for (int v = 0; v < kVectors; ++v) sums[v] = splat(channel.bias);
    for (int32_t k = 0; k < channel.taps; ++k, x += channel.dilation) {
        const Floats weight = splat(channel.weights[k]);
        NEUTONE_LIKE_UNROLL for (int v = 0; v < kVectors; ++v) sums[v] += weight * load(x + v * kLanes);
    }
    NEUTONE_LIKE_UNROLL for (int v = 0; v < kVectors; ++v) {
        const Floats value = activate_as(channel.activation, sums[v]);
        if (v < kVectors - 1 || lanes == kLanes) {
            store(out + v * kLanes, value);
        } else {
            store_first(out + v * kLanes, value, lanes);
        }
    }
}

// Any stride, one sample of each lane at a time: none is read that the filter doesn't reach.
NEUTONE_LIKE_INLINE void filter_strided(const DepthwiseChannel& channel, const float* x, float* out, int32_t lanes) {
    Floats sum = splat(channel.bias);
    for (int32_t k = 0; k < channel.taps; ++k, x += channel.dilation) {
        float samples[kLanes] = {};
        for (int32_t lane = 0; lane < lanes; ++lane) samples[lane] = x[lane * channel.stride];
        sum += splat(channel.weights[k]) * load(samples);
    }
    store_first(out, activate_as(channel.activation, sum), lanes);
}

NEUTONE_LIKE_ALONE static void filter_channel(const DepthwiseChannel& channel, float* out, int32_t samples,
                                              bool is_padded) {
    int32_t t = 0;
    if (channel.stride == 1) {
        for (; t + 4 * kLanes <= samples; t += 4 * kLanes) {
            filter_vectors<4>(channel, channel.x + t, out + t, kLanes);
        }
    }
    for (; t < samples; t += kLanes) {
        const int32_t lanes = samples - t < kLanes ? samples - t : kLanes;
        if (channel.stride == 1) {
            filter_vectors<1>(channel, channel.x + t, out + t, is_padded ? kLanes : lanes);
        } else {
            filter_strided(channel, channel.x + t * channel.stride, out + t, lanes);
        }
    }
}

// A result whose samples are not next to each other, sample by sample.
static void filter_scattered(const DepthwiseChannel& channel, float* out, ptrdiff_t out_stride, int32_t samples) {
    for (int32_t t = 0; t < samples; ++t) {
        float value = channel.bias;
        for (int32_t k = 0; k < channel.taps; ++k) {
            value += channel.weights[k] * channel.x[t * channel.stride + k * channel.dilation];
        }
        out[t * out_stride] = activate_as(channel.activation, splat(value))[0];
    }
}

static void depthwise_run(const Call& call) {
    const Operand &out = call.views[0], &weights = call.views[1], &x = call.views[3];
    const ptrdiff_t out_stride = out.strides[1];
    DepthwiseChannel channel;
    channel.taps = weights.dims[1];
    channel.stride = call.integers[0];
    channel.dilation = call.integers[1];
    channel.activation = call.integers[2];
    for (int32_t c = 0; c < out.dims[0]; ++c) {
        channel.weights = weights.floats() + c * static_cast<ptrdiff_t>(channel.taps);
        channel.x = x.floats() + c * static_cast<ptrdiff_t>(x.strides[0]);
        channel.bias = call.views[2].floats()[c];
        float* to = out.floats() + c * static_cast<ptrdiff_t>(out.strides[0]);
        if (out_stride == 1) {
            filter_channel(channel, to, out.dims[1], (out.flags & kPadded) != 0);
        } else {
            filter_scattered(channel, to, out_stride, out.dims[1]);
        }
    }
}

constexpr Kernel depthwise_kernel = {"depthwise", depthwise_check, depthwise_run};

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

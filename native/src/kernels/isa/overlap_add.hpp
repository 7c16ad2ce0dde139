// Frames that are added where they overlap: what ends an inverse short-time transform or a transposed convolution.
#pragma once

#include "kernels/isa/rows.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

static Need overlap_add_check(const Call& call) {
    if (call.view_count != 2) return refuse("two views: out and in");
    if (const char* wrong = wrong_views(call)) return refuse(wrong);
    if (call.integer_count != 1 || call.integers[0] < 1) return refuse("a hop of at least 1");
    const Operand &out = call.views[0], &in = call.views[1];
    if (out.type != kFloat32 || in.type != kFloat32) return refuse("float32");
    if (out.rank != 2 || in.rank != 3 || out.dims[0] != in.dims[0]) return refuse("out [C, T] and in [C, F, K]");
    const int64_t needed = in.dims[1] == 0 ? 0 : (in.dims[1] - int64_t{1}) * call.integers[0] + in.dims[2];
    if (needed > out.dims[1]) return refuse("an output that holds all frames");
    return scratch(0);
}

NEUTONE_LIKE_INLINE void add_row(float* out, int64_t out_stride, const float* in, int64_t in_stride, int64_t count) {
    if (out_stride == 1 && in_stride == 1) {
        NEUTONE_LIKE_INDEPENDENT for (int64_t i = 0; i < count; ++i) out[i] += in[i];
    } else {
        for (int64_t i = 0; i < count; ++i) out[i * out_stride] += in[i * in_stride];
    }
}

static void overlap_add_run(const Call& call) {
    const Operand &out = call.views[0], &in = call.views[1];
    const int64_t hop = call.integers[0], frames = in.dims[1], length = in.dims[2];
    const int64_t frame_stride = in.strides[1], stride = in.strides[2], out_stride = out.strides[1];
    for (int64_t c = 0; c < out.dims[0]; ++c) {
        float* to = out.floats() + c * out.strides[0];
        const float* from = in.floats() + c * in.strides[0];
        const float silence = 0.0f;
        convert_row(to, out_stride, &silence, 0, out.dims[1]);
        // Along whichever dimension lies in one piece. Either way an output's parts come in a fixed order.
        if (frame_stride == 1 && stride != 1)
            for (int64_t k = 0; k < length; ++k)
                add_row(to + k * out_stride, hop * out_stride, from + k * stride, 1, frames);
        else
            for (int64_t f = 0; f < frames; ++f)
                add_row(to + f * hop * out_stride, out_stride, from + f * frame_stride, stride, length);
    }
}

constexpr Kernel overlap_add_kernel = {"overlap_add", overlap_add_check, overlap_add_run};

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

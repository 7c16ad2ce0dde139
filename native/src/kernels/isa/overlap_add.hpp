// Frames that are added where they overlap: what ends an inverse short-time transform or a transposed convolution.
#pragma once

#include "kernels/isa/rows.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

// Frames that lie beside each other, as a transposed convolution makes them: each phase of the hop is summed as a row.
NEUTONE_LIKE_INLINE bool adds_by_phase(const Operand& in) { return in.strides[1] == 1 && in.strides[2] != 1; }
NEUTONE_LIKE_INLINE int64_t phase_length(const Operand& in, int64_t hop) {
    return in.dims[1] + in.dims[2] / hop + kVectorFloats;
}

static Need overlap_add_check(const Call& call) {
    if (call.view_count != 2) return refuse("two views: out and in");
    if (const char* wrong = wrong_views(call)) return refuse(wrong);
    if (call.integer_count != 1 || call.integers[0] < 1) return refuse("a hop of at least 1");
    const Operand &out = call.views[0], &in = call.views[1];
    if (out.type != kFloat32 || in.type != kFloat32) return refuse("float32");
    if (out.rank != 2 || in.rank != 3 || out.dims[0] != in.dims[0]) return refuse("out [C, T] and in [C, F, K]");
    const int64_t needed = in.dims[1] == 0 ? 0 : (in.dims[1] - int64_t{1}) * call.integers[0] + in.dims[2];
    if (needed > out.dims[1]) return refuse("an output that holds all frames");
    return scratch(adds_by_phase(in) ? phase_length(in, call.integers[0]) * sizeof(float) : 0);
}

NEUTONE_LIKE_INLINE void add_row(float* out, int64_t out_stride, const float* in, int64_t in_stride, int64_t count) {
    if (out_stride == 1 && in_stride == 1) {
        NEUTONE_LIKE_INDEPENDENT for (int64_t i = 0; i < count; ++i) out[i] += in[i];
    } else {
        for (int64_t i = 0; i < count; ++i) out[i * out_stride] += in[i * in_stride];
    }
}

static void add_frames(float* to, const Operand& out, const float* from, const Operand& in, int64_t hop) {
    const float silence = 0.0f;
    convert_row(to, out.strides[1], &silence, 0, out.dims[1]);
    for (int64_t f = 0; f < in.dims[1]; ++f)
        add_row(to + f * hop * out.strides[1], out.strides[1], from + f * in.strides[1], in.strides[2], in.dims[2]);
}

static void add_phases(float* to, const Operand& out, const float* from, const Operand& in, int64_t hop, float* row) {
    for (int64_t phase = 0; phase < smaller(hop, out.dims[1]); ++phase) {
        const int64_t count = (out.dims[1] - phase + hop - 1) / hop;
        const int64_t summed = smaller(count, phase_length(in, hop));
        const float silence = 0.0f;
        convert_row(row, 1, &silence, 0, summed);
        for (int64_t k = phase; k < in.dims[2]; k += hop)
            add_row(row + k / hop, 1, from + k * in.strides[2], 1, in.dims[1]);
        float* const first = to + phase * out.strides[1];
        convert_row(first, hop * out.strides[1], row, 1, summed);
        convert_row(first + summed * hop * out.strides[1], hop * out.strides[1], &silence, 0, count - summed);
    }
}

static void overlap_add_run(const Call& call) {
    const Operand &out = call.views[0], &in = call.views[1];
    for (int64_t c = 0; c < out.dims[0]; ++c) {
        float* to = out.floats() + c * out.strides[0];
        const float* from = in.floats() + c * in.strides[0];
        if (adds_by_phase(in))
            add_phases(to, out, from, in, call.integers[0], static_cast<float*>(call.scratch));
        else
            add_frames(to, out, from, in, call.integers[0]);
    }
}

constexpr Kernel overlap_add_kernel = {"overlap_add", overlap_add_check, overlap_add_run};

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

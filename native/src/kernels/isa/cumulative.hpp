// Sums, products and extremes up to each element of a row, in float64.
#pragma once

#include "kernels/isa/rows.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

enum Cumulation : int32_t { kSumSoFar = 0, kProductSoFar = 1, kLargestSoFar = 2, kCumulations = 3 };
constexpr int64_t kCumulatedAtOnce = 256;

static Need cumulative_check(const Call& call) {
    if (call.view_count != 2) return refuse("two views: out and in");
    if (const char* wrong = wrong_views(call)) return refuse(wrong);
    if (call.integer_count != 1 || call.integers[0] < 0 || call.integers[0] >= kCumulations)
        return refuse("0, 1 or 2: sum, product or the largest");
    if (call.views[0].rank != 2 || !same_dims(call.views[0], call.views[1]))
        return refuse("out and in of rank 2 and the same dimensions");
    return scratch(kCumulatedAtOnce * sizeof(double));
}

template <int32_t kKind>
NEUTONE_LIKE_INLINE double cumulated(double* values, int64_t count, double so_far) {
    for (int64_t i = 0; i < count; ++i) {
        if constexpr (kKind == kSumSoFar) so_far += values[i];
        if constexpr (kKind == kProductSoFar) so_far *= values[i];
        if constexpr (kKind == kLargestSoFar) so_far = so_far > values[i] || so_far != so_far ? so_far : values[i];
        values[i] = so_far;
    }
    return so_far;
}

template <int32_t kKind>
static void cumulate(const Call& call, double first) {
    const Operand &out = call.views[0], &in = call.views[1];
    double* values = static_cast<double*>(call.scratch);
    for (int64_t b = 0; b < out.dims[0]; ++b) {
        double so_far = first;
        for (int64_t t = 0; t < out.dims[1]; t += kCumulatedAtOnce) {
            const int64_t count = smaller(kCumulatedAtOnce, out.dims[1] - t);
            read_row(values, in, b * in.strides[0] + t * in.strides[1], in.strides[1], count);
            so_far = cumulated<kKind>(values, count, so_far);
            write_row(out, b * out.strides[0] + t * out.strides[1], out.strides[1], values, count);
        }
    }
}

static void cumulative_run(const Call& call) {
    switch (call.integers[0]) {
        case kSumSoFar: return cumulate<kSumSoFar>(call, 0.0);
        case kProductSoFar: return cumulate<kProductSoFar>(call, 1.0);
        default: return cumulate<kLargestSoFar>(call, -__builtin_inf());
    }
}

constexpr Kernel cumulative_kernel = {"cumulative", cumulative_check, cumulative_run};

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

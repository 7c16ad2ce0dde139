// Where the largest or smallest is: the first of several, and the first NaN before any number, as PyTorch has it.
#pragma once

#include "kernels/isa/rows.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

static Need argument_check(const Call& call) {
    if (call.view_count != 2) return refuse("two views: out and in");
    if (const char* wrong = wrong_views(call)) return refuse(wrong);
    if (call.integer_count != 1 || call.integers[0] < 0 || call.integers[0] > 1)
        return refuse("0 or 1: largest or smallest");
    const Operand &out = call.views[0], &in = call.views[1];
    if (out.rank != 1 || in.rank != 2 || out.dims[0] != in.dims[0]) return refuse("out [B] and in [B, N]");
    if (in.dims[1] < 1) return refuse("at least one element: none has no extreme");
    return scratch(0);
}

template <bool kIsSmallest, class T>
static int64_t place_of_extreme(const T* in, int64_t stride, int64_t count) {
    T best = in[0];
    int64_t place = 0;
    for (int64_t i = 1; i < count; ++i) {
        const T value = in[i * stride];
        const bool is_further = kIsSmallest ? value < best : value > best;
        if (!is_further && !(value != value && best == best)) continue;
        best = value;
        place = i;
    }
    return place;
}

template <class T>
static void find_extremes(const Call& call, const T* in) {
    const Operand &out = call.views[0], &from = call.views[1];
    for (int64_t b = 0; b < out.dims[0]; ++b) {
        const T* row = in + b * from.strides[0];
        const int64_t place = call.integers[0] == 1 ? place_of_extreme<true>(row, from.strides[1], from.dims[1])
                                                    : place_of_extreme<false>(row, from.strides[1], from.dims[1]);
        write_element(out, b * out.strides[0], static_cast<double>(place));
    }
}

static void argument_run(const Call& call) {
    if (call.views[1].type == kFloat32)
        find_extremes(call, call.views[1].floats());
    else
        find_extremes(call, call.views[1].doubles());
}

constexpr Kernel argument_kernel = {"argument", argument_check, argument_run};

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

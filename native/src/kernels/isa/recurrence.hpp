// Linear recurrences of up to four states, in float64: filters whose coefficients may change with every sample.
#pragma once

#include "kernels/isa/rows.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr int kMostStates = 4;
constexpr int64_t kRecurredAtOnce = 64;

static Need recurrence_check(const Call& call) {
    if (call.view_count != 4) return refuse("four views: out, A, b and the state");
    if (call.integer_count != 0) return refuse("no whole numbers");
    if (const char* wrong = wrong_views(call)) return refuse(wrong);
    const Operand &out = call.views[0], &a = call.views[1], &b = call.views[2], &state = call.views[3];
    if (out.rank != 3 || !same_dims(out, b)) return refuse("out and b [R, S, T]");
    const int32_t rows = out.dims[0], states = out.dims[1], steps = out.dims[2];
    if (states < 1 || states > kMostStates) return refuse("1 to 4 states");
    if (a.rank != 3 && a.rank != 4) return refuse("A [S, S, T] or [R, S, S, T]");
    const int32_t* dims = a.dims + (a.rank - 3);
    if (a.rank == 4 && a.dims[0] != rows) return refuse("A for each row");
    if (dims[0] != states || dims[1] != states || dims[2] != steps) return refuse("A [S, S, T] or [R, S, S, T]");
    if (state.rank != 2 || state.dims[0] != rows || state.dims[1] != states) return refuse("a state [R, S]");
    if (state.type != kFloat64 || !state.writable) return refuse("a state in float64 that may be written");
    return scratch((kMostStates * kMostStates + kMostStates) * kRecurredAtOnce * sizeof(double));
}

// `matrices` is [S][S][kRecurredAtOnce], `values` [S][kRecurredAtOnce]: b comes in, s goes out.
template <int kStates>
static void recur(double* values, const double* matrices, int64_t count, double (&state)[kMostStates]) {
    double s[kStates];
    NEUTONE_LIKE_UNROLL for (int i = 0; i < kStates; ++i) s[i] = state[i];
    for (int64_t t = 0; t < count; ++t) {
        double next[kStates];
        NEUTONE_LIKE_UNROLL for (int i = 0; i < kStates; ++i) {
            next[i] = values[i * kRecurredAtOnce + t];
            NEUTONE_LIKE_UNROLL for (int j = 0; j < kStates; ++j) next[i] +=
                matrices[(i * kStates + j) * kRecurredAtOnce + t] * s[j];
        }
        NEUTONE_LIKE_UNROLL for (int i = 0; i < kStates; ++i) values[i * kRecurredAtOnce + t] = s[i] = next[i];
    }
    NEUTONE_LIKE_UNROLL for (int i = 0; i < kStates; ++i) state[i] = s[i];
}

static void read_matrices(double* to, const Operand& a, int64_t row, int64_t t, int64_t count) {
    const int32_t* strides = a.strides + (a.rank - 3);
    const int64_t start = (a.rank == 4 ? row * a.strides[0] : 0) + t * strides[2];
    const int states = a.dims[a.rank - 2];
    for (int i = 0; i < states; ++i)
        for (int j = 0; j < states; ++j, to += kRecurredAtOnce)
            read_row(to, a, start + i * int64_t{strides[0]} + j * int64_t{strides[1]}, strides[2], count);
}

template <int kStates>
static void recur_row(const Call& call, int64_t row) {
    const Operand &out = call.views[0], &a = call.views[1], &b = call.views[2], &kept = call.views[3];
    double* matrices = static_cast<double*>(call.scratch);
    double* values = matrices + kMostStates * kMostStates * kRecurredAtOnce;
    double state[kMostStates];
    for (int i = 0; i < kStates; ++i) state[i] = kept.doubles()[row * kept.strides[0] + i * int64_t{kept.strides[1]}];
    for (int64_t t = 0; t < out.dims[2]; t += kRecurredAtOnce) {
        const int64_t count = smaller(kRecurredAtOnce, out.dims[2] - t);
        read_matrices(matrices, a, row, t, count);
        for (int64_t i = 0; i < kStates; ++i)
            read_row(values + i * kRecurredAtOnce, b, row * b.strides[0] + i * b.strides[1] + t * b.strides[2],
                     b.strides[2], count);
        recur<kStates>(values, matrices, count, state);
        for (int64_t i = 0; i < kStates; ++i)
            write_row(out, row * out.strides[0] + i * out.strides[1] + t * out.strides[2], out.strides[2],
                      values + i * kRecurredAtOnce, count);
    }
    for (int i = 0; i < kStates; ++i) kept.doubles()[row * kept.strides[0] + i * int64_t{kept.strides[1]}] = state[i];
}

static void recurrence_run(const Call& call) {
    const Operand& out = call.views[0];
    for (int64_t row = 0; row < out.dims[0]; ++row) switch (out.dims[1]) {
            case 1: recur_row<1>(call, row); break;
            case 2: recur_row<2>(call, row); break;
            case 3: recur_row<3>(call, row); break;
            default: recur_row<4>(call, row);
        }
}

constexpr Kernel recurrence_kernel = {"recurrence", recurrence_check, recurrence_run};

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

// Linear recurrences in float64: filters whose coefficients may change with every sample.
#pragma once

#include "kernels/isa/rows.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr int kMostStates = 16;
constexpr int kFewStates = 4;  // so many are held in registers, one by one; more are worked on as vectors
constexpr int64_t kRecurredAtOnce = 64;
constexpr int64_t kManyRecurredAtOnce = 16;
constexpr int kStateVector = 4;

static Need recurrence_check(const Call& call) {
    if (call.view_count != 4) return refuse("four views: out, A, b and the state");
    if (call.integer_count != 0) return refuse("no whole numbers");
    if (const char* wrong = wrong_views(call)) return refuse(wrong);
    const Operand &out = call.views[0], &a = call.views[1], &b = call.views[2], &state = call.views[3];
    if (out.rank != 3 || !same_dims(out, b)) return refuse("out and b [R, S, T]");
    const int32_t rows = out.dims[0], states = out.dims[1], steps = out.dims[2];
    if (states < 1 || states > kMostStates) return refuse("1 to 16 states");
    if (a.rank != 3 && a.rank != 4) return refuse("A [S, S, T] or [R, S, S, T]");
    const int32_t* dims = a.dims + (a.rank - 3);
    if (a.rank == 4 && a.dims[0] != rows) return refuse("A for each row");
    if (dims[0] != states || dims[1] != states || dims[2] != steps) return refuse("A [S, S, T] or [R, S, S, T]");
    if (state.rank != 2 || state.dims[0] != rows || state.dims[1] != states) return refuse("a state [R, S]");
    if (state.type != kFloat64 || !state.writable) return refuse("a state in float64 that may be written");
    const int64_t places = states > kFewStates
                               ? int64_t{states + 1} * up_to_multiple(states, kStateVector) * kManyRecurredAtOnce
                               : (kFewStates + 1) * kFewStates * kRecurredAtOnce;
    return scratch(places * int64_t{sizeof(double)});
}

// `matrices` is [S][S][kRecurredAtOnce], `values` [S][kRecurredAtOnce]: b comes in, s goes out.
template <int kStates>
static void recur(double* values, const double* matrices, int64_t count, double (&state)[kFewStates]) {
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
    double* values = matrices + kFewStates * kFewStates * kRecurredAtOnce;
    double state[kFewStates];
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

// One sample's step of all states at once: `matrix` is [S][kPadded], a column after the other. Two sums, because each waits
// for its own last addition.
template <int kPadded>
NEUTONE_LIKE_INLINE void step_many(double (&s)[kPadded], const double* matrix, int states, double* value) {
    double even[kPadded], odd[kPadded];
    for (int i = 0; i < kPadded; ++i) even[i] = value[i], odd[i] = 0.0;
    for (int j = 0; j + 1 < states; j += 2, matrix += 2 * kPadded) {
        for (int i = 0; i < kPadded; ++i) even[i] += matrix[i] * s[j];
        for (int i = 0; i < kPadded; ++i) odd[i] += matrix[kPadded + i] * s[j + 1];
    }
    if (states % 2 != 0)
        for (int i = 0; i < kPadded; ++i) even[i] += matrix[i] * s[states - 1];
    for (int i = 0; i < kPadded; ++i) value[i] = s[i] = even[i] + odd[i];
}

// `count` matrices [S][kPadded] from sample `t` on, zeros beyond S.
template <int kPadded>
static void read_many_matrices(double* to, const Operand& a, int64_t row, int64_t t, int64_t count) {
    const int32_t* strides = a.strides + (a.rank - 3);
    const int states = a.dims[a.rank - 2];
    const int64_t start = (a.rank == 4 ? row * a.strides[0] : 0) + t * strides[2];
    for (int64_t n = 0; n < count; ++n)
        for (int j = 0; j < states; ++j, to += kPadded)
            for (int i = 0; i < kPadded; ++i)
                to[i] = i < states ? read_element(
                                         a, start + n * strides[2] + i * int64_t{strides[0]} + j * int64_t{strides[1]})
                                   : 0.0;
}

template <int kPadded>
static void recur_many_of_row(const Call& call, int64_t row) {
    const Operand &out = call.views[0], &a = call.views[1], &b = call.views[2], &kept = call.views[3];
    const int states = out.dims[1];
    const bool still = a.strides[a.rank - 1] == 0;
    double* matrices = static_cast<double*>(call.scratch);
    double* values = matrices + int64_t{states} * kPadded * kManyRecurredAtOnce;
    double s[kPadded];
    for (int i = 0; i < kPadded; ++i)
        s[i] = i < states ? kept.doubles()[row * kept.strides[0] + i * int64_t{kept.strides[1]}] : 0.0;
    for (int64_t n = 0; n < kManyRecurredAtOnce * kPadded; ++n) values[n] = 0.0;
    for (int64_t t = 0; t < out.dims[2]; t += kManyRecurredAtOnce) {
        const int64_t count = smaller(kManyRecurredAtOnce, out.dims[2] - t);
        if (!still || t == 0) read_many_matrices<kPadded>(matrices, a, row, t, still ? 1 : count);
        for (int64_t n = 0; n < count; ++n)
            for (int i = 0; i < states; ++i)
                values[n * kPadded + i] =
                    read_element(b, row * b.strides[0] + i * int64_t{b.strides[1]} + (t + n) * b.strides[2]);
        for (int64_t n = 0; n < count; ++n)
            step_many<kPadded>(s, matrices + (still ? 0 : n * states * kPadded), states, values + n * kPadded);
        for (int64_t n = 0; n < count; ++n)
            for (int i = 0; i < states; ++i)
                write_element(out, row * out.strides[0] + i * int64_t{out.strides[1]} + (t + n) * out.strides[2],
                              values[n * kPadded + i]);
    }
    for (int i = 0; i < states; ++i) kept.doubles()[row * kept.strides[0] + i * int64_t{kept.strides[1]}] = s[i];
}

static void recurrence_run(const Call& call) {
    const Operand& out = call.views[0];
    for (int64_t row = 0; row < out.dims[0]; ++row) switch (out.dims[1]) {
            case 1: recur_row<1>(call, row); break;
            case 2: recur_row<2>(call, row); break;
            case 3: recur_row<3>(call, row); break;
            case 4: recur_row<4>(call, row); break;
            default:
                if (out.dims[1] <= 8)
                    recur_many_of_row<8>(call, row);
                else if (out.dims[1] <= 12)
                    recur_many_of_row<12>(call, row);
                else
                    recur_many_of_row<16>(call, row);
        }
}

constexpr Kernel recurrence_kernel = {"recurrence", recurrence_check, recurrence_run};

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

// Sums, means, products and extremes over the last dimension, in float64.
#pragma once

#include "kernels/isa/elementwise.hpp"
#include "kernels/isa/grid.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

static Need reduce_check(const Call& call) {
    if (call.view_count != 2) return refuse("two views: out and in");
    if (const char* wrong = wrong_views(call)) return refuse(wrong);
    if (call.integer_count != 1 || call.integers[0] < 0 || call.integers[0] >= kReductions)
        return refuse("a known reduction");
    const Operand &out = call.views[0], &in = call.views[1];
    if (in.rank != out.rank + 1) return refuse("in of one dimension more than out");
    Operand outer = in;
    outer.rank = out.rank;
    if (!same_dims(out, outer)) return refuse("out of in's dimensions but the last");
    const bool is_extreme = call.integers[0] == kLargest || call.integers[0] == kSmallest;
    if (is_extreme && in.dims[out.rank] == 0) return refuse("at least one element: none has no extreme");
    return scratch(0);
}

template <int32_t kReduction, class V>
NEUTONE_LIKE_INLINE V joined(V a, V b) {
    if constexpr (kReduction == kProduct)
        return a * b;
    else if constexpr (kReduction == kLargest)
        return larger_or_nan(a, b);
    else if constexpr (kReduction == kSmallest)
        return smaller_or_nan(a, b);
    else
        return a + b;
}

template <int32_t kReduction>
NEUTONE_LIKE_INLINE double joined(double a, double b) {
    if constexpr (kReduction == kLargest)
        return a > b || a != a ? a : b;
    else if constexpr (kReduction == kSmallest)
        return a < b || a != a ? a : b;
    else
        return kReduction == kProduct ? a * b : a + b;
}

template <int32_t kReduction>
constexpr double kNeutral = kReduction == kProduct    ? 1.0
                            : kReduction == kLargest  ? -kInfinity
                            : kReduction == kSmallest ? kInfinity
                                                      : 0.0;

template <int32_t kReduction>
NEUTONE_LIKE_INLINE double finished(double value, int64_t count) {
    return kReduction == kMean ? value / static_cast<double>(count) : value;
}

// What a reduction is taken in: doubles, but the extremes of floats are floats.
template <int32_t kReduction, class T>
struct TakenIn {
    typedef double Element;
    static NEUTONE_LIKE_INLINE Doubles from(const T* in) { return load_doubles(in); }
};
struct TakenInFloats {
    typedef float Element;
    static NEUTONE_LIKE_INLINE Floats from(const float* in) { return load(in); }
};
template <>
struct TakenIn<kLargest, float> : TakenInFloats {};
template <>
struct TakenIn<kSmallest, float> : TakenInFloats {};

// The reduced dimension is contiguous: four vectors at a time, which then join.
template <int32_t kReduction, class T>
static double reduce_row(const T* in, int64_t count) {
    typedef TakenIn<kReduction, T> Taken;
    typedef VectorOf<typename Taken::Element> Vectors;
    constexpr int kUnrolled = 4, kWide = Vectors::kCount;
    typename Vectors::Vector sums[kUnrolled];
    const auto neutral = static_cast<typename Taken::Element>(kNeutral<kReduction>);
    NEUTONE_LIKE_UNROLL for (int u = 0; u < kUnrolled; ++u) sums[u] = splat(neutral);
    int64_t i = 0;
    for (; i + kUnrolled * kWide <= count; i += kUnrolled * kWide)
        NEUTONE_LIKE_UNROLL for (int u = 0; u < kUnrolled; ++u) sums[u] =
            joined<kReduction>(sums[u], Taken::from(in + i + u * kWide));
    for (; i + kWide <= count; i += kWide) sums[0] = joined<kReduction>(sums[0], Taken::from(in + i));
    const auto joint = joined<kReduction>(joined<kReduction>(sums[0], sums[1]), joined<kReduction>(sums[2], sums[3]));
    double result = static_cast<double>(joint[0]);
    NEUTONE_LIKE_UNROLL for (int lane = 1; lane < kWide; ++lane) result =
        joined<kReduction>(result, static_cast<double>(joint[lane]));
    for (; i < count; ++i) result = joined<kReduction>(result, static_cast<double>(in[i]));
    return finished<kReduction>(result, count);
}

template <int32_t kReduction, class T>
static double reduce_strided(const T* in, int64_t stride, int64_t count) {
    double result = kNeutral<kReduction>;
    for (int64_t i = 0; i < count; ++i) result = joined<kReduction>(result, static_cast<double>(in[i * stride]));
    return finished<kReduction>(result, count);
}

// Results that lie side by side: as many as kVectors vectors hold, each read of which is contiguous.
template <int32_t kReduction, int kVectors, class T, class Element>
static void reduce_side_by_side(Element* results, const T* in, int64_t stride, int64_t count) {
    typedef VectorOf<Element> Vectors;
    typename Vectors::Vector sums[kVectors];
    const auto neutral = static_cast<Element>(kNeutral<kReduction>);
    NEUTONE_LIKE_UNROLL for (int u = 0; u < kVectors; ++u) sums[u] = splat(neutral);
    for (int64_t i = 0; i < count; ++i)
        NEUTONE_LIKE_UNROLL for (int u = 0; u < kVectors; ++u) sums[u] =
            joined<kReduction>(sums[u], TakenIn<kReduction, T>::from(in + i * stride + u * Vectors::kCount));
    NEUTONE_LIKE_UNROLL for (int u = 0; u < kVectors; ++u) {
        if constexpr (kReduction == kMean) sums[u] = sums[u] / static_cast<double>(count);
        store(results + u * Vectors::kCount, sums[u]);
    }
}

template <int32_t kReduction, class T>
static void reduce_columns(const Operand& out, int64_t offset, int64_t out_stride, const T* in, int64_t stride,
                           int64_t count, int64_t columns) {
    typedef typename TakenIn<kReduction, T>::Element Element;
    constexpr int kVectors = 4, kOne = VectorOf<Element>::kCount, kWide = kVectors * kOne;
    Element results[kWide];
    int64_t c = 0;
    for (; c + kWide <= columns; c += kWide) {
        reduce_side_by_side<kReduction, kVectors>(results, in + c, stride, count);
        write_row(out, offset + c * out_stride, out_stride, results, kWide);
    }
    // The last vector may read beyond the columns: memory is there.
    for (; c < columns; c += kOne) {
        reduce_side_by_side<kReduction, 1>(results, in + c, stride, count);
        write_row(out, offset + c * out_stride, out_stride, results, smaller(kOne, columns - c));
    }
}

struct Reduced {
    const Operand& out;
    const Operand& in;
    int64_t count, stride;
};

template <int32_t kReduction, class T>
static void reduce_grid(const Reduced& step, const Grid<2>& grid, const T* in) {
    Walk<2> walk(grid);
    const int64_t out_column = grid.column_stride(0), in_column = grid.column_stride(1);
    do
        for (int64_t r = 0; r < grid.rows(); ++r) {
            const int64_t offset = walk.offsets[0] + r * grid.row_stride(0);
            const T* row = in + walk.offsets[1] + r * grid.row_stride(1);
            if (in_column == 1 && step.stride != 1) {
                reduce_columns<kReduction>(step.out, offset, out_column, row, step.stride, step.count, grid.columns());
                continue;
            }
            for (int64_t c = 0; c < grid.columns(); ++c, row += in_column)
                write_element(step.out, offset + c * out_column,
                              step.stride == 1 ? reduce_row<kReduction>(row, step.count)
                                               : reduce_strided<kReduction>(row, step.stride, step.count));
        }
    while (walk.next());
}

template <int32_t kReduction>
static void reduce_any(const Reduced& step) {
    Operand outer[2] = {step.out, step.in};
    outer[1].rank = step.out.rank;
    Grid<2> grid;
    make_grid(grid, outer, 2);
    if (step.in.type == kFloat32)
        reduce_grid<kReduction>(step, grid, step.in.floats());
    else
        reduce_grid<kReduction>(step, grid, step.in.doubles());
}

static void reduce_run(const Call& call) {
    const Operand &out = call.views[0], &in = call.views[1];
    if (is_empty(out)) return;
    const Reduced step = {out, in, in.dims[out.rank], in.strides[out.rank]};
    switch (call.integers[0]) {
        case kSum: return reduce_any<kSum>(step);
        case kMean: return reduce_any<kMean>(step);
        case kLargest: return reduce_any<kLargest>(step);
        case kSmallest: return reduce_any<kSmallest>(step);
        default: return reduce_any<kProduct>(step);
    }
}

constexpr Kernel reduce_kernel = {"reduce", reduce_check, reduce_run};

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

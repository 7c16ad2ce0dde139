// Rows of operands, of any type and stride.
#pragma once

#include "kernels/isa/checks.hpp"

// Nothing that a loop writes is read by a later round of it. GCC can't see that where results may lie over an operand.
#if defined(__clang__)
#define NEUTONE_LIKE_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define NEUTONE_LIKE_INDEPENDENT _Pragma("GCC ivdep")
#endif

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

NEUTONE_LIKE_INLINE constexpr int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
NEUTONE_LIKE_INLINE constexpr int64_t up_to_multiple(int64_t a, int64_t of) { return (a + of - 1) / of * of; }

// Out of line: four of it are enough for every kernel.
template <class Out, class In>
static __attribute__((noinline)) void convert_row(Out* out, int64_t out_stride, const In* in, int64_t in_stride,
                                                  int64_t count) {
    if (out_stride == 1 && in_stride == 1) {
        NEUTONE_LIKE_INDEPENDENT for (int64_t i = 0; i < count; ++i) out[i] = static_cast<Out>(in[i]);
    } else if (out_stride == 1 && in_stride == 0) {
        const Out value = count > 0 ? static_cast<Out>(in[0]) : Out{};
        for (int64_t i = 0; i < count; ++i) out[i] = value;
    } else {
        for (int64_t i = 0; i < count; ++i) out[i * out_stride] = static_cast<Out>(in[i * in_stride]);
    }
}

// `count` elements from element `offset` on, into or from a contiguous row of T.
template <class T>
NEUTONE_LIKE_INLINE void read_row(T* to, const Operand& from, int64_t offset, int64_t stride, int64_t count) {
    if (from.type == kFloat32)
        convert_row(to, 1, from.floats() + offset, stride, count);
    else
        convert_row(to, 1, from.doubles() + offset, stride, count);
}

template <class T>
NEUTONE_LIKE_INLINE void write_row(const Operand& to, int64_t offset, int64_t stride, const T* from, int64_t count) {
    if (to.type == kFloat32)
        convert_row(to.floats() + offset, stride, from, 1, count);
    else
        convert_row(to.doubles() + offset, stride, from, 1, count);
}

NEUTONE_LIKE_INLINE double read_element(const Operand& from, int64_t offset) {
    return from.type == kFloat32 ? static_cast<double>(from.floats()[offset]) : from.doubles()[offset];
}

NEUTONE_LIKE_INLINE void write_element(const Operand& to, int64_t offset, double value) {
    if (to.type == kFloat32)
        to.floats()[offset] = static_cast<float>(value);
    else
        to.doubles()[offset] = value;
}

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

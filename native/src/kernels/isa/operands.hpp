// What the checks of kernels ask of their operands.
#pragma once

#include "kernels/isa/vector.hpp"
#include "kernels/kernel.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

NEUTONE_LIKE_INLINE bool are_floats(const Operand& operand, uint32_t rank) {
    if (operand.type != kFloat32 || operand.rank != rank) return false;
    for (uint32_t i = 0; i < rank; ++i) {
        if (operand.dims[i] < 0) return false;
    }
    return true;
}

// An array without gaps in its last dimension.
NEUTONE_LIKE_INLINE bool is_contiguous(const Operand& operand) {
    return operand.dims[operand.rank - 1] <= 1 || operand.strides[operand.rank - 1] == 1;
}

NEUTONE_LIKE_INLINE bool is_array(const Operand& operand, int64_t elements) {
    return are_floats(operand, 1) && is_contiguous(operand) && operand.dims[0] == elements;
}

// The product, as far as it can be the number of elements of an array: -1 beyond.
NEUTONE_LIKE_INLINE int64_t times(int64_t a, int64_t b) {
    if (a < 0 || b < 0 || a > INT32_MAX || b > INT32_MAX) return -1;
    return a * b > INT32_MAX ? -1 : a * b;
}

NEUTONE_LIKE_INLINE int64_t round_up(int64_t value, int64_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

// What every kernel asks of its views, and how it says no.
#pragma once

#include "kernels/isa/vector.hpp"
#include "kernels/kernel.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

NEUTONE_LIKE_INLINE constexpr Need refuse(const char* what) { return {what, 0}; }
NEUTONE_LIKE_INLINE constexpr Need scratch(uint64_t bytes) { return {nullptr, bytes}; }

// A view of stride 0 may have any dimensions and still lie within its buffer: what counts elements must not overflow.
NEUTONE_LIKE_INLINE bool is_countable(const Operand& a) {
    if (a.rank > kMaximumRank || (a.type != kFloat32 && a.type != kFloat64)) return false;
    int64_t elements = 1;
    for (uint32_t d = 0; d < a.rank; ++d) {
        if (a.dims[d] < 0) return false;
        if (a.dims[d] > 0) elements *= a.dims[d];
        if (elements > INT32_MAX) return false;
    }
    return true;
}

// What every kernel's views must be; null when they are.
NEUTONE_LIKE_INLINE const char* wrong_views(const Call& call) {
    for (uint32_t v = 0; v < call.view_count; ++v)
        if (!is_countable(call.views[v])) return "views of float32 or float64 with fewer than 2^31 elements";
    if (call.view_count > 0 && !call.views[0].writable) return "an output that may be written";
    return nullptr;
}

NEUTONE_LIKE_INLINE bool same_dims(const Operand& a, const Operand& b) {
    if (a.rank != b.rank) return false;
    for (uint32_t d = 0; d < a.rank; ++d)
        if (a.dims[d] != b.dims[d]) return false;
    return true;
}

NEUTONE_LIKE_INLINE bool is_empty(const Operand& a) {
    for (uint32_t d = 0; d < a.rank; ++d)
        if (a.dims[d] == 0) return true;
    return false;
}

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

// Lanes in another order.
#pragma once

#include "kernels/isa/vector.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

template <class T, T... kValues>
struct Sequence {};
#if defined(__clang__)
template <int kCount>
using Counting = __make_integer_seq<Sequence, int, kCount>;
#else
template <int kCount>
using Counting = Sequence<int, __integer_pack(kCount)...>;
#endif

// Lane `lane` of two vectors whose groups of `unit` lanes are put together by turns, the lower or the upper half of it.
constexpr int zipped_lane(int unit, bool is_upper, int lane) {
    const int group = lane / unit, half = is_upper ? kLanes / unit / 2 : 0;
    return group % 2 * kLanes + (half + group / 2) * unit + lane % unit;
}
template <int kUnit, bool kIsUpper, int... kLane>
NEUTONE_LIKE_INLINE Floats zip(Floats a, Floats b, Sequence<int, kLane...>) {
    return __builtin_shufflevector(a, b, zipped_lane(kUnit, kIsUpper, kLane)...);
}
template <int kUnit, bool kIsUpper>
NEUTONE_LIKE_INLINE Floats zip(Floats a, Floats b) {
    return zip<kUnit, kIsUpper>(a, b, Counting<kLanes>{});
}
// Four vectors so that their groups follow each other by turns.
template <int kUnit>
NEUTONE_LIKE_INLINE void zip_four(Floats (&v)[4]) {
    const Floats even_low = zip<kUnit, false>(v[0], v[2]), even_high = zip<kUnit, true>(v[0], v[2]);
    const Floats odd_low = zip<kUnit, false>(v[1], v[3]), odd_high = zip<kUnit, true>(v[1], v[3]);
    v[0] = zip<kUnit, false>(even_low, odd_low);
    v[1] = zip<kUnit, true>(even_low, odd_low);
    v[2] = zip<kUnit, false>(even_high, odd_high);
    v[3] = zip<kUnit, true>(even_high, odd_high);
}
// Every second lane of two vectors in a row, from `first` on.
template <int kFirst, int... kLane>
NEUTONE_LIKE_INLINE Floats unzip(Floats a, Floats b, Sequence<int, kLane...>) {
    return __builtin_shufflevector(a, b, (2 * kLane + kFirst)...);
}
template <int kFirst>
NEUTONE_LIKE_INLINE Floats unzip(Floats a, Floats b) {
    return unzip<kFirst>(a, b, Counting<kLanes>{});
}
template <int... kLane>
NEUTONE_LIKE_INLINE Floats reversed(Floats a, Sequence<int, kLane...>) {
    return __builtin_shufflevector(a, a, (kLanes - 1 - kLane)...);
}
NEUTONE_LIKE_INLINE Floats reversed(Floats a) { return reversed(a, Counting<kLanes>{}); }
// Each of the first lanes kUnit times.
template <int kUnit, int... kLane>
NEUTONE_LIKE_INLINE Floats repeated(Floats a, Sequence<int, kLane...>) {
    return __builtin_shufflevector(a, a, (kLane / kUnit)...);
}

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

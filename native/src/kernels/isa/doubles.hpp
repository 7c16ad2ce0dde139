// Small tools for vectors of doubles.
#pragma once

#include "kernels/isa/vector.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

typedef uint64_t LongWords __attribute__((vector_size(kLanes * 4)));

constexpr double kInfinity = __builtin_inf();
constexpr double kNan = __builtin_nan("");

NEUTONE_LIKE_INLINE LongWords words(uint64_t x) { return LongWords{} + x; }
NEUTONE_LIKE_INLINE Doubles absolute(Doubles x) { return (Doubles)((LongWords)x & words(0x7fffffffffffffffu)); }
NEUTONE_LIKE_INLINE LongWords sign_of(Doubles x) { return (LongWords)x & words(0x8000000000000000u); }
NEUTONE_LIKE_INLINE Doubles with_sign(Doubles x, LongWords sign) { return (Doubles)((LongWords)x ^ sign); }
NEUTONE_LIKE_INLINE Doubles select(LongInts mask, Doubles a, Doubles b) { return mask ? a : b; }
NEUTONE_LIKE_INLINE Doubles select(LongInts mask, double a, Doubles b) { return mask ? splat(a) : b; }

NEUTONE_LIKE_INLINE bool any(LongInts mask) {
#if defined(__AVX512F__)
    return _mm512_movepi64_mask((__m512i)mask) != 0;
#elif defined(__AVX__)
    return _mm256_movemask_pd((__m256d)mask) != 0;
#elif defined(__x86_64__) || defined(_M_X64)
    return _mm_movemask_pd((__m128d)mask) != 0;
#else
    return (mask[0] | mask[1]) != 0;
#endif
}

NEUTONE_LIKE_INLINE Doubles square_root(Doubles x) {
#if defined(__AVX512F__)
    return (Doubles)_mm512_sqrt_pd((__m512d)x);
#elif defined(__AVX__)
    return (Doubles)_mm256_sqrt_pd((__m256d)x);
#elif defined(__x86_64__) || defined(_M_X64)
    return (Doubles)_mm_sqrt_pd((__m128d)x);
#elif defined(__aarch64__)
    return (Doubles)vsqrtq_f64((float64x2_t)x);
#else
    return Doubles{__builtin_sqrt(x[0]), __builtin_sqrt(x[1])};
#endif
}

// The whole number nearest to |x| < 2^51, halves to even: adding 1.5 * 2^52 leaves no room for a fraction.
constexpr double kLongRounder = 6755399441055744.0;
NEUTONE_LIKE_INLINE Doubles nearest(Doubles x) { return (x + kLongRounder) - kLongRounder; }
// The same number as an integer, from x + kLongRounder.
NEUTONE_LIKE_INLINE LongInts whole(Doubles nearest_plus_rounder) {
    return (LongInts)((LongWords)nearest_plus_rounder - (LongWords)splat(kLongRounder));
}
// Any x, NaN and infinities too.
NEUTONE_LIKE_INLINE Doubles nearest_of_any(Doubles x) {
    const Doubles size = absolute(x);
    const Doubles rounded = (Doubles)((LongWords)((size + 0x1p52) - 0x1p52) | sign_of(x));
    return select(size < 0x1p52, rounded, x);
}
NEUTONE_LIKE_INLINE Doubles truncated(Doubles x) {
    const Doubles size = absolute(x);
    const Doubles rounded = (size + 0x1p52) - 0x1p52;
    const Doubles down = select(rounded > size, rounded - 1.0, rounded);
    return select(size < 0x1p52, (Doubles)((LongWords)down | sign_of(x)), x);
}

// 2^k for a whole k in -1022..1023, from k + kLongRounder.
NEUTONE_LIKE_INLINE Doubles power_of_two(Doubles k_plus_rounder) {
    return (Doubles)(((LongWords)k_plus_rounder + words(1023)) << 52);
}

// A product without rounding: high + low. The factors are cut in two with masks, which no fused operation can undo.
struct Exact {
    Doubles high;
    Doubles low;
};
NEUTONE_LIKE_INLINE Doubles upper_half(Doubles x) { return (Doubles)((LongWords)x & words(0xfffffffff8000000u)); }
NEUTONE_LIKE_INLINE Exact exact_product(Doubles a, Doubles b) {
    Doubles high = a * b;
    NEUTONE_LIKE_PIN(high);  // or it is computed again, without rounding, where something is added to it
    const Doubles a1 = upper_half(a), b1 = upper_half(b), a2 = a - a1, b2 = b - b1;
    return {high, ((a1 * b1 - high) + a1 * b2 + a2 * b1) + a2 * b2};
}
// |a| >= |b|
NEUTONE_LIKE_INLINE Exact exact_sum(Doubles a, Doubles b) {
    const Doubles high = a + b;
    return {high, b - (high - a)};
}

// How many terms a series needs: `For` is the type that the result is rounded to.
template <class For>
constexpr int terms(int for_doubles, int for_floats) {
    return sizeof(For) == sizeof(double) ? for_doubles : for_floats;
}

// The first kUsed terms by Horner's scheme; the constant comes first.
template <int kUsed, int kCount>
NEUTONE_LIKE_INLINE Doubles polynomial(Doubles x, const double (&coefficients)[kCount]) {
    static_assert(kUsed <= kCount);
    Doubles sum = splat(coefficients[kUsed - 1]);
    NEUTONE_LIKE_UNROLL for (int i = kUsed - 2; i >= 0; --i) sum = sum * x + coefficients[i];
    return sum;
}

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

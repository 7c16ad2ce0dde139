// What is left of a division: C's (the sign of the dividend) and Python's (the sign of the divisor), both exact.
#pragma once

#include "kernels/isa/doubles.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

// 0 < b <= a, finite: long division in base 2.
static uint64_t remainder_of_bits(uint64_t a, int a_exponent, uint64_t b, int b_exponent) {
    for (; a_exponent > b_exponent; --a_exponent) {
        if (a >= b) a -= b;
        a <<= 1;
    }
    return a >= b ? a - b : a;
}

static double long_remainder(double dividend, double divisor) {
    uint64_t a, b;
    __builtin_memcpy(&a, &dividend, sizeof a);
    __builtin_memcpy(&b, &divisor, sizeof b);
    const uint64_t sign = a & 0x8000000000000000u, fraction = 0x000fffffffffffffu, lead = fraction + 1;
    a &= ~0x8000000000000000u;
    b &= ~0x8000000000000000u;
    if (a >= 0x7ff0000000000000u || b > 0x7ff0000000000000u || b == 0) return kNan;
    if (a < b) return dividend;
    // Exponents below 1 are 1 without the leading bit.
    int a_exponent = static_cast<int>(a >> 52), b_exponent = static_cast<int>(b >> 52);
    uint64_t rest = (a & fraction) | (a_exponent > 0 ? lead : 0);
    const uint64_t by = (b & fraction) | (b_exponent > 0 ? lead : 0);
    a_exponent += a_exponent == 0;
    b_exponent += b_exponent == 0;
    rest = remainder_of_bits(rest, a_exponent, by, b_exponent);
    for (; rest != 0 && rest < lead && b_exponent > 1; --b_exponent) rest <<= 1;
    if (rest >= lead) rest = (rest - lead) | static_cast<uint64_t>(b_exponent) << 52;
    rest |= sign;
    double result;
    __builtin_memcpy(&result, &rest, sizeof result);
    return result;
}

static __attribute__((noinline)) Doubles with_long_remainders(Doubles quick, Doubles a, Doubles b, LongInts wanted) {
    for (int lane = 0; lane < kDoubleLanes; ++lane)
        if (wanted[lane] != 0) quick[lane] = long_remainder(a[lane], b[lane]);
    return quick;
}

// a - q b without rounding: the quotient is off by one at most.
NEUTONE_LIKE_INLINE Doubles remainder_like_c(Doubles a, Doubles b) {
    const Doubles size = absolute(a), by = absolute(b), quotient = size / by;
    const LongInts is_short = (quotient < 0x1p50) & (size < 0x1p900) & (by < 0x1p900) & (by > 0x1p-900);
    const Exact product = exact_product(truncated(quotient), by);
    Doubles rest = (size - product.high) - product.low;
    rest = select(rest < 0.0, rest + by, rest);
    rest = select(rest >= by, rest - by, rest);
    const Doubles quick = (Doubles)((LongWords)rest | sign_of(a));
    return any(~is_short) ? with_long_remainders(quick, a, b, ~is_short) : quick;
}

NEUTONE_LIKE_INLINE Doubles remainder_like_python(Doubles a, Doubles b) {
    const Doubles rest = remainder_like_c(a, b);
    return select((rest != 0.0) & ((rest < 0.0) != (b < 0.0)), rest + b, rest);
}

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

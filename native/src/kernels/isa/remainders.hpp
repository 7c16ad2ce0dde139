// What is left of a division: C's (the sign of the dividend) and Python's (the sign of the divisor), both exact.
#pragma once

#include "kernels/isa/doubles.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr uint64_t kLeadingBit = 0x0010000000000000u;

// size = mantissa * 2^exponent, with the leading bit in its place also for what is smaller than a normal number
struct Whole {
    uint64_t mantissa;
    int exponent;
};
static Whole whole_of(uint64_t bits) {
    const int exponent = static_cast<int>(bits >> 52);
    Whole whole = {bits & (kLeadingBit - 1), exponent > 0 ? exponent : 1};
    if (exponent > 0) whole.mantissa |= kLeadingBit;
    for (; whole.mantissa < kLeadingBit; --whole.exponent) whole.mantissa <<= 1;
    return whole;
}
static uint64_t bits_of(Whole whole) {
    if (whole.mantissa == 0) return 0;
    for (; whole.mantissa < kLeadingBit; --whole.exponent) whole.mantissa <<= 1;
    if (whole.exponent < 1) return whole.mantissa >> (1 - whole.exponent);
    return (whole.mantissa - kLeadingBit) | static_cast<uint64_t>(whole.exponent) << 52;
}

// Long division in base 2.
static double long_remainder(double dividend, double divisor) {
    uint64_t a, b;
    __builtin_memcpy(&a, &dividend, sizeof a);
    __builtin_memcpy(&b, &divisor, sizeof b);
    const uint64_t sign = a & 0x8000000000000000u, infinite = 0x7ff0000000000000u;
    a &= ~0x8000000000000000u;
    b &= ~0x8000000000000000u;
    if (a >= infinite || b > infinite || b == 0) return kNan;
    if (a < b) return dividend;
    Whole rest = whole_of(a);
    const Whole by = whole_of(b);
    for (; rest.exponent > by.exponent; --rest.exponent) {
        if (rest.mantissa >= by.mantissa) rest.mantissa -= by.mantissa;
        rest.mantissa <<= 1;
    }
    if (rest.mantissa >= by.mantissa) rest.mantissa -= by.mantissa;
    const uint64_t bits = bits_of(rest) | sign;
    double result;
    __builtin_memcpy(&result, &bits, sizeof result);
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

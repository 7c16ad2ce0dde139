// Exponentials, logarithms and powers of doubles, to a few units in the last place, without branches. Arguments are reduced
// by powers of two as every such library does it (Muller, Elementary Functions, chapter 11); the polynomials are Taylor's.
#pragma once

#include "kernels/isa/doubles.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr double kLog2OfE = 1.4426950408889634074;
constexpr double kLn2High = 0x1.62e42fefa2000p-1;  // 40 bits: its products with exponents are exact
constexpr double kLn2Low = 0x1.9ef35793c7673p-41;

// (e^r - 1 - r) / r^2 for |r| <= ln(2) / 2
constexpr double kExpTerms[] = {1.0 / 2,       1.0 / 6,        1.0 / 24,        1.0 / 120,
                                1.0 / 720,     1.0 / 5040,     1.0 / 40320,     1.0 / 362880,
                                1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};
template <class For = double>
NEUTONE_LIKE_INLINE Doubles reduced_expm1(Doubles r) {
    return r + r * r * polynomial<terms<For>(12, 6)>(r, kExpTerms);
}

// x * 2^k in two steps: 2^k itself may be too large or too small.
NEUTONE_LIKE_INLINE Doubles scaled(Doubles x, Doubles k) {
    const Doubles half = k * 0.5 + kLongRounder;
    const Doubles rest = (k - (half - kLongRounder)) + kLongRounder;
    return x * power_of_two(half) * power_of_two(rest);
}

NEUTONE_LIKE_INLINE Doubles within(Doubles x, double lowest, double highest) {
    x = select(x < lowest, lowest, x);
    return select(x > highest, highest, x);
}

// e^(x + low), |low| far below x
template <class For = double>
NEUTONE_LIKE_INLINE Doubles exp_of_sum(Doubles x, Doubles low) {
    x = within(x, -750.0, 720.0);
    const Doubles k = nearest(x * kLog2OfE);
    const Doubles r = ((x - k * kLn2High) - k * kLn2Low) + low;
    return scaled(1.0 + reduced_expm1<For>(r), k);
}
NEUTONE_LIKE_INLINE Doubles exp(Doubles x) { return exp_of_sum(x, Doubles{}); }

NEUTONE_LIKE_INLINE Doubles exp2(Doubles x) {
    x = within(x, -1080.0, 1030.0);
    const Doubles k = nearest(x);
    return scaled(1.0 + reduced_expm1((x - k) * 0.69314718055994530942), k);
}

NEUTONE_LIKE_INLINE Doubles expm1(Doubles x) {
    const Doubles inside = within(x, -50.0, 720.0);
    const Doubles k = nearest(inside * kLog2OfE);
    // What the reduction loses counts against a result near 0 too.
    const Doubles high = inside - k * kLn2High, low = k * kLn2Low, r = high - low, lost = (high - r) - low;
    const Doubles p = reduced_expm1(r) + lost;
    // 2^k p + (2^k - 1); beyond 2^60 the 1 is lost, and 2^1024 has to be reached in two steps.
    const Doubles two_k = power_of_two(within(k, -100.0, 100.0) + kLongRounder);
    const Doubles small = two_k * p + (two_k - 1.0);
    const Doubles result = select(k > 60.0, scaled(1.0 + p, k), small);
    return select(x == 0.0, x, result);
}

// x = m * 2^exponent with m in [sqrt(1/2), sqrt(2)), for finite x > 0
struct Parts {
    Doubles fraction;  // m - 1
    Doubles exponent;
};
NEUTONE_LIKE_INLINE Parts parts_of(Doubles x) {
    const LongInts tiny = x < 0x1p-1022;
    x = select(tiny, x * 0x1p54, x);
    const LongWords root_half = words(0x3fe6a09e667f3bcdu);
    const LongWords moved = (LongWords)x - root_half + words(0x3ff0000000000000u);
    const Doubles exponent = (Doubles)((moved >> 52) | words(0x4330000000000000u)) - (0x1p52 + 1023.0);
    const Doubles m = (Doubles)((moved & words(0x000fffffffffffffu)) + root_half);
    return {m - 1.0, select(tiny, exponent - 54.0, exponent)};
}

// With s = f / (2 + f): log(1 + f) = 2 s + s R(s^2), where R = 2 s^2 / 3 + 2 s^4 / 5 + ...; this is R / s^2.
constexpr double kLogTerms[] = {2.0 / 3,  2.0 / 5,  2.0 / 7,  2.0 / 9,  2.0 / 11, 2.0 / 13,
                                2.0 / 15, 2.0 / 17, 2.0 / 19, 2.0 / 21, 2.0 / 23};

// What the logarithms of 0, infinity, NaN and negative numbers are, and of every other x `result`.
NEUTONE_LIKE_INLINE Doubles logarithm_or_special(Doubles x, Doubles result) {
    result = select(x > 0.0, result, splat(kNan));
    result = select(x == 0.0, -kInfinity, result);
    return select(x == kInfinity, kInfinity, result);
}

// log(1 + f) as f - (half - rest), where half = f^2 / 2 and rest is small: f itself is exact.
// kTerms: 11 for doubles, 4 for floats.
template <int kTerms>
NEUTONE_LIKE_INLINE Doubles log_rest(Doubles f, Doubles half) {
    const Doubles s = f / (2.0 + f), z = s * s;
    return s * (half + z * polynomial<kTerms>(z, kLogTerms));
}

// log(x) + correction
template <int kTerms>
NEUTONE_LIKE_INLINE Doubles log_of_finite(Doubles x, Doubles correction) {
    const Parts parts = parts_of(x);
    const Doubles f = parts.fraction, half = 0.5 * f * f, rest = log_rest<kTerms>(f, half);
    return parts.exponent * kLn2High - ((half - (rest + (parts.exponent * kLn2Low + correction))) - f);
}
template <class For = double>
NEUTONE_LIKE_INLINE Doubles log(Doubles x) {
    return logarithm_or_special(x, log_of_finite<terms<For>(11, 4)>(x, Doubles{}));
}

template <class For = double>
NEUTONE_LIKE_INLINE Doubles log1p(Doubles x) {
    const Doubles u = 1.0 + x;
    // What the sum lost: all of x when x is tiny. At 1 and beyond the smaller part is the 1.
    const Doubles lost = select(x < 1.0, x - (u - 1.0), 1.0 - (u - x));
    const Doubles result = logarithm_or_special(u, log_of_finite<terms<For>(11, 4)>(u, lost / u));
    return select(x == 0.0, x, result);
}

template <class For = double>
NEUTONE_LIKE_INLINE Doubles log2(Doubles x) {
    const Parts parts = parts_of(x);
    const Doubles f = parts.fraction, half = 0.5 * f * f, natural = f - (half - log_rest<terms<For>(11, 4)>(f, half));
    return logarithm_or_special(x, parts.exponent + natural * kLog2OfE);
}

template <class For = double>
NEUTONE_LIKE_INLINE Doubles log10(Doubles x) {
    const Parts parts = parts_of(x);
    const Doubles f = parts.fraction, half = 0.5 * f * f, natural = f - (half - log_rest<terms<For>(11, 4)>(f, half));
    const Doubles low = parts.exponent * 0x1.cff7988f8959bp-41 + natural * 0.43429448190325182765;
    return logarithm_or_special(x, parts.exponent * 0x1.34413509f4000p-2 + low);
}

// log(x) for finite x > 0 as high + low, with about 100 bits: a power multiplies its error by up to 700.
NEUTONE_LIKE_INLINE Exact long_log(Doubles x) {
    const Parts parts = parts_of(x);
    const Doubles f = parts.fraction, e = parts.exponent;
    const Doubles bottom = 2.0 + f, bottom_low = f - (bottom - 2.0);
    const Doubles s = f / bottom;
    const Exact back = exact_product(s, bottom);
    const Doubles s_low = (((f - back.high) - back.low) - s * bottom_low) / bottom;
    const Doubles z = s * s;
    const Doubles tail = 2.0 * s_low + s * (z * polynomial<11>(z, kLogTerms));
    const Exact fraction = exact_sum(2.0 * s, tail);
    const Doubles high = e * kLn2High;
    const Exact larger = exact_sum(high, fraction.high), alone = {fraction.high, Doubles{}};
    const LongInts has_exponent = e != 0.0;
    const Doubles sum = select(has_exponent, larger.high, alone.high);
    const Doubles low = select(has_exponent, larger.low, alone.low) + (fraction.low + e * kLn2Low);
    return exact_sum(sum, low);
}

// size^y for ordinary numbers: to the last places of a double with the long logarithm, to those of a float without.
template <class For>
NEUTONE_LIKE_INLINE Doubles ordinary_power(Doubles size, Doubles y) {
    // Beyond this the result is 0 or infinity for every size other than 1, and products stay finite.
    y = within(y, -0x1p70, 0x1p70);
    if constexpr (sizeof(For) == sizeof(float)) {
        return exp_of_sum<float>(log_of_finite<7>(size, Doubles{}) * y, Doubles{});
    } else {
        const Exact logarithm = long_log(size), product = exact_product(logarithm.high, y);
        const Exact sum = exact_sum(product.high, product.low + logarithm.low * y);
        return exp_of_sum(sum.high, select(absolute(sum.high) < 800.0, sum.low, Doubles{}));
    }
}

// x^y as C and PyTorch define it for zeros, infinities and NaN.
template <class For = double>
NEUTONE_LIKE_INLINE Doubles power(Doubles x, Doubles y) {
    const Doubles size = absolute(x);
    const LongInts ordinary = (size > 0.0) & (size < kInfinity) & (absolute(y) < kInfinity);
    Doubles result = ordinary_power<For>(select(ordinary, size, splat(2.0)), select(ordinary, y, Doubles{}));
    const LongInts grows = (size > 1.0) == (y > 0.0);  // only asked where one of them isn't ordinary
    result = select(ordinary, result, select(grows, kInfinity, Doubles{}));
    const LongInts y_is_whole = nearest_of_any(y) == y;
    const LongInts y_is_odd = y_is_whole & (nearest_of_any(y * 0.5) != y * 0.5);
    result = select((x < 0.0) & ~y_is_whole & (size < kInfinity), kNan, result);
    result = select(y_is_odd, (Doubles)((LongWords)result | sign_of(x)), result);
    result = select((x != x) | (y != y), kNan, result);
    const LongInts one = (x == 1.0) | (y == 0.0) | ((x == -1.0) & (absolute(y) == kInfinity));
    return select(one, 1.0, result);
}

// Hyperbolic functions, all of e^|x| - 1, which is exact near 0.
NEUTONE_LIKE_INLINE Doubles tanh(Doubles x) {
    const Doubles e = expm1(2.0 * within(absolute(x), 0.0, 22.0));
    return (Doubles)((LongWords)(e / (e + 2.0)) | sign_of(x));
}
NEUTONE_LIKE_INLINE Doubles sigmoid(Doubles x) { return 1.0 / (1.0 + exp(-x)); }
NEUTONE_LIKE_INLINE Doubles sinh(Doubles x) {
    const Doubles size = absolute(x), e = expm1(within(size, 0.0, 700.0)), root = exp(0.5 * size);
    const Doubles result = select(size < 700.0, 0.5 * (e + e / (e + 1.0)), (0.5 * root) * root);
    return (Doubles)((LongWords)select(x != x, x, result) | sign_of(x));
}
NEUTONE_LIKE_INLINE Doubles cosh(Doubles x) {
    const Doubles size = absolute(x), e = exp(within(size, 0.0, 700.0)), root = exp(0.5 * size);
    return select(size < 700.0, 0.5 * (e + 1.0 / e), select(x != x, x, (0.5 * root) * root));
}

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

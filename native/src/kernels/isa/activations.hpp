// Exponentials and what networks make of them, for one vector of floats. All of them go through 2^x - 1 = s (2^f - 1) +
// (s - 1) with s = 2^k, k the nearest whole number and f within a half, whose result is exact to a few units in its own
// last place also near 0: a quiet signal that goes through tanh and then a lot of gain needs that. NaN stays NaN, infinity
// gives the limit. A result that is smaller than a normal number may be rounded to 0 where the processor does so.
#pragma once

#include "kernels/isa/vector.hpp"
#include "kernels/operations.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr float kLog2E = 1.44269504f;
// Adding it rounds to a whole number, which then stands in the lowest bits.
constexpr float kRounder = 12582912.0f;  // 1.5 * 2^23

// 2^k for the k that `rounded` = k + kRounder carries, from -126 to 127; 128 gives infinity, -127 gives 0.
NEUTONE_LIKE_INLINE Floats power_of_two(Floats rounded) { return (Floats)(((Bits)rounded << 23) + 0x3f800000u); }

// (2^f - 1) / f for f within a half: a minimax polynomial.
NEUTONE_LIKE_INLINE Floats exp2m1_by_f(Floats f) {
    const Floats f2 = f * f;
    return ((1.54035124e-4f * f + 1.33907356e-3f) * f2 + (9.6182375e-3f * f + 5.55035743e-2f)) * f2 +
           (2.40226498e-1f * f + 6.93147188e-1f);
}

// 2^x - 1 and 2^x for x from -126 to 127.
NEUTONE_LIKE_INLINE Floats exp2m1_within(Floats x) {
    const Floats rounded = x + splat(kRounder), f = x - (rounded - splat(kRounder));
    const Floats scale = power_of_two(rounded);
    return scale * (f * exp2m1_by_f(f)) + (scale - 1.0f);
}

// 1 + 2^x for x from -126 to 127: what sigmoids divide by.
NEUTONE_LIKE_INLINE Floats one_plus_exp2(Floats x) {
    const Floats rounded = x + splat(kRounder), f = x - (rounded - splat(kRounder)), f2 = f * f;
    const Floats power = ((1.3276472e-3f * f + 9.6755415e-3f) * f2 + (5.5507133e-2f * f + 2.402211973e-1f)) * f2 +
                         (6.93146967e-1f * f + 1.00000007f);
    return power_of_two(rounded) * power + 1.0f;
}

// A number of the form 2^k (1 + p), where k may be beyond what one float has as a power of two.
NEUTONE_LIKE_INLINE Floats scaled(Floats k, Floats p) {
    const Floats half = 0.5f * k + splat(kRounder);
    const Floats other_half = (k - (half - splat(kRounder))) + splat(kRounder);
    const Floats first = power_of_two(half);
    return (p * first + first) * power_of_two(other_half);
}

NEUTONE_LIKE_INLINE Floats exp2(Floats x) {
    x = clamp(x, -151.0f, 129.0f);
    const Floats k = (x + splat(kRounder)) - splat(kRounder), f = x - k;
    return scaled(k, f * exp2m1_by_f(f));
}

// e^x = 2^k 2^f, where ln 2 is taken from x in two pieces, of which k times the first is exact.
struct NaturalParts {
    Floats rounded, f;
};
NEUTONE_LIKE_INLINE NaturalParts natural_parts(Floats x) {
    const Floats rounded = x * kLog2E + splat(kRounder), k = rounded - splat(kRounder);
    return {rounded, ((x - k * 0.693359375f) - k * -2.12194440e-4f) * kLog2E};
}

NEUTONE_LIKE_INLINE Floats exp(Floats x) {
    const NaturalParts parts = natural_parts(clamp(x, -104.5f, 89.4f));
    return scaled(parts.rounded - splat(kRounder), parts.f * exp2m1_by_f(parts.f));
}

NEUTONE_LIKE_INLINE Floats expm1(Floats x) {
    const NaturalParts parts = natural_parts(clamp(x, -30.0f, 88.9f));
    // Half the power, doubled at the end, so that the largest results don't become infinity on the way.
    const Floats half_scale = power_of_two(parts.rounded - 1.0f);
    return 2.0f * (half_scale * (parts.f * exp2m1_by_f(parts.f)) + (half_scale - 0.5f));
}

// tanh x / x - 1 = x^2 P(x^2) up to 0.625: a minimax polynomial, exact to a third of a unit in tanh's last place. The other
// form has an error of its own there, and always to the same side, which a network with gain behind it adds up.
constexpr float kTanhSmall = 0.625f;
NEUTONE_LIKE_INLINE Floats small_tanh(Floats x) {
    const Floats y = x * x;
    const Floats p = ((-6.10495e-3f * y + 2.100366e-2f) * y + -5.38525e-2f) * y;
    return x + x * (y * ((p + 1.3332782e-1f) * y + -3.3333329e-1f));
}

// tanh |x| = 1 - 2 / (e^2|x| + 1), which is 1 in float32 from 9.02 on. What e^2|x| errs by hardly counts where it is large.
NEUTONE_LIKE_INLINE Floats tanh(Floats x) {
    const Bits sign = (Bits)x & 0x80000000u;
    const Floats size = minimum(splat(10.0f), (Floats)((Bits)x ^ sign));
    const Floats large = 1.0f - 2.0f / one_plus_exp2(size * (2.0f * kLog2E));
    return (Floats)((Bits)(size < splat(kTanhSmall) ? small_tanh(size) : large) | sign);
}

NEUTONE_LIKE_INLINE Floats sigmoid(Floats x) {
    x = clamp(x, -88.7229f, 87.0f);  // the lowest gives 2^128, infinity, and so 0
    const Floats rounded = x * -kLog2E + splat(kRounder);
    const Floats f = x * -kLog2E - (rounded - splat(kRounder));
    return 1.0f / (1.0f + power_of_two(rounded) * (f * exp2m1_by_f(f) + 1.0f));
}

// tanh x = above / below, exact to 2e-8 but for rounding: for those who have more to divide by, and wait for the result. It may
// be more than 1 by one unit in its last place.
struct Fraction {
    Floats above, below;
};
constexpr float kTanhAbove[] = {1.0f, 0.133797139f, 3.4940301e-3f, 2.05834058e-5f, 1.33189708e-8f};
constexpr float kTanhBelow[] = {1.0f, 0.467130303f, 2.58710571e-2f, 3.28308553e-4f, 7.76197737e-7f};

NEUTONE_LIKE_INLINE Floats even_polynomial(const float (&c)[5], Floats y, Floats y2, double unit) {
    const double u2 = unit * unit, u4 = u2 * u2;
    return (static_cast<float>(c[1] * u2) * y + c[0]) +
           y2 * ((static_cast<float>(c[3] * u4 * u2) * y + static_cast<float>(c[2] * u4)) +
                 static_cast<float>(c[4] * u4 * u4) * y2);
}

// tanh(unit * x)
NEUTONE_LIKE_INLINE Fraction tanh_fraction(Floats x, double unit) {
    const auto most = static_cast<float>(9.02 / (unit < 0 ? -unit : unit));
    x = clamp(x, -most, most);
    const Floats y = x * x, y2 = y * y;
    return {static_cast<float>(unit) * x * even_polynomial(kTanhAbove, y, y2, unit),
            even_polynomial(kTanhBelow, y, y2, unit)};
}

NEUTONE_LIKE_INLINE Floats relu(Floats x) { return maximum(Floats{}, x); }

template <int32_t kActivation>
NEUTONE_LIKE_INLINE Floats activate(Floats x) {
    if constexpr (kActivation == kTanh) return tanh(x);
    if constexpr (kActivation == kSigmoid) return sigmoid(x);
    if constexpr (kActivation == kRelu) return relu(x);
    return x;
}

NEUTONE_LIKE_INLINE Floats activate_as(int32_t activation, Floats value) {
    if (activation == kTanh) return tanh(value);
    if (activation == kSigmoid) return sigmoid(value);
    if (activation == kRelu) return relu(value);
    return value;
}

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

// tanh, the sigmoid, e^x and e^x - 1 for programs: to 2 units in the last place at about the speed of activations.hpp,
// which has 3 to 4. e^r - 1 is r + r^2 p(r), so that what rounding takes from p hardly counts.
#pragma once

#include "kernels/isa/activations.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

// x = k ln 2 + rest, and p = e^rest - 1
struct NaturalSteps {
    Floats k_plus_rounder;
    Floats p;
};
NEUTONE_LIKE_INLINE NaturalSteps natural_steps(Floats x) {
    const Floats rounded = x * kLog2E + splat(kRounder), k = rounded - splat(kRounder);
    const Floats r = (x - k * 0.693359375f) - k * -2.12194440e-4f, r2 = r * r;
    // An interpolation at Chebyshev points: 5e-10 off.
    const Floats terms = ((1.98919814e-4f * r + 1.39345419e-3f) * r2 + (8.33331002e-3f * r + 4.16664568e-2f)) * r2 +
                         (0.166666667f * r + 0.5f);
    return {rounded, r + r2 * terms};
}

NEUTONE_LIKE_INLINE Floats precise_exp(Floats x) {
    const NaturalSteps steps = natural_steps(clamp(x, -104.5f, 89.4f));
    return scaled(steps.k_plus_rounder - splat(kRounder), steps.p);
}

NEUTONE_LIKE_INLINE Floats precise_expm1(Floats x) {
    const NaturalSteps steps = natural_steps(clamp(x, -30.0f, 88.9f));
    // Half the power, doubled at the end: the largest results must not become infinity on the way.
    const Floats half = power_of_two(steps.k_plus_rounder - 1.0f);
    return 2.0f * (half * steps.p + (half - 0.5f));
}

NEUTONE_LIKE_INLINE Floats precise_tanh(Floats x) {
    const Ints sign = (Ints)x & INT32_MIN;
    const NaturalSteps steps = natural_steps(2.0f * minimum(splat(10.0f), (Floats)((Ints)x ^ sign)));
    const Floats power = power_of_two(steps.k_plus_rounder);
    const Floats e = power * steps.p + (power - 1.0f);
    // e / (e + 2) near 0; far from it 1 - 2 / (e + 2), to which e's own error matters less. One division either way.
    const Ints is_far = e > 6.0f;
    const Floats quotient = (is_far ? splat(-2.0f) : e) / (e + 2.0f);
    return (Floats)((Ints)(quotient + (Floats)((Ints)splat(1.0f) & is_far)) | sign);
}

NEUTONE_LIKE_INLINE Floats precise_sigmoid(Floats x) {
    const NaturalSteps steps = natural_steps(-clamp(x, -88.7229f, 87.0f));
    const Floats power = power_of_two(steps.k_plus_rounder);
    return 1.0f / (1.0f + (power * steps.p + power));
}

// erf x = x + x p(x^2) up to 1, and from there on 1 - e^(-x^2) q((x - 2) / (x + 2)), which is 1 in float32 from 4 on: p and q
// are interpolations at Chebyshev points, 1e-9 and 8e-9 off.
NEUTONE_LIKE_INLINE Floats error_function(Floats x) {
    const Ints sign = (Ints)x & INT32_MIN;
    const Floats size = minimum(splat(4.0f), (Floats)((Ints)x ^ sign)), z = size * size;
    const Floats p =
        (((((7.86929196e-5f * z - 8.01504760e-4f) * z + 5.18890088e-3f) * z - 2.68541245e-2f) * z + 1.12835929e-1f) *
             z -
         3.76126265e-1f) *
            z +
        1.28379166e-1f;
    const Floats u = (size - 2.0f) / (size + 2.0f);
    const Floats q =
        (((((-8.73491560e-4f * u + 6.80584329e-3f) * u + 3.73748111e-3f) * u - 7.89676971e-2f) * u + 2.41658025e-1f) *
             u -
         4.27186003e-1f) *
            u +
        2.55395677e-1f;
    const Floats result = size < 1.0f ? size + size * p : 1.0f - precise_exp(-z) * q;
    return (Floats)((Ints)result | sign);
}

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

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

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

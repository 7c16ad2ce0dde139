// kGru. The weights of gates carry the factors that make every exponential a power of two.
#pragma once

#include "kernels/isa/recurrent.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

struct GruCell {
    // n's hidden part is multiplied by r before n's input part is added: it has a sum of its own.
    static constexpr int kGates = 3, kSums = 4, kStates = 1;
    static constexpr int input_sum(int gate) { return gate; }
    static constexpr int hidden_sum(int gate) { return gate < 2 ? gate : 3; }

    NEUTONE_LIKE_INLINE Floats finish(const Floats (&sums)[kSums], Floats previous, int32_t) const {
        const Floats r = 1.0f / one_plus_exp2(clamp(sums[0], -60.0f, 60.0f));
        const Floats z = 1.0f / one_plus_exp2(clamp(sums[1], -60.0f, 60.0f));
        const Fraction squashed = tanh_fraction(sums[2] + r * sums[3], kGateUnit);
        const Floats n = squashed.above / squashed.below;
        return n + z * (previous - n);
    }
};

template <bool kDots = false>
static Need gru_check(const Call& call) {
    if (!has_forms(call, 0)) return {"no whole numbers, or how weights are stored", 0};
    return recurrent_check<GruCell, kDots>(call, "a result [steps, units], inputs [steps, inputs], h and weights", 0);
}

template <bool kDots = false>
static void gru_run(const Call& call) {
    recurrent_run<kDots>(call, GruCell{}, 0);
}

constexpr Kernel gru_kernel = {"gru", gru_check<>, gru_run<>};

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

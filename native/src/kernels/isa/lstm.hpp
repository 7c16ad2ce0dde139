// kLstm. The weights of gates carry the factors that make every exponential a power of two.
#pragma once

#include "kernels/isa/recurrent.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

struct LstmCell {
    static constexpr int kGates = 4, kSums = 4, kStates = 2;
    static constexpr int input_sum(int gate) { return gate; }
    static constexpr int hidden_sum(int gate) { return gate; }

    float* c;

    // With e_i = 2^i and so on, sigmoid(i) = 1 / (1 + e_i); tanh is a fraction anyway. So one division makes the new c and
    // one the new h.
    NEUTONE_LIKE_INLINE Floats finish(const Floats (&gates)[kSums], Floats, int32_t unit) const {
        const Floats i = one_plus_exp2(clamp(gates[0], -38.0f, 38.0f)),
                     f = one_plus_exp2(clamp(gates[1], -38.0f, 38.0f));
        const Floats o = one_plus_exp2(clamp(gates[3], -38.0f, 38.0f));
        const Fraction g = tanh_fraction(gates[2], kGateUnit);
        const Floats below = g.below * i;
        const Floats next = (load(c + unit) * below + g.above * f) / (below * f);
        store(c + unit, next);
        const Fraction squashed = tanh_fraction(next, 1.0);
        return squashed.above / (squashed.below * o);
    }
};

template <bool kDots = false>
static Need lstm_check(const Call& call) {
    if (!has_forms(call, 0)) return {"no whole numbers, or how weights are stored", 0};
    return recurrent_check<LstmCell, kDots>(call, "a result [steps, units], inputs [steps, inputs], h, c and weights",
                                            0);
}

template <bool kDots = false>
static void lstm_run(const Call& call) {
    recurrent_run<kDots>(call, LstmCell{nullptr}, 0);
}

constexpr Kernel lstm_kernel = {"lstm", lstm_check<>, lstm_run<>};

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

// kRnn: the plain recurrent layer.
#pragma once

#include "kernels/isa/recurrent.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

template <int32_t kActivation>
struct RnnCell {
    static constexpr int kGates = 1, kSums = 1, kStates = 1;
    static constexpr int input_sum(int gate) { return gate; }
    static constexpr int hidden_sum(int gate) { return gate; }

    NEUTONE_LIKE_INLINE Floats finish(const Floats (&sums)[kSums], Floats, int32_t) const {
        return activate<kActivation>(sums[0]);
    }
};

template <bool kDots = false>
static Need rnn_check(const Call& call) {
    if (call.integer_count < 1 || (call.integers[0] != kTanh && call.integers[0] != kRelu) || !has_forms(call, 1)) {
        return {"a whole number, tanh or relu, and perhaps how weights are stored", 0};
    }
    return recurrent_check<RnnCell<kTanh>, kDots>(call,
                                                  "a result [steps, units], inputs [steps, inputs], h and weights", 1);
}

template <bool kDots = false>
static void rnn_run(const Call& call) {
    if (call.integers[0] == kTanh) return recurrent_run<kDots>(call, RnnCell<kTanh>{}, 1);
    recurrent_run<kDots>(call, RnnCell<kRelu>{}, 1);
}

constexpr Kernel rnn_kernel = {"rnn", rnn_check<>, rnn_run<>};

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

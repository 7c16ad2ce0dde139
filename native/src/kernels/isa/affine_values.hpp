// The affine kernel for a few samples of time, one after the other: each weight is used once, so that all that counts is to
// read them quickly.
#pragma once

#include "kernels/isa/affine_tile.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr int kPanelsAtOnce = 4;
// Of a vector of time the other lanes would be calculated for nothing: in a codec of 16 to 256 channels that took 3.2 times as long
// as one sample did.
constexpr int32_t kFewSamples = 2;

// One sum for each output of a panel.
typedef float Four __attribute__((vector_size(16)));
typedef float FourAnywhere __attribute__((vector_size(16), aligned(4), may_alias));

// The sums of kPanels panels. `values` has each input four times, and zeros up to a whole vector; a panel's weights lie
// one input after the other, so that a vector of them is as many inputs as it has fours.
template <int kPanels>
NEUTONE_LIKE_INLINE void sum_panels(float* sums, const float* weights, ptrdiff_t panel, const float* values) {
    Floats totals[kPanels] = {};
    ptrdiff_t i = 0;
    for (; i + kLanes <= panel; i += kLanes) {
        Floats value = load(values + i);
        NEUTONE_LIKE_PIN(value);
        NEUTONE_LIKE_UNROLL for (int p = 0; p < kPanels; ++p) totals[p] += value * load(weights + p * panel + i);
    }
    for (int p = 0; p < kPanels; ++p) {
        Four sum = {};
        for (int lane = 0; lane < kLanes; lane += 4) {
            sum += Four{totals[p][lane], totals[p][lane + 1], totals[p][lane + 2], totals[p][lane + 3]};
        }
        for (ptrdiff_t left = i; left < panel; left += 4) {
            sum += *reinterpret_cast<const FourAnywhere*>(values + left) *
                   *reinterpret_cast<const FourAnywhere*>(weights + p * panel + left);
        }
        *reinterpret_cast<FourAnywhere*>(sums + 4 * p) = sum;
    }
}

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

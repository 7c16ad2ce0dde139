// The blocks that a plan takes, and what depends on their length. Extents grow by the same step from one length to the
// next, so that a statement about all of them is one about the first and the last.
#pragma once

#include <cstdint>

#include "kernels/format.hpp"

namespace neutone_like::compiled {

struct Lengths {
    int64_t shortest;  // new samples
    int64_t step;      // from one length to the next
    int64_t count;
    int64_t look_behind;

    int64_t new_samples(int64_t index) const noexcept { return shortest + index * step; }
    int64_t longest() const noexcept { return new_samples(count - 1); }
};

inline Lengths lengths_of(const Facts& facts) noexcept {
    const int64_t step = facts.multiple_of;
    return {facts.shortest, step, step == 0 ? 1 : (facts.granule - facts.shortest) / step + 1, facts.look_behind};
}

// The values of an extent: first + index * step.
struct Line {
    int64_t first;
    int64_t step;

    int64_t at(int64_t index) const noexcept { return first + index * step; }
    int64_t last(const Lengths& lengths) const noexcept { return at(lengths.count - 1); }
};

// False where a length leaves a remainder. The extent's denominator must not be below 1.
inline bool line_of(const Extent& extent, const Lengths& lengths, Line& line) noexcept {
    const int64_t numerator = extent.numerator;
    if (numerator == 0) {
        line = {extent.base, 0};
        return true;
    }
    const int64_t first = numerator * (lengths.look_behind + lengths.shortest);
    const int64_t step = numerator * lengths.step;
    if (extent.denominator == 1) {
        line = {extent.base + first, step};
        return true;
    }
    line = {extent.base + first / extent.denominator, step / extent.denominator};
    return first % extent.denominator == 0 && step % extent.denominator == 0;
}

}  // namespace neutone_like::compiled

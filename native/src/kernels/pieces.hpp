// A number of samples cut into as few blocks as the plan allows: the longest first.
#pragma once

#include <cstdint>

#include "kernels/lengths.hpp"

namespace neutone_like::compiled {

struct Pieces {
    int64_t count;  // 0: it can't be cut
    int64_t steps;  // that the pieces are longer than the shortest, all together

    // The length of the next one, as an index of lengths.
    int64_t next(const Lengths& lengths) noexcept {
        const int64_t index = steps < lengths.count - 1 ? steps : lengths.count - 1;
        steps -= index;
        --count;
        return index;
    }
};

// Lengths are multiples of their step, so that only the number of pieces is to be found.
inline Pieces cut(int64_t samples, const Lengths& lengths) noexcept {
    const int64_t count = samples / lengths.longest() + (samples % lengths.longest() != 0 ? 1 : 0);
    const int64_t beyond = samples - count * lengths.shortest;
    if (samples <= 0 || beyond < 0) return {0, 0};
    if (beyond == 0) return {count, 0};
    return lengths.step > 0 && beyond % lengths.step == 0 ? Pieces{count, beyond / lengths.step} : Pieces{0, 0};
}

}  // namespace neutone_like::compiled

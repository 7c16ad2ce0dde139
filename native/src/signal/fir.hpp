// Exact rational rate conversion: a polyphase FIR that keeps its state between blocks.
#pragma once

#include <cstdint>
#include <vector>

#include "signal/config.hpp"

namespace neutone_like {

// Output k ends its window at input time end(k) / up with end(k) = first_end + k * down. It can be computed once
// last = ceil(end / up) inputs are there, and its taps are row last * up - end of the table. Every output is summed
// in the same order whatever the blocks are, so that chunking makes no difference at all.
class Fir {
public:
    // All memory is taken here. `longest_push`: the most input samples of one push.
    void prepare(const RateFilter& filter, int channels, int longest_push);

    // Begins a stream: silence before it.
    void start(int64_t first_end);

    // The most outputs that one push can give.
    int most_outputs() const noexcept { return most_outputs_; }

    // Takes [channels][samples], writes what that allows to `out`, and returns how many samples that are. With 0
    // samples it gives the outputs before the first input.
    int push(const float* const* in, int samples, float* const* out) noexcept;

private:
    int64_t up_ = 1;
    int64_t down_ = 1;
    int taps_ = 0;  // a multiple of 16: short rows begin with zeros
    int channels_ = 0;
    int most_outputs_ = 0;
    std::vector<float> table_;               // [up][taps], oldest input first
    std::vector<std::vector<float>> input_;  // [channels][taps + longest_push], the newest `taps` kept between pushes
    int64_t received_ = 0;
    int64_t end_ = 0;
};

}  // namespace neutone_like

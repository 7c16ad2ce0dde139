// How a model's rate and block size meet a host's: which ones it runs at, and how long a host waits for its output.
#pragma once

#include <cstdint>
#include <vector>

#include "signal/config.hpp"

namespace neutone_like {

// The model's rate for a host's: the host's own where the model has it (or takes any), else the next one above, else
// the highest.
int choose_rate(int host_rate, const std::vector<int>& rates);

// The model's block size for a host's: the one that waits least, the largest of those; 0 where the model takes any.
int choose_block(int host_block, const std::vector<int>& sizes, int64_t up, int64_t down);

// Buffering in model samples, times `down`: what waits, at most, for the rest of its block when the host calls.
// A host whose blocks vary has `host_block` 1. Equal rates: `up` and `down` are 1.
int64_t buffering_numerator(int64_t host_block, int64_t model_block, int64_t up, int64_t down);

// Host samples between an input sample and the output that it causes, without waiting for workers.
int64_t adaptation_latency_samples(int64_t up, int64_t down, int64_t half_width_in, int64_t half_width_out,
                                   int64_t model_delay, int64_t buffering);

// Where the filter back to the host starts (in model samples, times `down`), so that `latency` is exact.
int64_t first_output_end(int64_t up, int64_t down, int64_t half_width_in, int64_t half_width_out, int64_t model_delay,
                         int64_t latency);

// How many model samples `host_samples` give, counted from the start of the stream.
inline int64_t model_samples(int64_t host_samples, int64_t up, int64_t down) {
    return (host_samples * up + down - 1) / down;
}

// The most model blocks that one host block can complete.
int64_t blocks_per_callback(int64_t host_block, int64_t model_block, int64_t up, int64_t down);

// Host samples that the audio thread waits for a worker which takes up to `seconds` after a callback.
// Host blocks of one size: the output is needed `n` callbacks later, so that n * host_block / rate >= seconds.
// Varying blocks: the needed sample may have come first in the longest block, and is asked for last in one.
int64_t inference_wait_samples(double seconds, int host_block, int host_rate, bool varying_blocks);

// While a block-rate parameter moves, a model of any block size is called on a grid of this many samples: the steps
// are small, and where they fall does not depend on the host's blocks.
constexpr int kControlSamples = 32;

// Sizes and latencies that follow from a configuration and the model's delay.
struct StreamPlan {
    int64_t up = 1;  // model rate / host rate
    int64_t down = 1;
    bool resampling = false;
    int longest_block = 0;        // model samples of one call
    int64_t latency = 0;          // host samples, without waiting for workers
    int64_t latency_varying = 0;  // the same for a host whose blocks vary
    int64_t lead = 0;             // host samples of silence that begin the output stream

    // `delay` is the model's, in model samples; of an embedded wrapper its whole latency, in host samples.
    static StreamPlan make(const SessionConfig& config, int64_t delay);
    LatencyParts parts(const SessionConfig& config, int64_t delay, bool varying) const;
};

}  // namespace neutone_like

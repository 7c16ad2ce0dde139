// From the model to the host: model blocks become host audio again.
#pragma once

#include <cstdint>
#include <vector>

#include "signal/channels.hpp"
#include "signal/config.hpp"
#include "signal/fir.hpp"
#include "signal/model_block.hpp"
#include "signal/plan.hpp"
#include "signal/ring.hpp"

namespace neutone_like {

class StreamBack {
public:
    void prepare(const SessionConfig& config, const StreamPlan& plan, int64_t delay, int host_channels);

    // Begins the output stream: what precedes the first block's output is written to the ring.
    int64_t start(AudioRing& output) noexcept;

    // Writes a finished block's audio at `position`; returns how many host samples that gave.
    int64_t push(const ModelBlock& block, AudioRing& output, int64_t position) noexcept;

private:
    int64_t write(float* const* rows, int samples, AudioRing& output, int64_t position) noexcept;

    StreamPlan plan_;
    int channels_ = 0;
    int host_channels_ = 0;
    int64_t first_end_ = 0;
    Fir fir_;
    std::vector<float*> rows_;
    AudioBuffer resampled_;
    AudioBuffer converted_;
};

}  // namespace neutone_like

// The input, as late as the model's output, for bypass: switching it on and off is a short fade between two sounds in step.
#pragma once

#include <cstdint>
#include <vector>

namespace neutone_like::plugin {

class DryPath {
public:
    void prepare(int channels, int64_t latency, int longest, int sample_rate);
    void reset(bool bypassed) noexcept;

    // Before the model's output is written, which may be where the input lies.
    void keep(const float* const* in, int samples) noexcept;
    // `out`: the model's output becomes what is heard.
    void blend(float* const* out, int samples, bool bypassed) noexcept;

private:
    int channels_ = 0;
    int64_t latency_ = 0;
    int64_t mask_ = 0;
    int64_t kept_ = 0;     // samples so far
    int64_t blended_ = 0;  // the same
    float dry_ = 0.0f;     // 0..1: how much of it is heard
    float step_ = 1.0f;    // a sample
    std::vector<std::vector<float>> rings_;
};

}  // namespace neutone_like::plugin

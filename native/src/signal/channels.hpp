// Audio in memory, and how mono and stereo become each other.
#pragma once

#include <cstdint>
#include <vector>

#include "signal/config.hpp"

namespace neutone_like {

// Memory for [channels][samples] with the row pointers that C interfaces want.
class AudioBuffer {
public:
    void prepare(int channels, int64_t samples);
    float* channel(int index) noexcept { return rows_[index]; }
    float* const* rows() noexcept { return rows_.data(); }
    const float* const* const_rows() const noexcept { return rows_.data(); }
    int channels() const noexcept { return static_cast<int>(rows_.size()); }

private:
    std::vector<float> memory_;
    std::vector<float*> rows_;
};

// mono -> stereo duplicates, stereo -> mono averages; equal counts give the same rows back.
float* const* convert_channels(float* const* rows, int given, int wanted, AudioBuffer& memory, int samples) noexcept;

// How many channels a host with `config.channels` gets back.
int output_channels(const SessionConfig& config) noexcept;

}  // namespace neutone_like

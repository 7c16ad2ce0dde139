// What the model is called with, and what it answers.
#pragma once

#include <cstdint>
#include <vector>

#include "signal/config.hpp"

namespace neutone_like {

// Everything about one call of the model.
struct ModelBlock {
    int samples = 0;
    uint64_t pushed_ns = 0;     // when the audio thread handed over the last sample of it
    std::vector<float> input;   // [in_channels][look_behind + samples], in one piece
    std::vector<float> output;  // [out_channels][samples], in one piece
    std::vector<std::vector<float>> values;
    std::vector<const float*> value_rows;
    std::vector<int32_t> value_counts;

    void prepare(const SessionConfig& config, int longest_block, int parameter_count);
};

// How many samples of the output are NaN or Inf in at least one channel.
int nonfinite_samples(const ModelBlock& block, int channels) noexcept;

}  // namespace neutone_like

#include "signal/model_block.hpp"

#include <algorithm>
#include <cmath>

namespace neutone_like {

void ModelBlock::prepare(const SessionConfig& config, int longest_block, int parameter_count) {
    input.assign(
        static_cast<size_t>(std::max(config.in_channels, config.channels)) * (config.look_behind + longest_block),
        0.0f);
    output.assign(static_cast<size_t>(std::max(config.out_channels, config.channels)) * longest_block, 0.0f);
    values.assign(parameter_count, std::vector<float>(longest_block, 0.0f));
    value_rows.clear();
    for (const auto& row : values) value_rows.push_back(row.data());
    value_counts.assign(parameter_count, 1);
}

int nonfinite_samples(const ModelBlock& block, int channels) noexcept {
    const auto count = static_cast<int64_t>(channels) * block.samples;
    if (std::all_of(block.output.begin(), block.output.begin() + count, [](float x) { return std::isfinite(x); })) {
        return 0;
    }
    int broken = 0;
    for (int i = 0; i < block.samples; ++i) {
        bool finite = true;
        for (int channel = 0; channel < channels; ++channel) {
            finite = finite && std::isfinite(block.output[static_cast<int64_t>(channel) * block.samples + i]);
        }
        broken += finite ? 0 : 1;
    }
    return broken;
}

}  // namespace neutone_like

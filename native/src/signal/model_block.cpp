#include "signal/model_block.hpp"

#include <algorithm>

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

}  // namespace neutone_like

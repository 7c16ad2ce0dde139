#include "model/adapting.hpp"

#include <numeric>

#include "signal/plan.hpp"

namespace neutone_like {

void adapt(SessionConfig& config, const ModelFacts& facts) {
    for (const Parameter& parameter : facts.parameters) config.parameters.push_back(parameter.spec());
    config.model_rate = choose_rate(config.sample_rate, facts.sample_rates);
    const int64_t divisor = std::gcd(config.model_rate, config.sample_rate);
    const int64_t up = config.model_rate / divisor;
    const int64_t down = config.sample_rate / divisor;
    config.model_block = choose_block(config.varying_blocks ? 1 : config.block_size, facts.block_sizes, up, down);
    config.in_channels = facts.in_channels;
    config.out_channels = facts.out_channels;
    config.look_behind = facts.look_behind;
    if (up != down) {
        config.filter_in = design_filter(up, down, facts.quality);
        config.filter_out = design_filter(down, up, facts.quality);
    }
}

}  // namespace neutone_like

#include "engine/shared.hpp"

#include <algorithm>

namespace neutone_like {

Shared::Shared(const SessionPlan& plan) : parameters(plan.config.parameters.size()), workers(plan) {
    const SessionConfig& config = plan.config;
    for (size_t index = 0; index < parameters.size(); ++index)
        parameters[index] = config.parameters[index].default_0to1;
    const int64_t block = config.block_size;
    const int64_t model_share = (plan.stream.longest_block + 1) * plan.stream.down / plan.stream.up + 1;
    const auto queue = static_cast<int64_t>(config.queue_seconds * config.sample_rate);
    input.prepare(config.channels, queue + plan.most_latency() + 2 * block + model_share);
    // The whole queue fits in blocks down to a quarter of the promised size. With shorter ones it is full sooner, but
    // what waits for its model block to be complete and for a worker that is in time fits in blocks of one sample.
    const int64_t in_time = model_share + plan.wait_varying + 2 * block;
    packets.prepare(std::max(std::min<int64_t>(4 * input.capacity() / block + 64, 1 << 17), in_time),
                    static_cast<int>(parameters.size()));
    output.prepare(plan.output_channels,
                   2 * plan.most_latency() + 4 * block + (static_cast<int64_t>(plan.slots()) + 2) * model_share);
}

}  // namespace neutone_like

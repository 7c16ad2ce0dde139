#include "host/fitting.hpp"

#include <numeric>
#include <string>

#include "host/host_error.hpp"
#include "signal/plan.hpp"

namespace neutone_like {

namespace {

bool flag(const char* field, int32_t value) {
    if (value == 0 || value == 1) return value == 1;
    throw HostError(NL_WRONG_USE, std::string(field) + " must be 0 or 1, got " + std::to_string(value) + ".");
}

Mode mode_of(int32_t value) {
    if (value == NL_ASYNC) return Mode::async;
    if (value == NL_INLINE) return Mode::inline_;
    throw HostError(NL_WRONG_USE, "mode must be NL_ASYNC (0) or NL_INLINE (1), got " + std::to_string(value) + ".");
}

LatePolicy late_policy_of(int32_t value) {
    if (value == NL_FADE) return LatePolicy::fade;
    if (value == NL_HOLD) return LatePolicy::hold;
    if (value == NL_DRY) return LatePolicy::dry;
    throw HostError(NL_WRONG_USE,
                    "late_policy must be NL_FADE (0), NL_HOLD (1) or NL_DRY (2), got " + std::to_string(value) + ".");
}

void require_host(const SessionConfig& config) {
    try {
        check_host(config);
    } catch (const EngineError& error) {
        throw HostError(NL_WRONG_USE, error.what());
    }
}

void adapt(SessionConfig& config, const ModelFacts& facts) {
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

// The wrapper is given what the host sends, and answers with as many channels as it was given.
void leave_to_wrapper(SessionConfig& config) {
    if (config.channels > 2) {
        throw HostError(NL_WRONG_USE, "channels: the model is mono or stereo, the host has " +
                                          std::to_string(config.channels) + ". Play it with 1 or 2.");
    }
    config.embedded = true;
    config.model_rate = config.sample_rate;
    config.model_block = config.varying_blocks ? 0 : config.block_size;
    config.in_channels = config.channels;
    config.out_channels = config.channels;
}

}  // namespace

SessionConfig fit(const ModelFacts& facts, const nl_host& host) {
    SessionConfig config;
    config.sample_rate = host.sample_rate;
    config.block_size = host.block_size;
    config.channels = host.channels;
    config.varying_blocks = flag("varying_blocks", host.varying_blocks);
    config.mode = mode_of(host.mode);
    config.late_policy = late_policy_of(host.late_policy);
    config.max_inference_seconds = host.max_inference_seconds;
    config.queue_seconds = host.queue_seconds;
    for (const Parameter& parameter : facts.parameters) config.parameters.push_back(parameter.spec());
    require_host(config);
    if (facts.is_ours) {
        adapt(config, facts);
    } else {
        leave_to_wrapper(config);
    }
    return config;
}

}  // namespace neutone_like

#include "host/fitting.hpp"

#include <string>

#include "model/adapting.hpp"
#include "model/c_interface.hpp"

namespace neutone_like {

namespace {

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
    config.varying_blocks = as_flag("varying_blocks", host.varying_blocks);
    config.mode = mode_of(host.mode);
    config.late_policy = late_policy_of(host.late_policy);
    config.max_inference_seconds = host.max_inference_seconds;
    config.queue_seconds = host.queue_seconds;
    config.wait_fraction = host.wait_fraction;
    require_host(config);
    if (facts.is_ours) {
        adapt(config, facts);
    } else {
        for (const Parameter& parameter : facts.parameters) config.parameters.push_back(parameter.spec());
        leave_to_wrapper(config);
    }
    return config;
}

}  // namespace neutone_like

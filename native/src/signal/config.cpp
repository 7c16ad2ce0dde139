#include "signal/config.hpp"

#include <cstdint>
#include <numeric>
#include <string>

#include "signal/channels.hpp"
#include "signal/decimal.hpp"
#include "signal/raise.hpp"

namespace neutone_like {

namespace {

void require_between(const char* field, double value, double lowest, double highest) {
    if (value >= lowest && value <= highest) return;
    raise(EngineError(std::string(field) + " must lie in " + decimal_text(lowest) + ".." + decimal_text(highest) +
                      ", got " + decimal_text(value) + "."));
}

}  // namespace

void check_host(const SessionConfig& config) {
    require_between("sample_rate", config.sample_rate, 1000, 384000);
    require_between("block_size", config.block_size, 1, 1 << 20);
    require_between("channels", config.channels, 1, 64);
    require_between("max_inference_seconds", config.max_inference_seconds, 0.0, 60.0);
    require_between("queue_seconds", config.queue_seconds, 0.01, 60.0);
    if (!(config.wait_fraction >= 0.0 && config.wait_fraction < 1.0)) {
        raise(EngineError("wait_fraction must be at least 0 and below 1, got " + decimal_text(config.wait_fraction) +
                          "."));
    }
    if (config.mode == Mode::inline_ && config.wait_fraction > 0.0) {
        raise(EngineError(
            "wait_fraction: a callback in inline mode runs the model itself, and there is no worker to wait "
            "for, got " +
            decimal_text(config.wait_fraction) + ". Use 0, or asynchronous mode."));
    }
}

void check_config(const SessionConfig& config) {
    check_host(config);
    require_between("model rate", config.model_rate, 1000, 384000);
    require_between("model block", config.model_block, 0, 1 << 20);
    require_between("in_channels", config.in_channels, 1, 64);
    require_between("out_channels", config.out_channels, 1, 64);
    require_between("look_behind", config.look_behind, 0, 1 << 24);
    require_between("instances", config.instances, 1, 64);
    if (config.channels != config.in_channels && (config.channels > 2 || config.in_channels > 2)) {
        raise(EngineError("channels: the model takes " + std::to_string(config.in_channels) + ", the host has " +
                          std::to_string(config.channels) + ". Only mono and stereo are converted into each other."));
    }
    if (config.late_policy == LatePolicy::dry && output_channels(config) != config.channels) {
        raise(EngineError("late_policy 'dry' needs a model with as many channels in as out, got " +
                          std::to_string(config.in_channels) + " and " + std::to_string(config.out_channels) +
                          ". Use 'fade' or 'hold'."));
    }
    if (!config.embedded && config.sample_rate != config.model_rate) {
        const auto check = [](const char* which, const RateFilter& filter, int64_t out_rate, int64_t in_rate) {
            const int64_t divisor = std::gcd(out_rate, in_rate);
            if (filter.up != out_rate / divisor || filter.down != in_rate / divisor || filter.half_width < 1 ||
                static_cast<int64_t>(filter.taps.size()) != filter.up * 2 * filter.half_width) {
                raise(EngineError(std::string(which) + " does not belong to a conversion from " +
                                  std::to_string(in_rate) + " Hz to " + std::to_string(out_rate) +
                                  " Hz. Make it with polyphase_table for these rates."));
            }
        };
        check("filter_in", config.filter_in, config.model_rate, config.sample_rate);
        check("filter_out", config.filter_out, config.sample_rate, config.model_rate);
    }
}

}  // namespace neutone_like

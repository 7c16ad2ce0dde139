#include "signal/plan.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace neutone_like {

int choose_rate(int host_rate, const std::vector<int>& rates) {
    if (rates.empty() || std::find(rates.begin(), rates.end(), host_rate) != rates.end()) return host_rate;
    int above = 0;
    for (const int rate : rates) {
        if (rate > host_rate && (above == 0 || rate < above)) above = rate;
    }
    return above != 0 ? above : *std::max_element(rates.begin(), rates.end());
}

int choose_block(int host_block, const std::vector<int>& sizes, int64_t up, int64_t down) {
    int best = 0;
    int64_t least = 0;
    for (const int size : sizes) {
        const int64_t wait = buffering_numerator(host_block, size, up, down);
        if (best == 0 || wait < least || (wait == least && size > best)) {
            best = size;
            least = wait;
        }
    }
    return best;
}

int64_t buffering_numerator(int64_t host_block, int64_t model_block, int64_t up, int64_t down) {
    const int64_t step = std::gcd(host_block * up, model_block * down);
    return (model_block - 1) * down / step * step;
}

int64_t adaptation_latency_samples(int64_t up, int64_t down, int64_t half_width_in, int64_t half_width_out,
                                   int64_t model_delay, int64_t buffering) {
    if (up == down) return buffering / down + model_delay;
    const int64_t numerator = down * (half_width_out + model_delay) + buffering + up * (half_width_in - 1) - 1;
    return numerator >= 0 ? (numerator + up - 1) / up : 0;
}

int64_t first_output_end(int64_t up, int64_t down, int64_t half_width_in, int64_t half_width_out, int64_t model_delay,
                         int64_t latency) {
    return down * (half_width_out + model_delay) + up * (half_width_in - latency) - 1;
}

int64_t blocks_per_callback(int64_t host_block, int64_t model_block, int64_t up, int64_t down) {
    if (model_block == 0) return 1;
    return (model_samples(host_block, up, down) + model_block - 1) / model_block;
}

int64_t inference_wait_samples(double seconds, int host_block, int host_rate, bool varying_blocks) {
    const double samples = seconds * host_rate;
    if (varying_blocks) return host_block - 1 + std::max<int64_t>(1, static_cast<int64_t>(std::ceil(samples)));
    return host_block * std::max<int64_t>(1, static_cast<int64_t>(std::ceil(samples / host_block)));
}

namespace {

// A model of any block size behind a host whose blocks vary gets what comes, up to this.
constexpr int kUsualBlock = 512;

}  // namespace

StreamPlan StreamPlan::make(const SessionConfig& config, int64_t delay) {
    StreamPlan plan;
    if (config.embedded) {
        plan.longest_block = config.block_size;
        plan.latency = delay;
        plan.latency_varying = delay + config.embedded_growth;
        return plan;
    }
    const int64_t divisor = std::gcd(config.model_rate, config.sample_rate);
    plan.up = config.model_rate / divisor;
    plan.down = config.sample_rate / divisor;
    plan.resampling = plan.up != plan.down;
    const auto host_share = static_cast<int>(model_samples(config.block_size, plan.up, plan.down));
    const int any_size = config.block_size == 1 ? std::max(host_share, kUsualBlock) : host_share;
    plan.longest_block = config.model_block == 0 ? any_size : config.model_block;
    const int64_t model_block = std::max(config.model_block, 1);
    const auto latency = [&](int64_t host_block) {
        return adaptation_latency_samples(plan.up, plan.down, plan.resampling ? config.filter_in.half_width : 0,
                                          plan.resampling ? config.filter_out.half_width : 0, delay,
                                          buffering_numerator(host_block, model_block, plan.up, plan.down));
    };
    plan.latency_varying = latency(1);
    plan.latency = config.varying_blocks ? plan.latency_varying : latency(config.block_size);
    plan.lead = plan.resampling ? 0 : plan.latency - delay;
    return plan;
}

LatencyParts StreamPlan::parts(const SessionConfig& config, int64_t delay, bool varying) const {
    LatencyParts parts;
    parts.total = varying ? latency_varying : latency;
    if (config.embedded) {
        parts.model = static_cast<double>(parts.total);
        return parts;
    }
    const int64_t host_block = varying ? 1 : config.block_size;
    const auto ratio = static_cast<double>(up);
    parts.buffering =
        static_cast<double>(buffering_numerator(host_block, std::max(config.model_block, 1), up, down)) / ratio;
    parts.model = static_cast<double>(delay * down) / ratio;
    if (resampling) parts.resample_in = static_cast<double>(config.filter_in.half_width) - 1.0 / ratio;
    parts.resample_out = static_cast<double>(parts.total) - parts.resample_in - parts.buffering - parts.model;
    return parts;
}

}  // namespace neutone_like

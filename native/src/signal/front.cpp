#include "signal/front.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace neutone_like {

void StreamFront::prepare(const SessionConfig& config, const StreamPlan& plan) {
    config_ = config;
    plan_ = plan;
    const int most_host = config.block_size;
    host_.prepare(config.channels, most_host);
    converted_.prepare(config.in_channels, most_host);
    int most_new = most_host;
    if (plan.resampling) {
        fir_.prepare(config.filter_in, config.in_channels, most_host);
        resampled_.prepare(config.in_channels, fir_.most_outputs());
        most_new = fir_.most_outputs();
    }
    const int channels = config.embedded ? config.channels : config.in_channels;
    pending_.prepare(channels, config.look_behind + plan.longest_block + most_new);
    packet_values_.assign(config.parameters.size(), 0.0f);
    const int64_t half_width = plan.resampling ? config.filter_in.half_width : 0;
    const int64_t reach =
        half_width + (std::max(plan.longest_block, kControlSamples) + 2) * plan.down / plan.up + most_host + 2;
    track_.prepare(config.parameters, config.sample_rate, plan.up, plan.down, half_width, most_host, reach);
    reset();
}

void StreamFront::reset() noexcept {
    if (plan_.resampling) fir_.start(1);
    track_.reset();
    forget_past();
    waiting_ = 0;
    model_position_ = 0;
    taken_position_ = 0;
}

void StreamFront::forget_past() noexcept {
    for (int channel = 0; channel < pending_.channels(); ++channel) {
        std::fill_n(pending_.channel(channel), config_.look_behind, 0.0f);
    }
}

bool StreamFront::next(PacketRing& packets, AudioRing& audio, ModelBlock& block) noexcept {
    while (!has_block()) {
        if (packets.empty()) return false;
        take_packet(packets, audio);
    }
    int64_t samples = plan_.longest_block;
    if (takes_any_size()) {
        samples = std::min(waiting_, samples);
        if (!config_.embedded && track_.is_moving() && track_.has_block_rate()) {
            samples = std::min(samples, kControlSamples - model_position_ % kControlSamples);
        }
    }
    cut(static_cast<int>(samples), block);
    return true;
}

void StreamFront::take_packet(PacketRing& packets, AudioRing& audio) noexcept {
    const int samples = packets.front().samples;
    last_pushed_ns_ = packets.front().pushed_ns;
    audio.read(taken_position_, host_.rows(), 0, samples);
    feed_parameters(packets.front_values(), samples);
    packets.pop();
    taken_position_ += samples;
    for (int channel = 0; channel < host_.channels(); ++channel) {
        float* row = host_.channel(channel);
        for (int i = 0; i < samples; ++i) {
            if (!std::isfinite(row[i])) {
                row[i] = 0.0f;
                ++nonfinite_input_;
            }
        }
    }
    float* const* rows = host_.rows();
    if (!config_.embedded) {
        rows = convert_channels(rows, config_.channels, config_.in_channels, converted_, samples);
    }
    int gained = samples;
    if (plan_.resampling) {
        gained = fir_.push(rows, samples, resampled_.rows());
        rows = resampled_.rows();
    }
    for (int channel = 0; channel < pending_.channels(); ++channel) {
        std::memcpy(pending_.channel(channel) + config_.look_behind + waiting_, rows[channel], gained * sizeof(float));
    }
    waiting_ += gained;
}

void StreamFront::feed_parameters(const float* values, int samples) noexcept {
    if (track_.count() == 0) return;
    if (config_.embedded) {
        std::copy_n(values, packet_values_.size(), packet_values_.begin());
        return;
    }
    if (automation_ != nullptr) {
        track_.feed_automation(automation_, taken_position_, samples);
    } else {
        track_.feed(values, samples);
    }
}

void StreamFront::cut(int samples, ModelBlock& block) noexcept {
    block.samples = samples;
    block.pushed_ns = last_pushed_ns_;
    fill_values(samples, block);
    const int64_t seen = config_.look_behind + samples;
    const int64_t rest = config_.look_behind + waiting_ - samples;
    for (int channel = 0; channel < pending_.channels(); ++channel) {
        float* row = pending_.channel(channel);
        std::memcpy(block.input.data() + channel * seen, row, seen * sizeof(float));
        std::memmove(row, row + samples, rest * sizeof(float));
    }
    waiting_ -= samples;
    model_position_ += samples;
}

void StreamFront::fill_values(int samples, ModelBlock& block) noexcept {
    const int64_t grid = config_.model_block == 0 ? kControlSamples : 1;
    for (int index = 0; index < track_.count(); ++index) {
        float* row = block.values[index].data();
        if (!config_.embedded) {
            block.value_counts[index] = track_.value_count(index, samples);
            track_.read(index, model_position_, samples, model_position_ - model_position_ % grid, row);
            continue;
        }
        block.value_counts[index] = samples;
        if (automation_ != nullptr) {
            std::copy_n(automation_[index] + model_position_, samples, row);
        } else {
            std::fill_n(row, samples, packet_values_[index]);
        }
    }
}

}  // namespace neutone_like

#include "signal/stream.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "signal/fit.hpp"

namespace neutone_like {

namespace {

// A model of any block size behind a host whose blocks vary gets what comes, up to this.
constexpr int kUsualBlock = 512;

}  // namespace

void AudioBuffer::prepare(int channels, int64_t samples) {
    memory_.assign(static_cast<size_t>(channels) * static_cast<size_t>(samples), 0.0f);
    rows_.clear();
    for (int channel = 0; channel < channels; ++channel) rows_.push_back(memory_.data() + channel * samples);
}

void ModelBlock::prepare(const SessionConfig& config, int longest_block, int parameter_count) {
    input.assign(static_cast<size_t>(std::max(config.in_channels, config.channels)) * (config.look_behind + longest_block),
                 0.0f);
    output.assign(static_cast<size_t>(std::max(config.out_channels, config.channels)) * longest_block, 0.0f);
    values.assign(parameter_count, std::vector<float>(longest_block, 0.0f));
    value_rows.clear();
    for (const auto& row : values) value_rows.push_back(row.data());
    value_counts.assign(parameter_count, 1);
}

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
        rows = neutone_like::convert_channels(rows, config_.channels, config_.in_channels, converted_, samples);
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

void StreamBack::prepare(const SessionConfig& config, const StreamPlan& plan, int64_t delay, int host_channels) {
    plan_ = plan;
    channels_ = config.embedded ? host_channels : config.out_channels;
    host_channels_ = host_channels;
    rows_.assign(channels_, nullptr);
    int64_t most = plan.longest_block;
    if (plan.resampling) {
        first_end_ = first_output_end(plan.up, plan.down, config.filter_in.half_width, config.filter_out.half_width,
                                      delay, plan.latency);
        fir_.prepare(config.filter_out, channels_, plan.longest_block);
        // Before the first block there may be more, the whole latency's worth.
        most = std::max<int64_t>(fir_.most_outputs(), plan.latency + 2);
        most += fir_.most_outputs();
        resampled_.prepare(channels_, most);
    }
    converted_.prepare(host_channels_, most);
}

int64_t StreamBack::start(AudioRing& output) noexcept {
    if (!plan_.resampling) {
        output.write_silence(0, plan_.lead);
        return plan_.lead;
    }
    fir_.start(first_end_);
    const int samples = fir_.push(nullptr, 0, resampled_.rows());
    return write(resampled_.rows(), samples, output, 0);
}

int64_t StreamBack::push(const ModelBlock& block, AudioRing& output, int64_t position) noexcept {
    for (int channel = 0; channel < channels_; ++channel) {
        rows_[channel] = const_cast<float*>(block.output.data()) + static_cast<int64_t>(channel) * block.samples;
    }
    if (!plan_.resampling) return write(rows_.data(), block.samples, output, position);
    const int samples = fir_.push(rows_.data(), block.samples, resampled_.rows());
    return write(resampled_.rows(), samples, output, position);
}

int64_t StreamBack::write(float* const* rows, int samples, AudioRing& output, int64_t position) noexcept {
    output.write(position, convert_channels(rows, channels_, host_channels_, converted_, samples), 0, samples);
    return samples;
}

float* const* convert_channels(float* const* rows, int given, int wanted, AudioBuffer& memory, int samples) noexcept {
    if (given == wanted) return rows;
    if (given == 1) {
        for (int channel = 0; channel < wanted; ++channel) {
            std::memcpy(memory.channel(channel), rows[0], samples * sizeof(float));
        }
    } else {
        for (int i = 0; i < samples; ++i) memory.channel(0)[i] = (rows[0][i] + rows[1][i]) / 2.0f;
    }
    return memory.rows();
}

int output_channels(const SessionConfig& config) noexcept {
    const bool converts = config.in_channels <= 2 && config.out_channels <= 2;
    return converts ? config.channels : config.out_channels;
}

}  // namespace neutone_like

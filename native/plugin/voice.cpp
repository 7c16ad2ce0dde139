#include "voice.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <utility>

#include "model/adapting.hpp"

namespace neutone_like::plugin {

namespace {

constexpr int kLongestBlock = 1 << 16;  // what a host brings beyond is cut
constexpr double kWorkerSeconds = 0.02;
constexpr int64_t kWarmUpSamples = 4096;  // blocks of every length that the rate's conversion makes of the host's

}  // namespace

SessionConfig config_of(const ModelFacts& facts, double sample_rate, int block, const Layout& layout) {
    SessionConfig config;
    config.sample_rate = static_cast<int>(std::lround(sample_rate));
    config.block_size = block;
    const bool converts = facts.in_channels <= 2 && facts.out_channels <= 2;
    config.channels = converts ? layout.outputs : layout.inputs;
    // Hosts end their blocks where they like, at automation above all: the latency must not change for it.
    config.varying_blocks = true;
    config.mode = Mode::inline_;
    check_host(config);
    adapt(config, facts);
    return config;
}

Voice::Voice(std::shared_ptr<const Loaded> loaded, double sample_rate, int longest_block, Layout layout)
    : loaded_(std::move(loaded)),
      layout_(layout),
      longest_(std::clamp(longest_block, 1, kLongestBlock)),
      problem_(loaded_->problem) {
    if (loaded_->model != nullptr) {
        try {
            begin_playing(sample_rate);
        } catch (const std::exception& error) {
            problem_ = error.what();
        }
    }
    silence_.assign(static_cast<size_t>(longest_), 0.0f);
    scrap_.assign(static_cast<size_t>(longest_), 0.0f);
    dry_.prepare(layout_.outputs, latency_, longest_, static_cast<int>(std::clamp(sample_rate, 1.0, 1e6)));
}

void Voice::begin_playing(double sample_rate) {
    const SessionConfig config = config_of(loaded_->facts, sample_rate, longest_, layout_);
    if (loaded_->worker) {
        worker_ = std::make_unique<WorkerStream>(loaded_->model, config, std::lround(kWorkerSeconds * sample_rate));
        latency_ = worker_->latency_samples();
    } else {
        stream_ = std::make_unique<CompiledStream>(loaded_->model, config);
        latency_ = stream_->latency_samples();
    }
}

void Voice::warm_up(const std::vector<float>& values) noexcept {
    const float* const in[kMostChannels] = {};
    float* const out[kMostChannels] = {};
    const int64_t samples = std::max({2 * latency_, int64_t{2} * longest_, kWarmUpSamples});
    for (int64_t played = 0; played < samples; played += longest_) process(in, out, longest_, values.data(), true);
    reset(values.back() != 0.0f);
}

void Voice::reset(bool bypassed) noexcept {
    if (stream_ != nullptr) stream_->reset();
    if (worker_ != nullptr) worker_->reset();
    dry_.reset(bypassed || !has_model());
}

void Voice::process(const float* const* in, float* const* out, int samples, const float* values,
                    bool bypassed) noexcept {
    for (int at = 0; at < samples;) {
        const int piece = std::min(longest_, samples - at);
        const float* from[kMostChannels];
        float* to[kMostChannels];
        for (int channel = 0; channel < kMostChannels; ++channel) {
            const int source = layout_.spreads() && channel == 1 ? 0 : channel;
            const float* row = source < layout_.inputs ? in[source] : nullptr;
            from[channel] = row != nullptr ? row + at : silence_.data();
            float* place = channel < layout_.outputs ? out[channel] : nullptr;
            to[channel] = place != nullptr ? place + at : scrap_.data();
        }
        play(from, to, piece, values, bypassed);
        at += piece;
    }
}

void Voice::play(const float* const* in, float* const* out, int samples, const float* values, bool bypassed) noexcept {
    dry_.keep(in, samples);
    if (!has_model()) {
        // What was kept is heard, because an output may be where the other channel's input is.
        dry_.blend(out, samples, true);
        return;
    }
    if (stream_ != nullptr) stream_->process(in, out, samples, values);
    if (worker_ != nullptr) worker_->process(in, out, samples, values);
    dry_.blend(out, samples, bypassed);
}

}  // namespace neutone_like::plugin

#include "plugin.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>

#include "model/adapting.hpp"
#include "state_text.hpp"

namespace neutone_like::plugin {

namespace {

constexpr int kLongestBlock = 1 << 16;  // what a host brings beyond is cut
constexpr double kWorkerSeconds = 0.02;

SessionConfig config_of(const ModelFacts& facts, double sample_rate, int block, const Layout& layout) {
    SessionConfig config;
    config.sample_rate = static_cast<int>(std::lround(sample_rate));
    config.block_size = block;
    config.channels = layout.outputs;
    // Hosts end their blocks where they like, at automation above all: the latency must not change for it.
    config.varying_blocks = true;
    config.mode = Mode::inline_;
    check_host(config);
    adapt(config, facts);
    return config;
}

}  // namespace

Plugin::Plugin(const Content& of) : content_(of), shown_(of.knobs.size()), playing_(of.knobs.size()) {
    for (size_t knob = 0; knob < shown_.size(); ++knob) shown_[knob] = of.knobs[knob].parameter.default_value;
    take_shown();
}

void Plugin::prepare(double sample_rate, int longest_block, Layout layout) {
    layout_ = layout;
    longest_ = std::clamp(longest_block, 1, kLongestBlock);
    stream_ = nullptr;
    worker_ = nullptr;
    latency_ = 0;
    problem_ = content_.problem;
    if (content_.model != nullptr) {
        try {
            begin_playing(sample_rate);
        } catch (const std::exception& error) {
            problem_ = error.what();
        }
    }
    silence_.assign(static_cast<size_t>(longest_), 0.0f);
    scrap_.assign(static_cast<size_t>(longest_), 0.0f);
    dry_.prepare(layout_.outputs, latency_, longest_, static_cast<int>(std::clamp(sample_rate, 1.0, 1e6)));
    reset();
}

void Plugin::begin_playing(double sample_rate) {
    const SessionConfig config = config_of(content_.facts, sample_rate, longest_, layout_);
    if (content_.identity.worker != 0) {
        worker_ = std::make_unique<WorkerStream>(content_.model, config, std::lround(kWorkerSeconds * sample_rate));
        latency_ = worker_->latency_samples();
    } else {
        stream_ = std::make_unique<CompiledStream>(content_.model, config);
        latency_ = stream_->latency_samples();
    }
}

void Plugin::reset() noexcept {
    loaded_.exchange(false, std::memory_order_acquire);  // before: what is loaded meanwhile is taken by the next block
    take_shown();
    if (stream_ != nullptr) stream_->reset();
    if (worker_ != nullptr) worker_->reset();
    dry_.reset(is_bypassed() || !has_model());
}

void Plugin::set(size_t knob, double value) noexcept {
    const double nearest = content_.knobs[knob].nearest(value);
    shown_[knob].store(nearest, std::memory_order_relaxed);
    playing_[knob] = static_cast<float>(content_.knobs[knob].to_0to1(nearest));
}

void Plugin::show(size_t knob, double value) noexcept {
    shown_[knob].store(content_.knobs[knob].nearest(value), std::memory_order_relaxed);
}

void Plugin::take_shown() noexcept {
    for (size_t knob = 0; knob < playing_.size(); ++knob) {
        playing_[knob] = static_cast<float>(content_.knobs[knob].to_0to1(shown(knob)));
    }
}

void Plugin::process(const float* const* in, float* const* out, int samples) noexcept {
    if (loaded_.load(std::memory_order_relaxed) && loaded_.exchange(false, std::memory_order_acquire)) take_shown();
    for (int at = 0; at < samples && longest_ > 0;) {
        const int piece = std::min(longest_, samples - at);
        const float* from[2] = {silence_.data(), silence_.data()};
        float* to[2] = {scrap_.data(), scrap_.data()};
        for (int channel = 0; channel < layout_.outputs; ++channel) {
            const float* row = in[std::min(channel, layout_.inputs - 1)];
            if (row != nullptr) from[channel] = row + at;
            if (out[channel] != nullptr) to[channel] = out[channel] + at;
        }
        play(from, to, piece);
        at += piece;
    }
}

void Plugin::play(const float* const* in, float* const* out, int samples) noexcept {
    dry_.keep(in, samples);
    if (!has_model()) {
        // What was kept is heard, because an output may be where the other channel's input is.
        dry_.blend(out, samples, true);
        return;
    }
    if (stream_ != nullptr) stream_->process(in, out, samples, playing_.data());
    if (worker_ != nullptr) worker_->process(in, out, samples, playing_.data());
    dry_.blend(out, samples, is_bypassed());
}

std::string Plugin::state() const {
    if (content_.model == nullptr && !kept_state_.empty()) return kept_state_;
    std::vector<double> values;
    for (size_t knob = 0; knob < shown_.size(); ++knob) values.push_back(shown(knob));
    return write_state(content_, values);
}

bool Plugin::load(std::string_view state) {
    std::vector<double> values;
    if (!read_state(content_, state, values)) return false;
    kept_state_ = state;
    for (size_t knob = 0; knob < shown_.size(); ++knob) show(knob, values[knob]);
    loaded_.store(true, std::memory_order_release);
    return true;
}

}  // namespace neutone_like::plugin

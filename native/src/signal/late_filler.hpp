// What is heard in place of samples that are not there.
#pragma once

#include <algorithm>
#include <vector>

#include "signal/channels.hpp"
#include "signal/config.hpp"
#include "signal/ring.hpp"

namespace neutone_like {

// fade: the last sample heard fades to silence within 5 ms. hold: it stays. dry: the input, delayed by the latency.
// None of them touches a sample that was in time.
class LateFiller {
public:
    void prepare(const SessionConfig& config, int output_channels, int64_t most_latency) {
        policy_ = config.late_policy;
        channels_ = output_channels;
        fade_samples_ = std::max(1, config.sample_rate / 200);
        last_.assign(channels_, 0.0f);
        if (policy_ == LatePolicy::dry) {
            dry_.prepare(config.channels, most_latency + 2 * config.block_size);
            block_.prepare(config.channels, config.block_size);
            converted_.prepare(channels_, config.block_size);
        }
        start();
    }

    void start() noexcept {
        std::fill(last_.begin(), last_.end(), 0.0f);
        late_ = 0;
        heard_ = 0;
    }

    // Every block's input, before its output is filled.
    void hear(const float* const* in, int samples) noexcept {
        if (policy_ == LatePolicy::dry) dry_.write(heard_, in, 0, samples);
        heard_ += samples;
    }

    // Samples that were in time, `samples` of them up to `end` of the block.
    void remember(float* const* out, int end, int samples) noexcept {
        if (samples == 0) return;
        for (int channel = 0; channel < channels_; ++channel) last_[channel] = out[channel][end - 1];
        late_ = 0;
    }

    // Fills out[offset .. offset + samples) of the block of `block_samples` heard last.
    void fill(float* const* out, int offset, int samples, int block_samples, int64_t latency) noexcept {
        if (policy_ == LatePolicy::dry) {
            fill_dry(out, offset, samples, heard_ - block_samples + offset - latency);
            return;
        }
        for (int channel = 0; channel < channels_; ++channel) {
            for (int i = 0; i < samples; ++i) {
                out[channel][offset + i] = last_[channel] * gain(late_ + i + 1);
            }
        }
        late_ += samples;
    }

private:
    float gain(int64_t late) const noexcept {
        if (policy_ == LatePolicy::hold) return 1.0f;
        return late >= fade_samples_ ? 0.0f : 1.0f - static_cast<float>(late) / static_cast<float>(fade_samples_);
    }

    void fill_dry(float* const* out, int offset, int samples, int64_t position) noexcept {
        const auto silence = static_cast<int>(std::clamp<int64_t>(-position, 0, samples));
        for (int channel = 0; channel < channels_; ++channel) std::fill_n(out[channel] + offset, silence, 0.0f);
        const int rest = samples - silence;
        if (rest == 0) return;
        dry_.read(position + silence, block_.rows(), 0, rest);
        float* const* rows = convert_channels(block_.rows(), block_.channels(), channels_, converted_, rest);
        for (int channel = 0; channel < channels_; ++channel) {
            std::copy_n(rows[channel], rest, out[channel] + offset + silence);
        }
    }

    LatePolicy policy_ = LatePolicy::fade;
    int channels_ = 0;
    int fade_samples_ = 1;
    std::vector<float> last_;
    int64_t late_ = 0;   // samples since the last one in time
    int64_t heard_ = 0;  // host samples of input
    AudioRing dry_;
    AudioBuffer block_;
    AudioBuffer converted_;
};

}  // namespace neutone_like

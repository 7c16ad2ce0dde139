#include "dry_path.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace neutone_like::plugin {

namespace {
constexpr double kFadeSeconds = 0.01;
}

void DryPath::prepare(int channels, int64_t latency, int longest, int sample_rate) {
    channels_ = channels;
    latency_ = latency;
    const auto room = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(latency + longest + 1)));
    mask_ = room - 1;
    rings_.assign(static_cast<size_t>(channels), std::vector<float>(static_cast<size_t>(room), 0.0f));
    step_ = static_cast<float>(1.0 / std::max(1.0, kFadeSeconds * sample_rate));
}

void DryPath::reset(bool bypassed) noexcept {
    for (auto& ring : rings_) std::fill(ring.begin(), ring.end(), 0.0f);
    kept_ = blended_ = 0;
    dry_ = bypassed ? 1.0f : 0.0f;
}

void DryPath::keep(const float* const* in, int samples) noexcept {
    for (int channel = 0; channel < channels_; ++channel) {
        float* ring = rings_[static_cast<size_t>(channel)].data();
        for (int i = 0; i < samples; ++i) {
            const float value = in[channel][i];
            ring[(kept_ + i) & mask_] = std::isfinite(value) ? value : 0.0f;
        }
    }
    kept_ += samples;
}

void DryPath::blend(float* const* out, int samples, bool bypassed) noexcept {
    const float wanted = bypassed ? 1.0f : 0.0f;
    const float begin = dry_;
    if (begin != wanted || wanted != 0.0f) {
        const float step = bypassed ? step_ : -step_;
        for (int channel = 0; channel < channels_; ++channel) {
            const float* ring = rings_[static_cast<size_t>(channel)].data();
            float part = begin;
            for (int i = 0; i < samples; ++i) {
                part = std::clamp(part + step, 0.0f, 1.0f);
                const float dry = ring[(blended_ + i - latency_) & mask_];
                out[channel][i] = part == 1.0f ? dry : out[channel][i] + part * (dry - out[channel][i]);
            }
            dry_ = part;
        }
    }
    blended_ += samples;
}

}  // namespace neutone_like::plugin

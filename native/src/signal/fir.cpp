#include "signal/fir.hpp"

#include <algorithm>
#include <cstring>

namespace neutone_like {

namespace {

constexpr int kLanes = 16;

// A fixed number of partial sums, so that the compiler may use vector registers without changing the order.
float dot(const float* taps, const float* input, int count) noexcept {
    float sums[kLanes] = {};
    for (int i = 0; i < count; i += kLanes) {
        for (int lane = 0; lane < kLanes; ++lane) sums[lane] += taps[i + lane] * input[i + lane];
    }
    for (int width = kLanes / 2; width > 0; width /= 2) {
        for (int lane = 0; lane < width; ++lane) sums[lane] += sums[lane + width];
    }
    return sums[0];
}

int64_t ceil_div(int64_t a, int64_t b) noexcept { return a >= 0 ? (a + b - 1) / b : -((-a) / b); }

}  // namespace

void Fir::prepare(const RateFilter& filter, int channels, int longest_push) {
    up_ = filter.up;
    down_ = filter.down;
    channels_ = channels;
    const int given = static_cast<int>(2 * filter.half_width);
    taps_ = (given + kLanes - 1) / kLanes * kLanes;
    table_.assign(static_cast<size_t>(up_) * taps_, 0.0f);
    for (int64_t row = 0; row < up_; ++row) {
        std::copy_n(filter.taps.data() + row * given, given, table_.data() + row * taps_ + (taps_ - given));
    }
    input_.assign(channels, std::vector<float>(taps_ + longest_push, 0.0f));
    // The first push also gives what lies before the first input: at most the filter's own length and a little.
    most_outputs_ = static_cast<int>(((longest_push + 2 * filter.half_width) * up_) / down_ + 2);
    start(0);
}

void Fir::start(int64_t first_end) {
    received_ = 0;
    end_ = first_end;
    for (auto& channel : input_) std::fill(channel.begin(), channel.end(), 0.0f);
}

int Fir::push(const float* const* in, int samples, float* const* out) noexcept {
    for (int channel = 0; channel < channels_; ++channel) {
        if (samples > 0) std::memcpy(input_[channel].data() + taps_, in[channel], samples * sizeof(float));
    }
    const int64_t total = received_ + samples;
    int count = 0;
    for (int64_t last = ceil_div(end_, up_); last <= total; last = ceil_div(end_, up_), ++count) {
        const float* row = table_.data() + (last * up_ - end_) * taps_;
        // input_[taps_ + i] is input received_ + i + 1; the window is inputs last - taps + 1 .. last.
        const int64_t begin = last - received_;
        for (int channel = 0; channel < channels_; ++channel) {
            out[channel][count] = last <= 0 ? 0.0f : dot(row, input_[channel].data() + begin, taps_);
        }
        end_ += down_;
    }
    for (int channel = 0; channel < channels_; ++channel) {
        std::memmove(input_[channel].data(), input_[channel].data() + samples, taps_ * sizeof(float));
    }
    received_ = total;
    return count;
}

}  // namespace neutone_like

#include "signal/parameter_track.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace neutone_like {

void ParameterTrack::prepare(const std::vector<ParameterSpec>& parameters, int host_rate, int64_t up, int64_t down,
                             int64_t half_width, int longest_feed, int64_t reach) {
    specs_ = parameters;
    const size_t count = specs_.size();
    up_ = up;
    down_ = down;
    half_width_ = half_width;
    reach_ = reach;
    longest_ = 1;
    has_block_rate_ = false;
    span_.clear();
    minimum_.clear();
    length_.clear();
    for (const ParameterSpec& spec : specs_) {
        span_.push_back(static_cast<float>(spec.maximum - spec.minimum));
        minimum_.push_back(static_cast<float>(spec.minimum));
        length_.push_back(std::max<int64_t>(1, std::llrint(spec.smoothing_seconds * host_rate)));
        longest_ = std::max(longest_, length_.back());
        has_block_rate_ = has_block_rate_ || !spec.per_sample;
    }
    const auto kept = static_cast<uint64_t>(reach_ + longest_ + 2 * longest_feed + 2);
    mask_ = static_cast<int64_t>(std::bit_ceil(kept)) - 1;
    current_.assign(count, 0.0f);
    sum_.assign(count, 0.0);
    raw_.assign(count, std::vector<float>(mask_ + 1, 0.0f));
    smoothed_.assign(count, std::vector<float>(mask_ + 1, 0.0f));
    reset();
}

void ParameterTrack::reset() noexcept {
    moving_ = false;
    started_ = false;
    position_ = 0;
    for (size_t index = 0; index < specs_.size(); ++index) current_[index] = specs_[index].default_0to1;
}

void ParameterTrack::feed(const float* values, int samples) noexcept {
    const size_t count = specs_.size();
    if (!moving_) {
        if (!started_) std::copy_n(values, count, current_.begin());
        started_ = true;
        if (std::equal(current_.begin(), current_.end(), values)) {
            position_ += samples;
            return;
        }
        begin_to_move();
    }
    bool stands = true;
    for (size_t index = 0; index < count; ++index) {
        stands = stands && values[index] == current_[index];
        current_[index] = values[index];
        for (int i = 0; i < samples; ++i) append(static_cast<int>(index), values[index]);
        position_ -= samples;
    }
    position_ += samples;
    still_samples_ = stands ? still_samples_ + samples : samples;
    if (still_samples_ >= longest_ + reach_ + samples) moving_ = false;
}

void ParameterTrack::feed_automation(const float* const* rows, int64_t offset, int samples) noexcept {
    const size_t count = specs_.size();
    if (!started_) {
        for (size_t index = 0; index < count; ++index) current_[index] = rows[index][offset];
        started_ = true;
    }
    if (!moving_) {
        if (is_flat(rows, offset, samples)) {
            position_ += samples;
            return;
        }
        begin_to_move();
    }
    const bool flat = is_flat(rows, offset, samples);
    for (size_t index = 0; index < count; ++index) {
        for (int i = 0; i < samples; ++i) append(static_cast<int>(index), rows[index][offset + i]);
        current_[index] = rows[index][offset + samples - 1];
        position_ -= samples;
    }
    position_ += samples;
    still_samples_ = flat ? still_samples_ + samples : 0;
    if (still_samples_ >= longest_ + reach_ + samples) moving_ = false;
}

// Whether every row has its last known value all along.
bool ParameterTrack::is_flat(const float* const* rows, int64_t offset, int samples) const noexcept {
    for (size_t index = 0; index < specs_.size(); ++index) {
        for (int i = 0; i < samples; ++i) {
            if (rows[index][offset + i] != current_[index]) return false;
        }
    }
    return true;
}

// The past, as far as anyone can look back, is the value that stood still.
void ParameterTrack::begin_to_move() noexcept {
    moving_ = true;
    still_samples_ = 0;
    moving_since_ = position_ - (reach_ + longest_);
    for (size_t index = 0; index < specs_.size(); ++index) {
        std::fill(raw_[index].begin(), raw_[index].end(), current_[index]);
        std::fill(smoothed_[index].begin(), smoothed_[index].end(), current_[index]);
        sum_[index] = static_cast<double>(current_[index]) * static_cast<double>(length_[index]);
    }
}

// Moves `position_` on by one.
void ParameterTrack::append(int index, float value) noexcept {
    std::vector<float>& raw = raw_[index];
    sum_[index] += static_cast<double>(value) - static_cast<double>(raw[(position_ - length_[index]) & mask_]);
    raw[position_ & mask_] = value;
    smoothed_[index][position_ & mask_] = static_cast<float>(sum_[index] / static_cast<double>(length_[index]));
    ++position_;
}

void ParameterTrack::read(int index, int64_t position, int samples, int64_t control_position,
                          float* out) const noexcept {
    const int wanted = value_count(index, samples);
    if (!moving_) {
        std::fill_n(out, wanted, mapped(index, current_[index]));
        return;
    }
    if (!specs_[index].per_sample) {
        out[0] = mapped(index, at_model_sample(index, control_position));
        return;
    }
    for (int i = 0; i < samples; ++i) out[i] = mapped(index, at_model_sample(index, position + i));
}

float ParameterTrack::smoothed_at(int index, int64_t host_position) const noexcept {
    const int64_t known = std::clamp(host_position, moving_since_, position_ - 1);
    return smoothed_[index][known & mask_];
}

float ParameterTrack::at_model_sample(int index, int64_t model_position) const noexcept {
    if (up_ == down_) return smoothed_at(index, model_position);
    // Exact: the whole part and the rest of (m * down + 1) / up.
    const int64_t numerator = model_position * down_ + 1;
    const int64_t whole = numerator / up_;
    const float part = static_cast<float>(static_cast<double>(numerator % up_) / static_cast<double>(up_));
    const int64_t host_position = whole - half_width_;
    const float left = smoothed_at(index, host_position);
    if (specs_[index].categorical) return left;
    return left * (1.0f - part) + smoothed_at(index, host_position + 1) * part;
}

float ParameterTrack::mapped(int index, float value) const noexcept {
    const float own = value * span_[index] + minimum_[index];
    return specs_[index].categorical ? std::nearbyint(own) : own;
}

}  // namespace neutone_like

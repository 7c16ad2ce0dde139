// Parameter values on their way to the model: smoothing, mapping to their own units, alignment with the audio.
#pragma once

#include <cstdint>
#include <vector>

#include "signal/config.hpp"

namespace neutone_like {

// The host's values (0..1) are smoothed by a moving average as long as each parameter's smoothing time, which turns a
// jump into a straight line. While nothing moves, one comparison a host block is all that is done. Values are looked
// up at the host times that the model's samples belong to.
class ParameterTrack {
public:
    // `up`, `down`: model rate / host rate; model sample m belongs to host time (m * down + 1) / up - half_width, or m
    // at equal rates. `longest_feed`: the longest host block; `reach`: how many host samples the model may lag.
    void prepare(const std::vector<ParameterSpec>& parameters, int host_rate, int64_t up, int64_t down,
                 int64_t half_width, int longest_feed, int64_t reach);
    void reset() noexcept;

    // Values for the next `samples` of the host: one a parameter, or [parameters][samples] when they are automated.
    void feed(const float* values, int samples) noexcept;
    void feed_automation(const float* const* rows, int64_t offset, int samples) noexcept;

    bool is_moving() const noexcept { return moving_; }
    bool has_block_rate() const noexcept { return has_block_rate_; }
    int count() const noexcept { return static_cast<int>(specs_.size()); }
    int value_count(int index, int samples) const noexcept { return specs_[index].per_sample ? samples : 1; }

    // Writes value_count(...) values in the parameter's own unit for model samples from `position` on. A block-rate
    // parameter has the value at model sample `control_position`.
    void read(int index, int64_t position, int samples, int64_t control_position, float* out) const noexcept;

private:
    bool is_flat(const float* const* rows, int64_t offset, int samples) const noexcept;
    void settle() noexcept;
    void begin_to_move() noexcept;
    void append(int index, float value) noexcept;
    float smoothed_at(int index, int64_t host_position) const noexcept;
    float at_model_sample(int index, int64_t model_position) const noexcept;
    float mapped(int index, float value) const noexcept;

    std::vector<ParameterSpec> specs_;
    std::vector<float> span_;
    std::vector<float> minimum_;
    std::vector<int64_t> length_;  // of each moving average, in host samples
    int64_t longest_ = 1;
    int64_t reach_ = 0;
    int64_t up_ = 1;
    int64_t down_ = 1;
    int64_t half_width_ = 0;
    bool has_block_rate_ = false;

    bool moving_ = false;
    bool started_ = false;
    int64_t position_ = 0;  // host samples so far
    int64_t moving_since_ = 0;
    int64_t still_samples_ = 0;
    std::vector<float> current_;  // the host's last values
    std::vector<double> sum_;
    int64_t mask_ = 0;
    std::vector<std::vector<float>> raw_;       // by host position & mask_
    std::vector<std::vector<float>> smoothed_;  // the same
};

}  // namespace neutone_like

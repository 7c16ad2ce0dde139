// From the host to the model: host audio becomes model blocks, with the parameters' values for them.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "signal/channels.hpp"
#include "signal/config.hpp"
#include "signal/fir.hpp"
#include "signal/model_block.hpp"
#include "signal/parameter_track.hpp"
#include "signal/plan.hpp"
#include "signal/ring.hpp"

namespace neutone_like {

class StreamFront {
public:
    void prepare(const SessionConfig& config, const StreamPlan& plan);
    void reset() noexcept;

    // Takes packets until a model block is complete; false when there are too few.
    bool next(PacketRing& packets, AudioRing& audio, ModelBlock& block) noexcept;

    // Whether a model block is complete already, without another packet.
    bool has_block() const noexcept { return waiting_ >= (takes_any_size() ? 1 : plan_.longest_block); }

    // The model was reset: what it saw of the past goes too.
    void forget_past() noexcept;

    // From here on parameters come from [parameters][samples] by host position; nullptr: from the packets.
    void set_automation(const float* const* rows) noexcept { automation_ = rows; }

    int64_t taken_position() const noexcept { return taken_position_; }

    // How many values of the host's audio were NaN or Inf since it was last asked.
    uint64_t take_nonfinite_count() noexcept { return std::exchange(nonfinite_input_, 0); }

private:
    bool takes_any_size() const noexcept { return config_.embedded || config_.model_block == 0; }
    void take_packet(PacketRing& packets, AudioRing& audio) noexcept;
    void feed_parameters(const float* values, int samples) noexcept;
    void cut(int samples, ModelBlock& block) noexcept;
    void fill_values(int samples, ModelBlock& block) noexcept;

    SessionConfig config_;
    StreamPlan plan_;
    Fir fir_;
    ParameterTrack track_;
    AudioBuffer host_;       // one host block, host channels
    AudioBuffer converted_;  // the same, model channels
    AudioBuffer resampled_;
    AudioBuffer pending_;  // [in_channels][look_behind + waiting]
    std::vector<float> packet_values_;
    const float* const* automation_ = nullptr;
    int64_t waiting_ = 0;         // model samples in `pending_` beyond the look-behind
    int64_t model_position_ = 0;  // of the first one waiting
    int64_t taken_position_ = 0;  // host samples taken so far
    uint64_t last_pushed_ns_ = 0;
    uint64_t nonfinite_input_ = 0;
};

}  // namespace neutone_like

// The two ends of a model: host audio becomes model blocks, and model blocks become host audio again.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "signal/config.hpp"
#include "signal/fir.hpp"
#include "signal/parameter_track.hpp"
#include "signal/ring.hpp"

namespace neutone_like {

// While a block-rate parameter moves, a model of any block size is called on a grid of this many samples: the steps
// are small, and where they fall does not depend on the host's blocks.
constexpr int kControlSamples = 32;

// Memory for [channels][samples] with the row pointers that C interfaces want.
class AudioBuffer {
public:
    void prepare(int channels, int64_t samples);
    float* channel(int index) noexcept { return rows_[index]; }
    float* const* rows() noexcept { return rows_.data(); }
    const float* const* const_rows() const noexcept { return rows_.data(); }
    int channels() const noexcept { return static_cast<int>(rows_.size()); }

private:
    std::vector<float> memory_;
    std::vector<float*> rows_;
};

// Everything about one call of the model.
struct ModelBlock {
    int samples = 0;
    uint64_t pushed_ns = 0;               // when the audio thread handed over the last sample of it
    std::vector<float> input;             // [in_channels][look_behind + samples], in one piece
    std::vector<float> output;            // [out_channels][samples], in one piece
    std::vector<std::vector<float>> values;
    std::vector<const float*> value_rows;
    std::vector<int32_t> value_counts;

    void prepare(const SessionConfig& config, int longest_block, int parameter_count);
};

// Sizes and latencies that follow from a configuration and the model's delay.
struct StreamPlan {
    int64_t up = 1;                       // model rate / host rate
    int64_t down = 1;
    bool resampling = false;
    int longest_block = 0;                // model samples of one call
    int64_t latency = 0;                  // host samples, without waiting for workers
    int64_t latency_varying = 0;          // the same for a host whose blocks vary
    int64_t lead = 0;                     // host samples of silence that begin the output stream

    // `delay` is the model's, in model samples; of an embedded wrapper its whole latency, in host samples.
    static StreamPlan make(const SessionConfig& config, int64_t delay);
    LatencyParts parts(const SessionConfig& config, int64_t delay, bool varying) const;
};

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
    AudioBuffer host_;                    // one host block, host channels
    AudioBuffer converted_;               // the same, model channels
    AudioBuffer resampled_;
    AudioBuffer pending_;                 // [in_channels][look_behind + waiting]
    std::vector<float> packet_values_;
    const float* const* automation_ = nullptr;
    int64_t waiting_ = 0;                 // model samples in `pending_` beyond the look-behind
    int64_t model_position_ = 0;          // of the first one waiting
    int64_t taken_position_ = 0;          // host samples taken so far
    uint64_t last_pushed_ns_ = 0;
    uint64_t nonfinite_input_ = 0;
};

class StreamBack {
public:
    void prepare(const SessionConfig& config, const StreamPlan& plan, int64_t delay, int host_channels);

    // Begins the output stream: what precedes the first block's output is written to the ring.
    int64_t start(AudioRing& output) noexcept;

    // Writes a finished block's audio at `position`; returns how many host samples that gave.
    int64_t push(const ModelBlock& block, AudioRing& output, int64_t position) noexcept;

private:
    int64_t write(float* const* rows, int samples, AudioRing& output, int64_t position) noexcept;

    StreamPlan plan_;
    int channels_ = 0;
    int host_channels_ = 0;
    int64_t first_end_ = 0;
    Fir fir_;
    std::vector<float*> rows_;
    AudioBuffer resampled_;
    AudioBuffer converted_;
};

// mono -> stereo duplicates, stereo -> mono averages; equal counts give the same rows back.
float* const* convert_channels(float* const* rows, int given, int wanted, AudioBuffer& memory, int samples) noexcept;

// How many channels a host with `config.channels` gets back.
int output_channels(const SessionConfig& config) noexcept;

}  // namespace neutone_like

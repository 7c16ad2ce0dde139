// A compiled model behind a host's audio, on the thread that calls it: what the engine's inline mode gives, without
// threads, queues between them, or a clock.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "compiled/compiled_player.hpp"
#include "signal/back.hpp"
#include "signal/config.hpp"
#include "signal/front.hpp"
#include "signal/model_block.hpp"
#include "signal/plan.hpp"
#include "signal/ring.hpp"

namespace neutone_like {

class CompiledStream {
public:
    // Takes all memory. Throws EngineError.
    CompiledStream(std::shared_ptr<const CompiledModel> model, const SessionConfig& config);

    // At most config.block_size samples. `out` may be `in`. `values`: one a parameter, 0..1. Takes no memory, waits for
    // nothing.
    void process(const float* const* in, float* const* out, int samples, const float* values) noexcept;

    // As if nothing had been played.
    void reset() noexcept;

    int output_channels() const noexcept { return output_channels_; }
    int64_t latency_samples() const noexcept { return varying_ ? plan_.latency_varying : plan_.latency; }
    uint64_t nonfinite_samples() const noexcept { return nonfinite_; }
    uint64_t nonfinite_input_samples() const noexcept { return nonfinite_input_; }
    uint64_t state_bytes() const noexcept { return player_.bytes(); }

private:
    void push(const float* const* in, int samples, const float* values) noexcept;
    void play_blocks() noexcept;
    void run(ModelBlock& block) noexcept;
    void deliver(float* const* out, int samples) noexcept;

    const SessionConfig config_;
    CompiledPlayer player_;
    const StreamPlan plan_;
    const int output_channels_;
    StreamFront front_;
    StreamBack back_;
    ModelBlock block_;
    AudioRing input_;
    PacketRing packets_;
    AudioRing output_;
    bool varying_ = false;
    int64_t pushed_ = 0;     // host samples that came
    int64_t published_ = 0;  // of the output stream
    int64_t read_ = 0;
    int64_t silence_ = 0;  // host samples that go out before the output stream goes on
    uint64_t nonfinite_ = 0;
    uint64_t nonfinite_input_ = 0;
};

}  // namespace neutone_like

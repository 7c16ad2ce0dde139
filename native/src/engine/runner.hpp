// Runs one instance on model blocks and keeps the engine's side of its state.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/instance.hpp"
#include "signal/config.hpp"
#include "signal/model_block.hpp"

namespace neutone_like {

struct RunResult {
    nl_status status = NL_OK;
    int nonfinite_samples = 0;
    uint64_t nanoseconds = 0;
};

class Runner {
public:
    // Prepares the instance; `longest_block` as the stream will cut them.
    Runner(InstancePtr instance, const SessionConfig& config, int longest_block);

    int64_t delay_samples() const noexcept { return delay_; }
    const nl_backend* backend() const noexcept { return &instance_->backend(); }
    bool has_engine_states() const noexcept { return !states_.empty(); }

    // What fails, or holds NaN or Inf, becomes silence, and the model starts afresh instead of staying poisoned.
    // Never throws; `message` gets the backend's words.
    RunResult run(ModelBlock& block, char* message, size_t size) noexcept;

    void reset();
    void thread_started() const noexcept { instance_->thread_started(); }

    // A copy that shares nothing that changes; null where the backend can't.
    std::unique_ptr<Runner> clone() const;

private:
    struct State {
        std::vector<float> initial;
        std::vector<float> now;
        std::vector<float> next;
    };

    void reset_states() noexcept;
    bool reset_quietly() noexcept;

    SessionConfig config_;
    int longest_block_;
    InstancePtr instance_;
    int64_t delay_ = 0;
    std::vector<State> states_;
    std::vector<const float*> states_in_;
    std::vector<float*> states_out_;
};

}  // namespace neutone_like

// A model behind engine.h: its facts, its parameters as the host set them, and a session whenever it is prepared.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/engine.hpp"
#include "model/model_facts.hpp"
#include "neutone_like/engine.h"

namespace neutone_like {

class Player {
public:
    // Loads the model. Throws HostError.
    Player(std::shared_ptr<Engine> engine, const std::string& model, const std::string& backend);
    ~Player();
    Player(const Player&) = delete;
    Player& operator=(const Player&) = delete;

    const ModelFacts& facts() const noexcept { return facts_; }
    const std::string& metadata() const noexcept { return metadata_; }

    // The audio thread.
    nl_result process(const float* const* in, float* const* out, int samples) noexcept;

    // From any thread, without a lock.
    bool has_parameter(int index) const noexcept { return index >= 0 && index < static_cast<int>(values_.size()); }
    nl_result set_parameter(int index, double value) noexcept;
    double parameter(int index) const noexcept { return values_[index].load(std::memory_order_relaxed); }
    int64_t latency_samples() const noexcept { return latency_.load(std::memory_order_relaxed); }
    int output_channels() const noexcept { return output_channels_.load(std::memory_order_relaxed); }

    // Not real time; from any other thread. Throw HostError or EngineError.
    void prepare(const nl_host& host);
    void process_offline(const float* const* in, float* const* out, int64_t samples);
    void reset();
    void read(nl_statistics& statistics) const;

private:
    // What stands between the audio thread and a session that is exchanged.
    enum Gate : int { kShut, kFree, kPlaying };

    void shut_gate() noexcept;
    InstancePtr fresh_instance() const;
    void give_parameters(Session& session) const noexcept;
    Session& prepared() const;

    std::shared_ptr<Engine> engine_;
    std::string source_;
    const nl_backend* backend_;
    std::string metadata_;
    ModelFacts facts_;
    std::string options_;                      // for the backend
    InstancePtr model_;                        // as it was loaded; what plays are copies of it
    std::vector<std::atomic<double>> values_;  // of the parameters, in their own units

    mutable std::mutex control_;        // of the threads that prepare, reset and count; never the audio's
    std::shared_ptr<Session> session_;  // exchanged only while the gate is shut
    std::atomic<int> gate_{kShut};
    std::atomic<int64_t> latency_{0};
    std::atomic<int> output_channels_{0};
};

}  // namespace neutone_like

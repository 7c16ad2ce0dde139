// All that is settled before a session's audio starts, and does not change any more.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/instance.hpp"
#include "engine/opening.hpp"
#include "engine/pool_view.hpp"
#include "engine/runner.hpp"
#include "signal/config.hpp"
#include "signal/plan.hpp"

namespace neutone_like {

using Runners = std::vector<std::unique_ptr<Runner>>;

struct SessionPlan {
    SessionConfig config;
    StreamPlan stream;
    const nl_backend* backend = nullptr;
    int output_channels = 0;
    int64_t delay = 0;  // the model's
    int64_t wait = 0;   // host samples of latency for a worker
    int64_t wait_varying = 0;
    double max_inference_seconds = 0.0;  // of one block: measured, or as the user set it
    double worker_seconds = 0.0;         // what the latency allows a worker after a callback
    double callback_work_seconds = 0.0;
    double most_waiting_seconds = 0.0;  // however long a block lasts

    // How long a callback may wait for its worker.
    double waiting_seconds(int samples) const noexcept {
        return std::min(config.wait_fraction * samples / config.sample_rate, most_waiting_seconds);
    }
    int64_t latency(bool varying) const noexcept {
        return varying ? stream.latency_varying + wait_varying : stream.latency + wait;
    }
    int64_t most_latency() const noexcept { return stream.latency_varying + wait_varying; }
    LatencyParts latency_parts(bool varying) const noexcept;
    // How many model blocks can be on their way at once.
    size_t slots() const noexcept { return config.instances == 1 ? 1 : 2 * static_cast<size_t>(config.instances); }
};

struct PlannedSession {
    SessionPlan plan;
    Runners runners;
};

// Prepares, warms up and measures the instances, `config.instances` of them. Throws EngineError.
PlannedSession plan_session(const SessionConfig& config, std::vector<InstancePtr> instances, const PoolView& pool,
                            OpeningProgress& progress);

}  // namespace neutone_like

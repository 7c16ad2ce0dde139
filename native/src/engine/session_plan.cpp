#include "engine/session_plan.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/measuring.hpp"
#include "signal/channels.hpp"

namespace neutone_like {

namespace {

Runners prepared(const SessionConfig& config, std::vector<InstancePtr> instances, OpeningProgress& progress) {
    if (static_cast<int>(instances.size()) != config.instances) {
        throw EngineError("Expected " + std::to_string(config.instances) + " instances of the model, got " +
                          std::to_string(instances.size()) + ".");
    }
    const int longest_block = StreamPlan::make(config, 0).longest_block;
    Runners runners;
    for (InstancePtr& instance : instances) {
        runners.push_back(
            progress.call([&] { return std::make_unique<Runner>(std::move(instance), config, longest_block); }));
    }
    if (config.instances > 1 && runners.front()->has_engine_states()) {
        throw EngineError("instances: a model with state must be run in order, by 1 instance, got " +
                          std::to_string(config.instances) + ".");
    }
    return runners;
}

// worker_seconds = what one callback asks of one worker + what the other sessions ask of it meanwhile + the time to wake
// one.
void plan_waiting(SessionPlan& plan, const Runners& runners, const PoolView& pool, OpeningProgress& progress) {
    const double wake_seconds = pool.wake ? 100e-6 : 250e-6;  // until it is woken, or looks by itself
    const SessionConfig& config = plan.config;
    const MeasuredTimes times =
        measure_inference(runners, config, plan.stream, pool.workers, pool.realtime_priority, progress);
    plan.max_inference_seconds = times.block_seconds;
    plan.callback_work_seconds = times.callback_seconds * std::min(config.instances, pool.workers);
    if (config.mode != Mode::async) return;
    plan.worker_seconds = times.callback_seconds + pool.load_seconds + wake_seconds;
    // Half of what makes a callback look as if it never returned.
    plan.most_waiting_seconds = pool.watchdog_seconds / 2;
    const auto wait = [&](bool varying) -> int64_t {
        // Where blocks vary, the one that asks may be of one sample, which leaves no time to wait.
        const double seconds = plan.worker_seconds - (varying ? 0.0 : plan.waiting_seconds(config.block_size));
        if (seconds <= 0.0) return 0;
        return inference_wait_samples(seconds, config.block_size, config.sample_rate, varying);
    };
    plan.wait_varying = wait(true);
    plan.wait = config.varying_blocks ? plan.wait_varying : wait(false);
}

}  // namespace

LatencyParts SessionPlan::latency_parts(bool varying) const noexcept {
    LatencyParts parts = stream.parts(config, delay, varying);
    const int64_t waits = varying ? wait_varying : wait;
    parts.inference = static_cast<double>(waits);
    parts.total += waits;
    return parts;
}

PlannedSession plan_session(const SessionConfig& config, std::vector<InstancePtr> instances, const PoolView& pool,
                            OpeningProgress& progress) {
    check_config(config);
    PlannedSession planned;
    SessionPlan& plan = planned.plan;
    plan.config = config;
    planned.runners = prepared(config, std::move(instances), progress);
    plan.output_channels = output_channels(config);
    plan.backend = planned.runners.front()->backend();
    plan.delay = planned.runners.front()->delay_samples();
    plan.stream = StreamPlan::make(config, plan.delay);
    plan_waiting(plan, planned.runners, pool, progress);
    return planned;
}

}  // namespace neutone_like

// One model playing for one host: an audio side, a workers' side, what they share, and control from other threads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/audio_side.hpp"
#include "engine/control.hpp"
#include "engine/counters.hpp"
#include "engine/instance.hpp"
#include "engine/pool_view.hpp"
#include "engine/session_plan.hpp"
#include "engine/shared.hpp"
#include "engine/stop_request.hpp"
#include "engine/worker_side.hpp"
#include "signal/config.hpp"
#include "signal/histogram.hpp"

namespace neutone_like {

struct SessionStats : Counts {
    bool hung = false;  // the watchdog gave the session up: it is silent until it is closed
    std::string last_error;
    double max_inference_seconds = 0.0;  // of one block: measured, or as the user set it
    double worker_seconds = 0.0;         // what the latency allows a worker after a callback
};

class Session {
public:
    // Sized, warmed up and measured here, which is not real time. `instances` as many as config.instances.
    // Throws EngineError.
    Session(const SessionConfig& config, std::vector<InstancePtr> instances, PoolView pool, OpeningProgress& progress)
        : Session(plan_session(config, std::move(instances), pool, progress), std::move(pool)) {}
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // The audio side: no allocation, lock, wait or log, and in asynchronous mode at most one system call, which wakes a
    // worker; with a wait_fraction, one more, which waits for it. `in`: [config().channels] pointers to `samples` floats, `out`: [output_channels()] of them.
    ProcessResult process(const float* const* in, float* const* out, int samples) noexcept {
        return audio_.process(in, out, samples, Caller::host);
    }
    // The same, for the device that has taken it.
    ProcessResult process_on_device(const float* const* in, float* const* out, int samples) noexcept {
        return audio_.process(in, out, samples, Caller::device);
    }

    // From any thread, without a lock. NaN leaves a parameter where it is.
    void set_parameter_0to1(int index, float value) noexcept;
    float parameter_0to1(int index) const noexcept { return shared_.parameters[index].load(std::memory_order_relaxed); }

    // Not real time; from any thread, at any time. While they run, process gives silence, and counts it.
    // Throw EngineError when the session is or was closed, or its backend does not return, and Interrupted.
    void reset(const StopRequest& stop = {}) { control_.reset(stop); }
    void wait_idle(const StopRequest& stop = {}) {
        control_.wait_idle(stop);
    }  // until the workers have nothing left to do

    // Ends what other threads do with the session, and waits until they are out of it; no longer than the watchdog
    // allows, and never for the calling thread itself.
    void close(const StopRequest& stop = {}) noexcept;
    void let_go() noexcept;  // closes without waiting for anybody
    void wait_until_left(uint64_t limit_ns, const StopRequest& stop) const noexcept {
        control_.wait_until_left(limit_ns, stop);
    }
    bool is_closed() const noexcept { return shared_.closed; }

    // Not real time: any length, on the calling thread, from a fresh start; as long as the input and aligned with it.
    // `values`: nullptr, or [parameters][samples] in 0..1. Closing the session ends it, with an EngineError.
    void process_offline(const float* const* in, float* const* out, int64_t samples, const float* const* values,
                         const StopRequest& stop = {}) {
        control_.process_offline(in, out, samples, values, stop);
    }

    // A device plays the session for some time: no second one may, and no other caller. False: one does already.
    bool take_device() noexcept { return !shared_.on_device.exchange(true); }
    void leave_device() noexcept { shared_.on_device = false; }
    bool is_on_device() const noexcept { return shared_.on_device; }

    const SessionConfig& config() const noexcept { return plan_.config; }
    int output_channels() const noexcept { return plan_.output_channels; }
    int64_t latency_samples() const noexcept { return shared_.latency; }
    LatencyParts latency_parts() const noexcept { return plan_.latency_parts(shared_.reports_varying); }
    SessionStats stats() const;
    const Histogram& callback_time() const noexcept { return shared_.callback_time; }    // ns
    const Histogram& inference_time() const noexcept { return shared_.inference_time; }  // ns, one model block
    const Histogram& turnaround_time() const noexcept {
        return shared_.turnaround_time;
    }  // ns, from callback to output

    // For the pool.
    static constexpr uint64_t kNothing = WorkerSide::kNothing;
    uint64_t next_deadline() const noexcept { return workers_.next_deadline(); }
    bool work() noexcept { return workers_.work(); }
    void give_up() noexcept { shared_.hung = true; }
    void thread_started() const noexcept { workers_.thread_started(); }
    const nl_backend* backend() const noexcept { return plan_.backend; }
    double callback_work_seconds() const noexcept { return plan_.callback_work_seconds; }

private:
    Session(PlannedSession planned, PoolView&& pool);

    const PoolView pool_;
    const SessionPlan plan_;
    Shared shared_;
    WorkerSide workers_;
    AudioSide audio_;
    Control control_;
};

}  // namespace neutone_like

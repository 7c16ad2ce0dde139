// One model playing for one host.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/instance.hpp"
#include "engine/runner.hpp"
#include "engine/stop_request.hpp"
#include "signal/back.hpp"
#include "signal/config.hpp"
#include "signal/front.hpp"
#include "signal/histogram.hpp"
#include "signal/late_filler.hpp"
#include "signal/plan.hpp"
#include "signal/ring.hpp"

namespace neutone_like {

enum class ProcessResult : int {
    ok = 0,
    block_too_large = 1,  // nothing was processed; the output is untouched
    two_threads = 2,      // another thread is inside process; nothing was processed
    closed = 3,           // nothing was processed
    on_device = 4,        // run_realtime plays the session; nothing was processed
};

struct SessionStats {
    uint64_t callbacks = 0;
    uint64_t samples = 0;                   // host samples processed
    uint64_t underruns = 0;                 // callbacks with at least one missing sample
    uint64_t missing_samples = 0;           // host samples of output that were not ready in time, exactly
    uint64_t dropped_samples = 0;           // host samples of input that found the queue full
    uint64_t restarts = 0;                  // the stream began anew after a full queue
    uint64_t inserted_silence_samples = 0;  // because the host broke its promise about block sizes
    uint64_t nonfinite_samples = 0;         // model output samples that were NaN or Inf and became silence
    uint64_t nonfinite_input_samples = 0;   // host input values that were NaN or Inf and became silence
    uint64_t failed_blocks = 0;             // the backend returned an error or a wrong size; silence took their place
    uint64_t model_blocks = 0;
    bool hung = false;                      // the watchdog gave the session up: it is silent until it is closed
    std::string last_error;
    double max_inference_seconds = 0.0;     // of one block: measured, or as the user set it
    double worker_seconds = 0.0;            // what the latency allows a worker after a callback
};

// What other sessions on the same pool take, and how its workers are told that there is work.
struct PoolView {
    double load_seconds = 0.0;       // the work of one callback of every other session, over the workers
    int workers = 1;
    bool realtime_priority = false;
    double watchdog_seconds = 2.0;
    std::function<void()> wake;      // empty with polling workers
    // The pool lets go of a session; with `wait`, once its workers are out of it, or soon after where they are not.
    std::function<void(const class Session*, bool wait)> closed;
};

class OpeningProgress;

class Session {
public:
    // Sized, warmed up and measured here, which is not real time. `instances` as many as config.instances.
    // Throws EngineError.
    Session(const SessionConfig& config, std::vector<InstancePtr> instances, PoolView pool, OpeningProgress& progress);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // The audio side: no allocation, lock, wait or log, and in asynchronous mode at most one system call, which wakes a
    // worker. `in`: [config().channels] pointers to `samples` floats, `out`: [output_channels()] of them.
    ProcessResult process(const float* const* in, float* const* out, int samples) noexcept;

    // From any thread, without a lock.
    void set_parameter_0to1(int index, float value) noexcept;
    float parameter_0to1(int index) const noexcept;

    // Not real time; from any thread, at any time. While they run, process gives silence, and counts it.
    // Throw EngineError when the session is or was closed, or its backend does not return, and Interrupted.
    void reset(const StopRequest& stop = {});
    void wait_idle(const StopRequest& stop = {});  // until the workers have nothing left to do

    // Ends what other threads do with the session, and waits until they are out of it; no longer than the watchdog
    // allows, and never for the calling thread itself.
    void close(const StopRequest& stop = {}) noexcept;
    void let_go() noexcept;  // closes without waiting for anybody
    void wait_until_left(uint64_t limit_ns, const StopRequest& stop) const noexcept;
    bool is_closed() const noexcept { return closed_.load(); }

    // Not real time: any length, on the calling thread, from a fresh start; as long as the input and aligned with it.
    // `values`: nullptr, or [parameters][samples] in 0..1. Closing the session ends it, with an EngineError.
    void process_offline(const float* const* in, float* const* out, int64_t samples, const float* const* values,
                         const StopRequest& stop = {});

    // A device plays the session for some time: no second one may, and no other caller. False: one does already.
    bool take_device() noexcept { return !on_device_.exchange(true); }
    void leave_device() noexcept { on_device_ = false; }
    bool is_on_device() const noexcept { return on_device_; }

    const SessionConfig& config() const noexcept { return config_; }
    int output_channels() const noexcept { return output_channels_; }
    int64_t latency_samples() const noexcept { return latency_.load(); }
    LatencyParts latency_parts() const noexcept;
    SessionStats stats() const;
    const Histogram& callback_time() const noexcept { return callback_time_; }      // ns
    const Histogram& inference_time() const noexcept { return inference_time_; }    // ns, one model block
    const Histogram& turnaround_time() const noexcept { return turnaround_time_; }  // ns, from callback to output

    // For the pool. The deadline of what could be done now, in ns; kNothing: nothing could.
    static constexpr uint64_t kNothing = ~uint64_t{0};
    uint64_t next_deadline() const noexcept;
    bool work() noexcept;  // does one block's work; false when there was none
    void give_up() noexcept { hung_.store(true); }
    void thread_started() const noexcept { runners_.front()->thread_started(); }
    const nl_backend* backend() const noexcept { return backend_; }
    double callback_work_seconds() const noexcept { return callback_work_seconds_; }

private:
    enum Owner : int { kFree, kAudio, kControl };
    enum SlotState : int { kEmpty, kReady, kRunning, kDone };

    struct Slot {
        ModelBlock block;
        std::atomic<int> state{kEmpty};
        std::atomic<uint64_t> deadline{0};
    };

    // Preparation.
    void plan_latency(OpeningProgress& progress);
    void prepare_queues();
    void begin_stream() noexcept;
    uint64_t watchdog_ns() const noexcept { return static_cast<uint64_t>(1e9 * pool_.watchdog_seconds); }

    // The audio thread.
    void play(const float* const* in, float* const* out, int samples) noexcept;
    bool push(const float* const* in, int samples) noexcept;
    void deliver(float* const* out, int samples) noexcept;
    void give_late(float* const* out, int offset, int samples, int block_samples) noexcept;
    void notice_varying_blocks() noexcept;
    bool is_restarting() noexcept;

    // The workers.
    bool fill_slots() noexcept;
    bool run_slot() noexcept;
    bool empty_slots() noexcept;
    bool restart() noexcept;
    void run_block(Slot& slot, Runner& runner) noexcept;
    void keep_error(const char* message) noexcept;
    bool looks_idle() const noexcept;
    bool is_idle() noexcept;

    // Other threads.
    class Control;
    class FreshStart;
    bool is_held_by_this_thread() const noexcept;
    void restart_stream() noexcept;
    void run_piece(AudioBuffer& piece, int samples) noexcept;

    SessionConfig config_;
    PoolView pool_;
    const nl_backend* backend_ = nullptr;
    int output_channels_ = 0;
    StreamPlan plan_;
    int64_t delay_ = 0;
    int64_t wait_ = 0;          // host samples that the audio thread waits for a worker
    int64_t wait_varying_ = 0;
    double max_inference_seconds_ = 0.0;
    double worker_seconds_ = 0.0;
    double callback_work_seconds_ = 0.0;

    // Between the audio thread and the workers.
    AudioRing input_;
    PacketRing packets_;
    AudioRing output_;
    alignas(64) std::atomic<int64_t> complete_{0};   // host samples that complete model blocks
    alignas(64) std::atomic<int64_t> taken_{0};      // host samples that the workers took
    alignas(64) std::atomic<int64_t> published_{0};  // host samples of output that are there
    std::atomic<bool> restart_wanted_{false};
    std::vector<std::atomic<float>> parameters_;

    // The audio thread's own.
    std::atomic<int> owner_{kFree};
    std::atomic<std::thread::id> owner_thread_{};  // whose it is, or was
    bool restarting_ = false;
    bool varying_ = false;
    int64_t pushed_ = 0;        // host samples handed over
    int64_t read_ = 0;          // position in the output stream
    int64_t silence_ = 0;       // host samples of silence that go out before it
    bool anew_ = false;         // after a full queue: what its latency swallows is missing
    int64_t lost_before_ = 0;   // positions of the output stream that it swallows though they are there
    LateFiller filler_;

    // The workers' own; whoever holds the flag.
    StreamFront front_;
    StreamBack back_;
    std::vector<std::unique_ptr<Runner>> runners_;
    std::vector<std::atomic<bool>> runner_busy_;
    std::vector<Slot> slots_;
    std::atomic<bool> front_busy_{false};
    std::atomic<bool> back_busy_{false};
    std::atomic<int> pauses_{0};                     // above 0: no slot may begin to run
    std::atomic<int> running_{0};                    // workers that run a slot, or look for one
    std::atomic<bool> forget_past_{false};
    std::atomic<bool> leftover_{false};              // a further block is complete without another packet
    std::atomic<uint64_t> leftover_deadline_{0};
    std::atomic<uint64_t> filled_{0};
    std::atomic<uint64_t> emptied_{0};

    // Read by anyone.
    std::atomic<bool> closed_{false};
    std::atomic<bool> hung_{false};
    std::atomic<bool> on_device_{false};
    std::atomic<int64_t> latency_{0};
    std::atomic<bool> reports_varying_{false};
    std::atomic<uint64_t> callbacks_{0};
    std::atomic<uint64_t> samples_{0};
    std::atomic<uint64_t> underruns_{0};
    std::atomic<uint64_t> missing_{0};
    std::atomic<uint64_t> dropped_{0};
    std::atomic<uint64_t> restarts_{0};
    std::atomic<uint64_t> inserted_{0};
    std::atomic<uint64_t> nonfinite_{0};
    std::atomic<uint64_t> nonfinite_input_{0};
    std::atomic<uint64_t> failed_{0};
    std::atomic<uint64_t> blocks_{0};
    Histogram callback_time_;
    Histogram inference_time_;
    Histogram turnaround_time_;
    mutable std::mutex error_mutex_;  // workers and readers of statistics; never the audio thread
    std::string last_error_;
};

}  // namespace neutone_like

// What more than one thread of a session touches: its rings, and all of its atomics. Nothing else of a session is shared.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/counters.hpp"
#include "engine/output_bell.hpp"
#include "engine/session_plan.hpp"
#include "signal/histogram.hpp"
#include "signal/ring.hpp"

namespace neutone_like {

// Who may use the audio side: the audio thread for one callback, or a thread that controls the session.
class Ownership {
public:
    enum Owner : int { kFree, kAudio, kControl };

    // The owner before: kFree where it was taken. Where control asks for it, the audio thread stays out: between two of a
    // host's calls there may be no time to take it in.
    Owner take(Owner owner) noexcept {
        if (owner == kAudio && asking_ > 0) return owner_ == kAudio ? kAudio : kControl;
        int expected = kFree;
        if (owner_.compare_exchange_strong(expected, owner)) {
            thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
        }
        return static_cast<Owner>(expected);
    }
    void ask() noexcept { ++asking_; }  // [control]
    void ask_no_more() noexcept { --asking_; }
    void leave() noexcept {
        // First the name: whoever left must not find itself named while the next owner has yet to write its own.
        thread_.store(std::thread::id(), std::memory_order_relaxed);
        owner_.store(kFree, std::memory_order_release);
    }
    bool is_free() const noexcept { return owner_ == kFree; }
    // Only a thread itself writes its name here, and takes it away.
    bool is_this_threads() const noexcept {
        return thread_.load(std::memory_order_relaxed) == std::this_thread::get_id();
    }

private:
    std::atomic<int> owner_{kFree};
    std::atomic<int> asking_{0};             // threads that wait for it as control
    std::atomic<std::thread::id> thread_{};  // whose it is
};

// Where a model block is on its way through the workers.
struct SlotMark {
    enum State : int { kEmpty, kReady, kRunning, kDone };
    std::atomic<int> state{kEmpty};
    std::atomic<uint64_t> deadline{0};
};

// How workers share a session: whoever holds a flag may use what it stands for. Nobody waits for one.
struct WorkerMarks {
    explicit WorkerMarks(const SessionPlan& plan) : runner_busy(plan.config.instances), slots(plan.slots()) {}

    std::vector<std::atomic<bool>> runner_busy;
    std::vector<SlotMark> slots;
    std::atomic<bool> front_busy{false};
    std::atomic<bool> back_busy{false};
    std::atomic<int> pauses{0};   // above 0: no slot may begin to run
    std::atomic<int> running{0};  // workers that run a slot, or look for one
    std::atomic<bool> forget_past{false};
    std::atomic<bool> leftover{false};  // a further block is complete without another packet
    std::atomic<uint64_t> leftover_deadline{0};
    std::atomic<uint64_t> filled{0};
    std::atomic<uint64_t> emptied{0};
};

// The model's last words. Workers and readers of statistics; never the audio thread.
class LastError {
public:
    void keep(const char* message) noexcept {
        try {
            const std::lock_guard lock(mutex_);
            text_ = message;
        } catch (const std::exception&) {
            // No memory for a message: the failure itself is counted.
        }
    }
    std::string text() const {
        const std::lock_guard lock(mutex_);
        return text_;
    }

private:
    mutable std::mutex mutex_;
    std::string text_;
};

struct Shared {
    explicit Shared(const SessionPlan& plan);

    // Between the audio side and the workers.
    AudioRing input;
    PacketRing packets;
    AudioRing output;
    alignas(64) std::atomic<int64_t> complete{0};   // host samples that complete model blocks
    alignas(64) std::atomic<int64_t> taken{0};      // host samples that the workers took
    alignas(64) std::atomic<int64_t> published{0};  // host samples of output that are there
    OutputBell bell;                                // for an audio thread that may wait for them
    std::atomic<bool> restart_wanted{false};
    std::vector<std::atomic<float>> parameters;
    Ownership ownership;
    WorkerMarks workers;

    // Read by anyone.
    std::atomic<bool> closed{false};
    std::atomic<bool> hung{false};
    std::atomic<bool> on_device{false};
    std::atomic<int64_t> latency{0};
    std::atomic<bool> reports_varying{false};
    Counters counters;
    Histogram callback_time;
    Histogram inference_time;
    Histogram turnaround_time;
    LastError last_error;
};

}  // namespace neutone_like

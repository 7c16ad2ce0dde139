// The audio thread's side of a session: nothing here allocates, locks or logs, nor waits unless the host allows it.
#pragma once

#include <cstdint>

#include "engine/pool_view.hpp"
#include "engine/session_plan.hpp"
#include "engine/shared.hpp"
#include "engine/worker_side.hpp"
#include "signal/late_filler.hpp"

namespace neutone_like {

class Held;

enum class ProcessResult : int {
    ok = 0,
    block_too_large = 1,  // nothing was processed; the output is untouched
    two_threads = 2,      // another thread is inside process; nothing was processed
    closed = 3,           // nothing was processed
    on_device = 4,        // a device plays the session; nothing was processed
};

// Who calls: any thread of the host's, or the device that the session is on.
enum class Caller { host, device };

class AudioSide {
public:
    // In inline mode it does the workers' work itself.
    AudioSide(const SessionPlan& plan, Shared& shared, WorkerSide& workers, const PoolView& pool);

    ProcessResult process(const float* const* in, float* const* out, int samples, Caller caller) noexcept;

    // The stream as new.
    void start(const Held&) noexcept { start(); }

    // Hands over a block without waking anybody: whoever holds everything runs it.
    void hand_over(const Held&, const float* const* in, int samples) noexcept;

private:
    void start() noexcept;
    ProcessResult refusal(Caller caller) const noexcept;
    void play(const float* const* in, float* const* out, int samples, uint64_t start_ns) noexcept;
    bool push(const float* const* in, int samples, uint64_t start_ns) noexcept;
    void write(const float* const* in, int samples, uint64_t start_ns, uint64_t grace_ns) noexcept;
    void wait_for_output(int samples, uint64_t start_ns) noexcept;
    void deliver(float* const* out, int samples) noexcept;
    void give_silence(float* const* out, int samples) noexcept;
    void give_late(float* const* out, int offset, int samples, int block_samples) noexcept;
    void notice_varying_blocks() noexcept;
    bool is_restarting() noexcept;

    const SessionPlan& plan_;
    Shared& shared_;
    WorkerSide& workers_;
    const PoolView& pool_;
    bool restarting_ = false;
    bool varying_ = false;
    int64_t pushed_ = 0;       // host samples handed over
    int64_t read_ = 0;         // position in the output stream
    int64_t silence_ = 0;      // host samples of silence that go out before it
    bool anew_ = false;        // after a full queue: what its latency swallows is missing
    int64_t lost_before_ = 0;  // positions of the output stream that it swallows though they are there
    LateFiller filler_;
};

}  // namespace neutone_like

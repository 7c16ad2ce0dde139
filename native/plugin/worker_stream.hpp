// A compiled model on a thread of its own, for one whose blocks take too much of the host's: its output comes a fixed time
// later, which the worker has for them. Where the worker is later than that, because a host renders faster than sound lasts
// or the machine is busy, the host's thread waits for it: no sample is ever missing, and what is heard doesn't depend on time.
// The thread has an ordinary priority: where a host renders as fast as it can, it never rests, and with a real-time one it
// would keep everything else from a processor.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <semaphore>
#include <thread>

#include "compiled/compiled_stream.hpp"
#include "signal/channels.hpp"
#include "signal/ring.hpp"

namespace neutone_like::plugin {

class WorkerStream {
public:
    // Takes all memory, and starts the thread. `wait_samples`: the worker's time, of the host's samples. Throws EngineError.
    WorkerStream(std::shared_ptr<const CompiledModel> model, const SessionConfig& config, int64_t wait_samples);
    ~WorkerStream();
    WorkerStream(const WorkerStream&) = delete;
    WorkerStream& operator=(const WorkerStream&) = delete;

    // As CompiledStream's, and later by `wait_samples`.
    void process(const float* const* in, float* const* out, int samples, const float* values) noexcept;

    // Waits for the worker to finish what it has.
    void reset() noexcept;

    // [any] How long the thread has played, in ticks of Meters'.
    uint64_t busy_ticks() const noexcept { return busy_.load(std::memory_order_relaxed); }

    int64_t latency_samples() const noexcept { return stream_.latency_samples() + wait_; }

private:
    void work() noexcept;
    void play_packet() noexcept;
    void wait_until(int64_t done) noexcept;

    CompiledStream stream_;  // the worker's, and reset's while the worker has nothing to do
    const int64_t wait_;
    const size_t values_;
    AudioRing input_;
    AudioRing output_;
    PacketRing packets_;
    AudioBuffer block_;    // the worker's
    int64_t pushed_ = 0;   // host samples that came, ever
    int64_t started_ = 0;  // how many of them before the last reset
    std::atomic<uint64_t> busy_{0};
    std::atomic<int64_t> done_{0};
    std::atomic<bool> stop_{false};
    std::counting_semaphore<> work_{0};
    std::thread thread_;
};

}  // namespace neutone_like::plugin

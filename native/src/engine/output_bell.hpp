// Where an audio thread that may wait does so: for output, until a deadline, and asleep. The worker that brings it wakes
// it, with a system call that is made only where somebody waits.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

namespace neutone_like {

class OutputBell {
public:
    // [audio] Until `published` has reached `wanted`, or until `deadline_ns` of the monotonic clock.
    void wait(const std::atomic<int64_t>& published, int64_t wanted, uint64_t deadline_ns) noexcept;

    // [a worker] After `published` was stored, in the one order that all threads see.
    void ring(int64_t published) noexcept {
        if (published >= wanted_.load()) wake(published);
    }

private:
    void wake(int64_t published) noexcept;

    static constexpr int64_t kNobody = std::numeric_limits<int64_t>::max();
    std::atomic<int64_t> wanted_{kNobody};
    std::atomic<uint32_t> rung_{0};  // what the system compares before it lets the thread sleep
};

}  // namespace neutone_like

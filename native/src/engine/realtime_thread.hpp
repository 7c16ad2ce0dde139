// What a thread that must keep deadlines sets for itself, and the clock it looks at.
#pragma once

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <cstdint>

#include "signal/flush_denormals.hpp"

namespace neutone_like {

// Monotonic ns. Linux answers this without a system call.
inline uint64_t now_ns() noexcept {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(time.tv_nsec);
}

inline double thread_cpu_seconds() noexcept {
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// First come, first served before all ordinary threads, where the system permits it; false where it doesn't.
inline bool take_realtime_priority(int above_lowest) noexcept {
    sched_param parameters{};
    parameters.sched_priority = sched_get_priority_min(SCHED_FIFO) + above_lowest;
    return pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters) == 0;
}

constexpr int kWorkerPriority = 10;
constexpr int kDevicePriority = 20;  // the audio thread comes first

}  // namespace neutone_like

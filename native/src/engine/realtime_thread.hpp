// What a thread that must keep deadlines sets for itself, and the clock it looks at.
#pragma once

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <cstdint>

#if defined(__x86_64__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

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

// Denormals are zero while this lives: they cost 10 to 100 times as much as other numbers.
class FlushDenormals {
public:
    FlushDenormals() noexcept : before_(read()) { write(before_ | kBits); }
    ~FlushDenormals() { write(before_); }
    FlushDenormals(const FlushDenormals&) = delete;
    FlushDenormals& operator=(const FlushDenormals&) = delete;

private:
#if defined(__x86_64__) || defined(_M_X64)
    static constexpr uint64_t kBits = 0x8040;  // FTZ and DAZ
    static uint64_t read() noexcept { return _mm_getcsr(); }
    static void write(uint64_t value) noexcept { _mm_setcsr(static_cast<unsigned>(value)); }
#elif defined(__aarch64__)
    static constexpr uint64_t kBits = 1u << 24;  // FZ
    static uint64_t read() noexcept {
        uint64_t value;
        asm volatile("mrs %0, fpcr" : "=r"(value));
        return value;
    }
    static void write(uint64_t value) noexcept { asm volatile("msr fpcr, %0" : : "r"(value)); }
#else
    static constexpr uint64_t kBits = 0;
    static uint64_t read() noexcept { return 0; }
    static void write(uint64_t) noexcept {}
#endif
    uint64_t before_;
};

// First come, first served before all ordinary threads, where the system permits it; false where it doesn't.
inline bool take_realtime_priority(int above_lowest) noexcept {
    sched_param parameters{};
    parameters.sched_priority = sched_get_priority_min(SCHED_FIFO) + above_lowest;
    return pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters) == 0;
}

constexpr int kWorkerPriority = 10;
constexpr int kDevicePriority = 20;  // the audio thread comes first

}  // namespace neutone_like

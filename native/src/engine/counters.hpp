// What a session counts: each named here, once. The atomics, the snapshot and Python's names follow from this list.
#pragma once

#include <atomic>
#include <cstdint>

// host samples and callbacks unless it says otherwise
#define NL_SESSION_COUNTERS(COUNTER)                                                                           \
    COUNTER(callbacks)                                                                                         \
    COUNTER(samples)                  /* host samples processed */                                             \
    COUNTER(underruns)                /* callbacks with at least one missing sample */                         \
    COUNTER(missing_samples)          /* samples of output that were not ready in time, exactly */             \
    COUNTER(dropped_samples)          /* samples of input that found the queue full */                         \
    COUNTER(restarts)                 /* the stream began anew after a full queue */                           \
    COUNTER(inserted_silence_samples) /* because the host broke its promise about block sizes */               \
    COUNTER(nonfinite_samples)        /* model output samples that were NaN or Inf and became silence */       \
    COUNTER(nonfinite_input_samples)  /* host input values that were NaN or Inf and became silence */          \
    COUNTER(failed_blocks)            /* the backend returned an error or a wrong size; silence replaced it */ \
    COUNTER(model_blocks)                                                                                      \
    COUNTER(waits) /* callbacks that waited for their worker */                                                \
    COUNTER(waited_ns)

namespace neutone_like {

class Counter {
public:
    void add(uint64_t count) noexcept { value_.fetch_add(count, std::memory_order_relaxed); }
    uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<uint64_t> value_{0};
};

struct Counts {
#define NL_DECLARE(name) uint64_t name = 0;
    NL_SESSION_COUNTERS(NL_DECLARE)
#undef NL_DECLARE
};

struct Counters {
#define NL_DECLARE(name) Counter name;
    NL_SESSION_COUNTERS(NL_DECLARE)
#undef NL_DECLARE

    template <typename Into>
    void read(Into& counts) const noexcept {
#define NL_READ(name) counts.name = name.value();
        NL_SESSION_COUNTERS(NL_READ)
#undef NL_READ
    }
};

}  // namespace neutone_like

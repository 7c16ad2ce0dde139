// A sound card made of a thread: it calls a session at real deadlines and writes down what happened.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/session.hpp"
#include "signal/histogram.hpp"

namespace neutone_like {

struct ParameterChange {
    int64_t sample = 0;  // takes effect with the callback that holds this host sample
    int index = 0;
    float value_0to1 = 0.0f;
};

struct DevicePlan {
    std::shared_ptr<Session> session;
    int64_t callbacks = 0;
    std::vector<std::vector<float>> input;  // [channels][any length], played in a loop; empty: quiet noise
    std::vector<ParameterChange> changes;   // in the order of their samples
    bool record_output = false;
    bool realtime_priority = true;
    bool paced = true;            // false: each callback follows the last one at once
    double jitter_seconds = 0.0;  // each wake-up is up to this much late, at random
    bool vary_blocks = false;     // block sizes at random in 1..block_size
    uint64_t seed = 0;
    double start_delay_seconds = 0.0;
    bool companion = false;  // ends with the others where they were all cut short
};

// What a device and the thread that watches it tell each other.
struct DeviceProgress {
    std::atomic<pid_t> thread{0};              // the device's
    std::atomic<bool> ends{false};             // play no further
    std::atomic<uint64_t> inside_since_ns{0};  // 0: not inside process
};

struct DeviceReport {
    int64_t callbacks = 0;
    int64_t samples = 0;
    double seconds = 0.0;
    uint64_t deadline_misses = 0;  // callbacks that ended after the next one was due
    uint64_t underruns = 0;        // of the session, during this run
    uint64_t missing_samples = 0;
    uint64_t waits = 0;  // callbacks that waited for their worker
    uint64_t waited_ns = 0;
    double cpu_seconds = 0.0;                  // of the device's own thread
    bool realtime_priority = false;            // whether the system granted it
    std::shared_ptr<Histogram> callback_time;  // ns
    std::shared_ptr<Histogram> wake_lateness;  // ns
    std::vector<int> block_sizes;              // with vary_blocks
    std::vector<std::vector<float>> output;    // with record_output
    ProcessResult error = ProcessResult::ok;   // what ended the run early
};

// Throws EngineError for a plan that the session can't play.
void check_plan(const DevicePlan& plan);

// On the calling thread, which it makes an audio thread. The plan must be checked.
DeviceReport run_device(const DevicePlan& plan, DeviceProgress& progress);

}  // namespace neutone_like

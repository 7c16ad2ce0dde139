// What a sound card calls: it plays a session, keeps what came in and went out, and counts. Nothing in here allocates,
// locks, waits, logs or knows of Python.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/session.hpp"
#include "live/tape.hpp"
#include "neutone_like/realtime_section.h"
#include "signal/channels.hpp"
#include "signal/histogram.hpp"

namespace neutone_like {

// Counts since the device was started; the audio thread writes, anybody reads.
struct LiveCounts {
    std::atomic<uint64_t> callbacks{0};
    std::atomic<uint64_t> samples{0};            // of the device
    std::atomic<uint64_t> session_samples{0};    // that a session played
    std::atomic<uint64_t> device_xruns{0};       // callbacks that the device flagged
    std::atomic<uint64_t> input_overflows{0};    // of them: input was lost before
    std::atomic<uint64_t> input_underflows{0};   // input has silence put in
    std::atomic<uint64_t> output_underflows{0};  // there was silence before this callback
    std::atomic<uint64_t> output_overflows{0};   // this callback's output will not be heard
    std::atomic<uint64_t> overloads{0};          // callbacks that took longer than their own sound lasts
    std::atomic<uint64_t> silent_samples{0};     // that the session did not play though it should have: it was closed
    std::atomic<uint64_t> busy_ns{0};            // spent in callbacks
    std::atomic<int> smallest_block{0};
    std::atomic<int> largest_block{0};
};

// A sound that is sent out once, and what is heard meanwhile.
struct LoopBack {
    std::vector<float> sound;
    std::vector<float> heard;
    std::atomic<int64_t> position{0};
};

class LivePlayer {
public:
    // The channels of the device that are used, counted from 0; the device is open with as many as the highest needs.
    LivePlayer(int sample_rate, std::vector<int> inputs, std::vector<int> outputs);
    ~LivePlayer();
    LivePlayer(const LivePlayer&) = delete;
    LivePlayer& operator=(const LivePlayer&) = delete;

    // Before the device is started. Seconds of room; 0 for none.
    void keep(double input_seconds, double output_seconds, int output_channels);
    void measure(std::vector<float> sound, int64_t heard_samples);

    // From here on the session plays. Not for the audio thread, and once. It must be on this device alone.
    void attach(std::shared_ptr<Session> session);

    // From here on there is silence, whoever calls: the device is given up.
    void abandon() noexcept { abandoned_.store(true); }

    // The audio thread. `in`: nullptr, or a row for each channel that the device is open with; `out` the same.
    void play(const float* const* in, float* const* out, unsigned long frames, unsigned long flags) noexcept;

    const LiveCounts& counts() const noexcept { return counts_; }
    const Histogram& callback_time() const noexcept { return callback_time_; }
    uint64_t last_callback_ns() const noexcept { return last_callback_ns_.load(std::memory_order_relaxed); }
    // The largest amplitude since it was asked last.
    float take_input_peak() noexcept { return input_peak_.exchange(0.0f, std::memory_order_relaxed); }
    float take_output_peak() noexcept { return output_peak_.exchange(0.0f, std::memory_order_relaxed); }
    Tape& input_tape() noexcept { return input_tape_; }
    Tape& output_tape() noexcept { return output_tape_; }
    const LoopBack& loop_back() const noexcept { return loop_back_; }
    const Session* session() const noexcept { return session_.get(); }
    const std::vector<int>& inputs() const noexcept { return inputs_; }
    const std::vector<int>& outputs() const noexcept { return outputs_; }

private:
    struct Attached;

    void play_block(const float* const* in, float* const* out, int samples, unsigned long flags) noexcept;
    void count(int frames, unsigned long flags) noexcept;
    void play_session(const float* const* in, float* const* out, int frames) noexcept;
    void play_loop_back(const float* const* in, float* const* out, int frames) noexcept;
    void play_piece(Attached& attached, const float* const* in, float* const* out, int offset, int samples) noexcept;

    const double rate_;
    const std::vector<int> inputs_;
    const std::vector<int> outputs_;
    const neutone_like_realtime_marks marks_ = neutone_like_find_realtime_marks();
    LiveCounts counts_;
    Histogram callback_time_;
    Tape input_tape_;
    Tape output_tape_;
    LoopBack loop_back_;
    std::shared_ptr<Session> session_;
    std::unique_ptr<Attached> attached_;
    std::atomic<Attached*> playing_{nullptr};
    bool thread_started_ = false;  // the audio thread's own
    std::atomic<bool> abandoned_{false};
    std::atomic<uint64_t> last_callback_ns_{0};
    std::atomic<float> input_peak_{0.0f};
    std::atomic<float> output_peak_{0.0f};
};

}  // namespace neutone_like

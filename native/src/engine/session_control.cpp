// What other threads do with a session; they may wait.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "engine/realtime_thread.hpp"
#include "engine/session.hpp"

namespace neutone_like {

namespace {

constexpr auto kNap = std::chrono::microseconds(50);

}  // namespace

// Holds every part of a session for a thread that may wait: the audio thread stays out, the workers have finished
// their blocks and begin no new ones.
class Session::Control {
public:
    explicit Control(Session& session) : session_(session) {
        if (session.closed_) throw EngineError("The session is closed. Open a new one with Engine.open.");
        if (session.hung_) raise_hung();
        take_owner();
        session.pauses_.fetch_add(1);
        paused_ = true;
        take(session.front_busy_);
        take(session.back_busy_);
        while (session.running_ > 0) nap();
    }

    ~Control() { release(); }
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;

private:
    void take_owner() {
        int expected = kFree;
        while (!session_.owner_.compare_exchange_weak(expected, kControl)) {
            expected = kFree;
            std::this_thread::sleep_for(kNap);
        }
        owner_ = true;
    }

    void take(std::atomic<bool>& flag) {
        while (flag.exchange(true)) nap();
        (&flag == &session_.front_busy_ ? front_ : back_) = true;
    }

    [[noreturn]] static void raise_hung() {
        throw EngineError("The backend does not return from a block, and the session was given up. Close it.");
    }

    // A backend that never returns would keep us waiting for ever.
    void nap() {
        if (session_.hung_) {
            release();
            raise_hung();
        }
        std::this_thread::sleep_for(kNap);
    }

    void release() noexcept {
        if (back_) session_.back_busy_ = false;
        if (front_) session_.front_busy_ = false;
        if (paused_) session_.pauses_.fetch_sub(1);
        if (owner_) session_.owner_ = kFree;
        owner_ = paused_ = front_ = back_ = false;
        if (session_.pool_.wake) session_.pool_.wake();
    }

    Session& session_;
    bool owner_ = false;
    bool paused_ = false;
    bool front_ = false;
    bool back_ = false;
};

void Session::set_parameter_0to1(int index, float value) noexcept {
    if (std::isnan(value)) return;  // the knob stays where it is
    parameters_[index].store(value, std::memory_order_relaxed);
}

float Session::parameter_0to1(int index) const noexcept {
    return parameters_[index].load(std::memory_order_relaxed);
}

void Session::reset() {
    const Control control(*this);
    restart_stream();
    begin_stream();
}

void Session::wait_idle() {
    while (!is_idle()) {
        if (closed_ || hung_) throw EngineError("The session was closed or given up while its work was waited for.");
        std::this_thread::sleep_for(kNap);
    }
}

void Session::close() noexcept {
    if (closed_.exchange(true)) return;
    if (pool_.closed) pool_.closed(this);
    while (owner_ == kAudio && !hung_) std::this_thread::sleep_for(kNap);
}

void Session::process_offline(const float* const* in, float* const* out, int64_t samples, const float* const* values) {
    const Control control(*this);
    const FlushDenormals flush;
    const int64_t block = config_.block_size;
    const int64_t latency = plan_.latency;
    const int64_t fed = (samples + latency + block - 1) / block * block;

    // What comes after the end: silence, and the last values.
    AudioBuffer automation;
    if (values != nullptr) {
        automation.prepare(static_cast<int>(parameters_.size()), fed);
        for (int index = 0; index < automation.channels(); ++index) {
            float* row = automation.channel(index);
            std::copy_n(values[index], samples, row);
            std::fill(row + samples, row + fed, samples > 0 ? values[index][samples - 1] : 0.0f);
        }
    }
    AudioBuffer piece;
    piece.prepare(config_.channels, block);
    restart_stream();
    begin_stream();
    front_.set_automation(values != nullptr ? automation.const_rows() : nullptr);
    int64_t position = 0;  // in the output stream
    for (int64_t start = 0; start < fed; start += block) {
        const int64_t given = std::clamp<int64_t>(samples - start, 0, block);
        for (int channel = 0; channel < config_.channels; ++channel) {
            float* row = piece.channel(channel);
            if (given > 0) std::copy_n(in[channel] + start, given, row);
            std::fill(row + given, row + block, 0.0f);
        }
        run_piece(piece, static_cast<int>(block));
        const int64_t first = std::max(position, latency);
        const int64_t last = std::min(start + block, samples + latency);
        if (last > first) output_.read(first, out, first - latency, last - first);
        position = start + block;
    }
    front_.set_automation(nullptr);
    restart_stream();
    begin_stream();
}

// One block through everything, on this thread, which holds all of it.
void Session::run_piece(AudioBuffer& piece, int samples) noexcept {
    input_.write(pushed_, piece.const_rows(), 0, samples);
    float* values = packets_.next_values();
    for (size_t index = 0; index < parameters_.size(); ++index) values[index] = parameters_[index];
    packets_.push(Packet{samples, now_ns()}, 0);
    pushed_ += samples;
    Slot& slot = slots_.front();
    while (front_.next(packets_, input_, slot.block)) {
        run_block(slot, *runners_.front());
        if (forget_past_.exchange(false)) front_.forget_past();
        const int64_t position = published_.load(std::memory_order_relaxed);
        published_.store(position + back_.push(slot.block, output_, position), std::memory_order_release);
    }
    nonfinite_input_.fetch_add(front_.take_nonfinite_count(), std::memory_order_relaxed);
}

LatencyParts Session::latency_parts() const noexcept {
    const bool varying = reports_varying_;
    LatencyParts parts = plan_.parts(config_, delay_, varying);
    const int64_t wait = varying ? wait_varying_ : wait_;
    parts.inference = static_cast<double>(wait);
    parts.total += wait;
    return parts;
}

SessionStats Session::stats() const {
    SessionStats stats;
    stats.callbacks = callbacks_;
    stats.samples = samples_;
    stats.underruns = underruns_;
    stats.missing_samples = missing_;
    stats.dropped_samples = dropped_;
    stats.restarts = restarts_;
    stats.inserted_silence_samples = inserted_;
    stats.nonfinite_samples = nonfinite_;
    stats.nonfinite_input_samples = nonfinite_input_;
    stats.failed_blocks = failed_;
    stats.model_blocks = blocks_;
    stats.hung = hung_;
    stats.max_inference_seconds = max_inference_seconds_;
    stats.worker_seconds = worker_seconds_;
    const std::lock_guard lock(error_mutex_);
    stats.last_error = last_error_;
    return stats;
}

}  // namespace neutone_like

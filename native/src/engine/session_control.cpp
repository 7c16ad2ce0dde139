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
    Control(Session& session, const StopRequest& stop) : session_(session), stop_(stop) {
        require_open();
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

    // For what takes long: throws where it has lost its point.
    void require_open() const {
        if (session_.closed_) throw EngineError("The session is closed. Open a new one with Engine.open.");
        if (session_.hung_) raise_hung();
        if (is_stopped(stop_)) throw Interrupted();
    }

private:
    void take_owner() {
        if (session_.is_held_by_this_thread()) {
            throw EngineError("A model can't reset, close or render the session that is playing it.");
        }
        const uint64_t limit = now_ns() + session_.watchdog_ns();
        int expected = kFree;
        while (!session_.owner_.compare_exchange_weak(expected, kControl)) {
            if (expected == kAudio && now_ns() > limit) raise_hung();
            expected = kFree;
            nap();
        }
        session_.owner_thread_ = std::this_thread::get_id();
        owner_ = true;
    }

    void take(std::atomic<bool>& flag) {
        while (flag.exchange(true)) nap();
        (&flag == &session_.front_busy_ ? front_ : back_) = true;
    }

    [[noreturn]] static void raise_hung() {
        throw EngineError("The model does not return from a block, and the session was given up. Close it.");
    }

    // A backend that never returns would keep us waiting for ever.
    void nap() {
        try {
            require_open();
        } catch (...) {
            release();
            throw;
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
    const StopRequest& stop_;
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

// The stream as new, now and again when this goes.
class Session::FreshStart {
public:
    explicit FreshStart(Session& session) : session_(session) { start(); }
    ~FreshStart() {
        session_.front_.set_automation(nullptr);
        start();
    }
    FreshStart(const FreshStart&) = delete;
    FreshStart& operator=(const FreshStart&) = delete;

private:
    void start() noexcept {
        session_.restart_stream();
        session_.begin_stream();
    }

    Session& session_;
};

bool Session::is_held_by_this_thread() const noexcept {
    return owner_ != kFree && owner_thread_.load() == std::this_thread::get_id();
}

void Session::reset(const StopRequest& stop) {
    const Control control(*this, stop);
    restart_stream();
    begin_stream();
}

void Session::wait_idle(const StopRequest& stop) {
    while (!is_idle()) {
        if (closed_ || hung_) throw EngineError("The session was closed or given up while its work was waited for.");
        if (is_stopped(stop)) throw Interrupted();
        std::this_thread::sleep_for(kNap);
    }
}

void Session::close(const StopRequest& stop) noexcept {
    if (closed_.exchange(true)) return;
    if (pool_.closed) pool_.closed(this, true);
    wait_until_left(now_ns() + watchdog_ns(), stop);
}

void Session::wait_until_left(uint64_t limit_ns, const StopRequest& stop) const noexcept {
    if (is_held_by_this_thread()) return;
    while (owner_ != kFree && !hung_ && now_ns() < limit_ns && !is_stopped(stop)) std::this_thread::sleep_for(kNap);
}

void Session::let_go() noexcept {
    if (closed_.exchange(true)) return;
    if (pool_.closed) pool_.closed(this, false);
}

void Session::process_offline(const float* const* in, float* const* out, int64_t samples, const float* const* values,
                              const StopRequest& stop) {
    const Control control(*this, stop);
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
    const FreshStart fresh(*this);
    front_.set_automation(values != nullptr ? automation.const_rows() : nullptr);
    int64_t position = 0;  // in the output stream
    for (int64_t start = 0; start < fed; start += block) {
        control.require_open();
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

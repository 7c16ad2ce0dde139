// The audio thread's side of a session: nothing here allocates, locks, waits or logs.
#include <algorithm>

#include "engine/realtime_thread.hpp"
#include "engine/session.hpp"

namespace neutone_like {

ProcessResult Session::process(const float* const* in, float* const* out, int samples) noexcept {
    if (closed_.load(std::memory_order_acquire)) return ProcessResult::closed;
    if (samples > config_.block_size || samples < 0) return ProcessResult::block_too_large;
    int expected = kFree;
    const bool owned = owner_.compare_exchange_strong(expected, kAudio, std::memory_order_acquire);
    if (!owned && expected == kAudio) return ProcessResult::two_threads;
    if (samples == 0) {
        if (owned) owner_.store(kFree, std::memory_order_release);
        return ProcessResult::ok;
    }
    if (owned) owner_thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    const uint64_t start = now_ns();
    callbacks_.fetch_add(1, std::memory_order_relaxed);
    samples_.fetch_add(samples, std::memory_order_relaxed);
    if (!owned) {  // another thread resets or measures
        for (int channel = 0; channel < output_channels_; ++channel) std::fill_n(out[channel], samples, 0.0f);
        missing_.fetch_add(samples, std::memory_order_relaxed);
        underruns_.fetch_add(1, std::memory_order_relaxed);
        return ProcessResult::ok;
    }
    {
        const FlushDenormals flush;
        play(in, out, samples);
    }
    callback_time_.add(now_ns() - start);
    owner_.store(kFree, std::memory_order_release);
    return ProcessResult::ok;
}

void Session::play(const float* const* in, float* const* out, int samples) noexcept {
    filler_.hear(in, samples);
    const uint64_t missing_before = missing_.load(std::memory_order_relaxed);
    if (hung_.load(std::memory_order_relaxed)) {
        for (int channel = 0; channel < output_channels_; ++channel) std::fill_n(out[channel], samples, 0.0f);
        missing_.fetch_add(samples, std::memory_order_relaxed);
    } else if (is_restarting() || !push(in, samples)) {
        dropped_.fetch_add(samples, std::memory_order_relaxed);
        give_late(out, 0, samples, samples);
    } else {
        if (config_.mode == Mode::inline_) {
            while (work()) {
            }
        }
        deliver(out, samples);
    }
    if (missing_.load(std::memory_order_relaxed) != missing_before) underruns_.fetch_add(1, std::memory_order_relaxed);
}

// Hands a block to the workers; false when there is no room, which begins a restart.
bool Session::push(const float* const* in, int samples) noexcept {
    if (samples != config_.block_size && !varying_) notice_varying_blocks();
    const int64_t waiting = pushed_ - taken_.load(std::memory_order_acquire);
    if (!packets_.has_room() || waiting + samples > input_.capacity()) {
        restarting_ = true;
        restarts_.fetch_add(1, std::memory_order_relaxed);
        restart_wanted_.store(true, std::memory_order_release);
        if (pool_.wake) pool_.wake();
        return false;
    }
    input_.write(pushed_, in, 0, samples);
    float* values = packets_.next_values();
    for (size_t index = 0; index < parameters_.size(); ++index) {
        values[index] = parameters_[index].load(std::memory_order_relaxed);
    }
    const uint64_t now = now_ns();
    const auto grace = static_cast<uint64_t>(1e9 * static_cast<double>(wait_) / config_.sample_rate);
    packets_.push(Packet{samples, now}, now + grace);

    const int64_t before = model_samples(pushed_, plan_.up, plan_.down);
    pushed_ += samples;
    const int64_t after = model_samples(pushed_, plan_.up, plan_.down);
    const bool any_size = config_.embedded || config_.model_block == 0;
    if (any_size || after / config_.model_block != before / config_.model_block) {
        complete_.store(pushed_);
        if (config_.mode == Mode::async && pool_.wake) pool_.wake();
    }
    return true;
}

void Session::deliver(float* const* out, int samples) noexcept {
    const auto silent = static_cast<int>(std::min<int64_t>(silence_, samples));
    silence_ -= silent;
    if (anew_) {
        give_late(out, 0, silent, samples);
    } else {
        for (int channel = 0; channel < output_channels_; ++channel) std::fill_n(out[channel], silent, 0.0f);
    }
    int done = silent;
    const int64_t before = anew_ ? lost_before_ - read_ : 0;
    const auto lost = static_cast<int>(std::clamp<int64_t>(before, 0, samples - done));
    if (lost > 0) give_late(out, done, lost, samples);
    read_ += lost;
    done += lost;
    if (silence_ == 0 && read_ >= lost_before_) anew_ = false;
    const int64_t there = published_.load(std::memory_order_acquire) - read_;
    const auto good = static_cast<int>(std::clamp<int64_t>(there, 0, samples - done));
    output_.read(read_, out, done, good);
    filler_.remember(out, done + good, good);
    done += good;
    if (done < samples) give_late(out, done, samples - done, samples);
    read_ += good + samples - done;
}

void Session::give_late(float* const* out, int offset, int samples, int block_samples) noexcept {
    filler_.fill(out, offset, samples, block_samples, latency_.load(std::memory_order_relaxed));
    missing_.fetch_add(samples, std::memory_order_relaxed);
}

// The host sent another size than it promised. From here on there is room for any: silence goes in once.
void Session::notice_varying_blocks() noexcept {
    varying_ = true;
    const int64_t wait_growth = wait_varying_ - wait_;
    const int64_t growth = plan_.latency_varying - plan_.latency + wait_growth;
    silence_ += config_.embedded ? wait_growth : growth;  // an embedded wrapper inserts its own
    inserted_.fetch_add(growth, std::memory_order_relaxed);
    latency_.fetch_add(growth);
    reports_varying_ = true;
}

// True until the workers have cleared everything after a full queue. Then the stream begins again, in line with the
// input; what its latency swallows is counted as missing.
bool Session::is_restarting() noexcept {
    if (!restarting_) return false;
    if (restart_wanted_.load(std::memory_order_acquire)) return true;
    restarting_ = false;
    pushed_ = 0;
    read_ = 0;
    silence_ = wait_;
    anew_ = true;
    lost_before_ = plan_.latency;
    if (!varying_ || config_.varying_blocks) return false;
    if (config_.embedded) {  // a wrapper that was reset believes the host's promise again
        varying_ = false;
        reports_varying_ = false;
        latency_ = plan_.latency + wait_;
    } else {
        silence_ = wait_varying_ + plan_.latency_varying - plan_.latency;
    }
    return false;
}

}  // namespace neutone_like

#include "engine/audio_side.hpp"

#include <algorithm>

#include "engine/realtime_thread.hpp"

namespace neutone_like {

AudioSide::AudioSide(const SessionPlan& plan, Shared& shared, WorkerSide& workers, const PoolView& pool)
    : plan_(plan), shared_(shared), workers_(workers), pool_(pool) {
    filler_.prepare(plan.config, plan.output_channels, plan.most_latency());
    start();
}

void AudioSide::start() noexcept {
    shared_.restart_wanted = false;
    restarting_ = false;
    varying_ = plan_.config.varying_blocks;
    pushed_ = 0;
    read_ = 0;
    silence_ = plan_.wait;
    anew_ = false;
    lost_before_ = 0;
    shared_.reports_varying = varying_;
    shared_.latency = plan_.stream.latency + plan_.wait;
    filler_.start();
}

ProcessResult AudioSide::refusal(Caller caller) const noexcept {
    if (shared_.closed) return ProcessResult::closed;
    return caller == Caller::host && shared_.on_device ? ProcessResult::on_device : ProcessResult::ok;
}

ProcessResult AudioSide::process(const float* const* in, float* const* out, int samples, Caller caller) noexcept {
    if (const ProcessResult refused = refusal(caller); refused != ProcessResult::ok) return refused;
    if (samples > plan_.config.block_size || samples < 0) return ProcessResult::block_too_large;
    const Ownership::Owner before = shared_.ownership.take(Ownership::kAudio);
    if (before == Ownership::kAudio) return ProcessResult::two_threads;
    const bool owned = before == Ownership::kFree;
    // Once more, now that it is taken: whoever closed the session before that may have found nobody in here.
    const ProcessResult refused = refusal(caller);
    if (samples == 0 || refused != ProcessResult::ok) {
        if (owned) shared_.ownership.leave();
        return refused;
    }
    const uint64_t start = now_ns();
    shared_.counters.callbacks.add(1);
    shared_.counters.samples.add(samples);
    if (!owned) {  // another thread resets or measures
        give_silence(out, samples);
        shared_.counters.underruns.add(1);
        return ProcessResult::ok;
    }
    {
        const FlushDenormals flush;
        play(in, out, samples, start);
    }
    shared_.callback_time.add(now_ns() - start);
    shared_.ownership.leave();
    return ProcessResult::ok;
}

void AudioSide::give_silence(float* const* out, int samples) noexcept {
    for (int channel = 0; channel < plan_.output_channels; ++channel) std::fill_n(out[channel], samples, 0.0f);
    shared_.counters.missing_samples.add(samples);
}

void AudioSide::play(const float* const* in, float* const* out, int samples, uint64_t start_ns) noexcept {
    filler_.hear(in, samples);
    const uint64_t missing_before = shared_.counters.missing_samples.value();
    if (shared_.hung.load(std::memory_order_relaxed)) {
        give_silence(out, samples);
    } else if (is_restarting() || !push(in, samples, start_ns)) {
        shared_.counters.dropped_samples.add(samples);
        give_late(out, 0, samples, samples);
    } else {
        if (plan_.config.mode == Mode::inline_) {
            while (workers_.work()) {
            }
        } else if (plan_.config.wait_fraction > 0.0) {
            wait_for_output(samples, start_ns);
        }
        deliver(out, samples);
    }
    if (shared_.counters.missing_samples.value() != missing_before) shared_.counters.underruns.add(1);
}

// Hands a block to the workers; false when there is no room, which begins a restart.
bool AudioSide::push(const float* const* in, int samples, uint64_t start_ns) noexcept {
    const SessionConfig& config = plan_.config;
    if (samples != config.block_size && !varying_) notice_varying_blocks();
    const int64_t waiting = pushed_ - shared_.taken.load(std::memory_order_acquire);
    if (!shared_.packets.has_room() || waiting + samples > shared_.input.capacity()) {
        restarting_ = true;
        shared_.counters.restarts.add(1);
        shared_.restart_wanted.store(true, std::memory_order_release);
        pool_.wake_worker();
        return false;
    }
    const int64_t before = model_samples(pushed_, plan_.stream.up, plan_.stream.down);
    const double grace = static_cast<double>(plan_.wait) / config.sample_rate + plan_.waiting_seconds(samples);
    write(in, samples, start_ns, static_cast<uint64_t>(1e9 * grace));
    const int64_t after = model_samples(pushed_, plan_.stream.up, plan_.stream.down);
    const bool any_size = config.embedded || config.model_block == 0;
    if (any_size || after / config.model_block != before / config.model_block) {
        shared_.complete.store(pushed_);
        if (config.mode == Mode::async) pool_.wake_worker();
    }
    return true;
}

void AudioSide::write(const float* const* in, int samples, uint64_t start_ns, uint64_t grace_ns) noexcept {
    shared_.input.write(pushed_, in, 0, samples);
    float* values = shared_.packets.next_values();
    for (size_t index = 0; index < shared_.parameters.size(); ++index) {
        values[index] = shared_.parameters[index].load(std::memory_order_relaxed);
    }
    shared_.packets.push(Packet{samples, start_ns}, start_ns + grace_ns);
    pushed_ += samples;
}

void AudioSide::hand_over(const Held&, const float* const* in, int samples) noexcept {
    write(in, samples, now_ns(), 0);
}

// Until all is there that this callback gives away, or for as long as it may.
void AudioSide::wait_for_output(int samples, uint64_t start_ns) noexcept {
    const int64_t wanted = read_ + samples - std::min<int64_t>(silence_, samples);
    if (shared_.published.load(std::memory_order_acquire) >= wanted) return;
    const uint64_t before = now_ns();
    shared_.bell.wait(shared_.published, wanted,
                      start_ns + static_cast<uint64_t>(1e9 * plan_.waiting_seconds(samples)));
    shared_.counters.waits.add(1);
    shared_.counters.waited_ns.add(now_ns() - before);
}

void AudioSide::deliver(float* const* out, int samples) noexcept {
    const auto silent = static_cast<int>(std::min<int64_t>(silence_, samples));
    silence_ -= silent;
    if (anew_) {
        give_late(out, 0, silent, samples);
    } else {
        for (int channel = 0; channel < plan_.output_channels; ++channel) std::fill_n(out[channel], silent, 0.0f);
    }
    int done = silent;
    const int64_t before = anew_ ? lost_before_ - read_ : 0;
    const auto lost = static_cast<int>(std::clamp<int64_t>(before, 0, samples - done));
    if (lost > 0) give_late(out, done, lost, samples);
    read_ += lost;
    done += lost;
    if (silence_ == 0 && read_ >= lost_before_) anew_ = false;
    const int64_t there = shared_.published.load(std::memory_order_acquire) - read_;
    const auto good = static_cast<int>(std::clamp<int64_t>(there, 0, samples - done));
    shared_.output.read(read_, out, done, good);
    filler_.remember(out, done + good, good);
    done += good;
    if (done < samples) give_late(out, done, samples - done, samples);
    read_ += good + samples - done;
}

void AudioSide::give_late(float* const* out, int offset, int samples, int block_samples) noexcept {
    filler_.fill(out, offset, samples, block_samples, shared_.latency.load(std::memory_order_relaxed));
    shared_.counters.missing_samples.add(samples);
}

// The host sent another size than it promised. From here on there is room for any: silence goes in once.
void AudioSide::notice_varying_blocks() noexcept {
    varying_ = true;
    const int64_t wait_growth = plan_.wait_varying - plan_.wait;
    const int64_t growth = plan_.latency(true) - plan_.latency(false);
    silence_ += plan_.config.embedded ? wait_growth : growth;  // an embedded wrapper inserts its own
    shared_.counters.inserted_silence_samples.add(growth);
    shared_.latency.fetch_add(growth);
    shared_.reports_varying = true;
}

// True until the workers have cleared everything after a full queue. Then the stream begins again, in line with the
// input; what its latency swallows is counted as missing.
bool AudioSide::is_restarting() noexcept {
    if (!restarting_) return false;
    if (shared_.restart_wanted.load(std::memory_order_acquire)) return true;
    restarting_ = false;
    pushed_ = 0;
    read_ = 0;
    silence_ = plan_.wait;
    anew_ = true;
    lost_before_ = plan_.stream.latency;
    if (!varying_ || plan_.config.varying_blocks) return false;
    if (plan_.config.embedded) {  // a wrapper that was reset believes the host's promise again
        varying_ = false;
        shared_.reports_varying = false;
        shared_.latency = plan_.latency(false);
    } else {
        silence_ = plan_.wait_varying + plan_.stream.latency_varying - plan_.stream.latency;
    }
    return false;
}

}  // namespace neutone_like

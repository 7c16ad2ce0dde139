#include "engine/control.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "engine/realtime_thread.hpp"
#include "signal/channels.hpp"

namespace neutone_like {

namespace {

constexpr auto kNap = std::chrono::microseconds(50);

// Automation as long as what is fed: after the end, the last values.
AudioBuffer continued(const float* const* values, int parameters, int64_t samples, int64_t fed) {
    AudioBuffer automation;
    automation.prepare(parameters, fed);
    for (int index = 0; index < parameters; ++index) {
        float* row = automation.channel(index);
        std::copy_n(values[index], samples, row);
        std::fill(row + samples, row + fed, samples > 0 ? values[index][samples - 1] : 0.0f);
    }
    return automation;
}

}  // namespace

class Control::FreshStart {
public:
    FreshStart(Control& control, const Held& held) : control_(control), held_(held) { control_.start(held_); }
    ~FreshStart() {
        control_.workers_.set_automation(held_, nullptr);
        control_.start(held_);
    }
    FreshStart(const FreshStart&) = delete;
    FreshStart& operator=(const FreshStart&) = delete;

private:
    Control& control_;
    const Held& held_;
};

void Control::start(const Held& held) noexcept {
    workers_.start(held);
    audio_.start(held);
}

void Control::reset(const StopRequest& stop) {
    const Held held(shared_, pool_, stop);
    start(held);
}

void Control::wait_idle(const StopRequest& stop) {
    while (!workers_.is_idle()) {
        if (shared_.closed || shared_.hung) {
            throw EngineError("The session was closed or given up while its work was waited for.");
        }
        if (is_stopped(stop)) throw Interrupted();
        std::this_thread::sleep_for(kNap);
    }
}

void Control::wait_until_left(uint64_t limit_ns, const StopRequest& stop) const noexcept {
    if (shared_.ownership.is_this_threads()) return;
    while (!shared_.ownership.is_free() && !shared_.hung && now_ns() < limit_ns && !is_stopped(stop)) {
        std::this_thread::sleep_for(kNap);
    }
}

void Control::process_offline(const float* const* in, float* const* out, int64_t samples, const float* const* values,
                              const StopRequest& stop) {
    const Held held(shared_, pool_, stop);
    const FlushDenormals flush;
    const SessionConfig& config = plan_.config;
    const int64_t block = config.block_size;
    const int64_t latency = plan_.stream.latency;
    const int64_t fed = (samples + latency + block - 1) / block * block;
    AudioBuffer automation;
    if (values != nullptr) automation = continued(values, static_cast<int>(config.parameters.size()), samples, fed);
    AudioBuffer piece;
    piece.prepare(config.channels, block);
    const FreshStart fresh(*this, held);
    workers_.set_automation(held, values != nullptr ? automation.const_rows() : nullptr);
    int64_t position = 0;  // in the output stream
    for (int64_t start = 0; start < fed; start += block) {
        held.require_open();
        const int64_t given = std::clamp<int64_t>(samples - start, 0, block);
        for (int channel = 0; channel < config.channels; ++channel) {
            float* row = piece.channel(channel);
            if (given > 0) std::copy_n(in[channel] + start, given, row);
            std::fill(row + given, row + block, 0.0f);
        }
        audio_.hand_over(held, piece.const_rows(), static_cast<int>(block));
        workers_.run_all(held);
        const int64_t first = std::max(position, latency);
        const int64_t last = std::min(start + block, samples + latency);
        if (last > first) shared_.output.read(first, out, first - latency, last - first);
        position = start + block;
    }
}

}  // namespace neutone_like

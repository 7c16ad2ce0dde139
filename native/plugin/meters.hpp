// What a window shows of the sound: how loud it is, and what playing it takes. The audio thread writes, without a lock, a system
// call or a clock of the system's.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>

namespace neutone_like::plugin {

class Meters {
public:
    // Since whenever the processor began; how many there are in a second is the reader's to find out. 0: it counts none.
    static uint64_t ticks() noexcept {
#if defined(__x86_64__)
        return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
        uint64_t count = 0;
        asm volatile("mrs %0, cntvct_el0" : "=r"(count));
        return count;
#else
        return 0;
#endif
    }

    // [audio] A block that was played. Null: the host has no such row. Channels beyond two show as pairs.
    void take(const float* const* out, int channels, int samples, uint64_t ticks, uint64_t worker_ticks) noexcept {
        for (int channel = 0; channel < channels; ++channel) {
            std::atomic<float>& shown = peaks_[static_cast<size_t>(channel) % peaks_.size()];
            float peak = shown.load(std::memory_order_relaxed);
            const float before = peak;
            for (int at = 0; out[channel] != nullptr && at < samples; ++at) {
                peak = std::max(peak, std::abs(out[channel][at]));
            }
            if (peak > before) shown.store(peak, std::memory_order_relaxed);
        }
        add(ticks_, ticks);
        add(samples_, static_cast<uint64_t>(samples));
        worker_ticks_.store(worker_ticks, std::memory_order_relaxed);
    }

    // [one thread] The largest sample since it was last asked.
    float take_peak(size_t channel) noexcept { return peaks_[channel].exchange(0.0f, std::memory_order_relaxed); }

    // [any] What has been played so far, and how many ticks it took; those of the model's own thread begin anew with it.
    uint64_t samples() const noexcept { return samples_.load(std::memory_order_relaxed); }
    uint64_t callback_ticks() const noexcept { return ticks_.load(std::memory_order_relaxed); }
    uint64_t worker_ticks() const noexcept { return worker_ticks_.load(std::memory_order_relaxed); }

private:
    // One thread adds.
    static void add(std::atomic<uint64_t>& sum, uint64_t more) noexcept {
        sum.store(sum.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
    }

    std::array<std::atomic<float>, 2> peaks_{};
    std::atomic<uint64_t> ticks_{0};
    std::atomic<uint64_t> samples_{0};
    std::atomic<uint64_t> worker_ticks_{0};
};

}  // namespace neutone_like::plugin

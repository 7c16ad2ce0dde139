// What the audio thread played and heard, on its way to a file: one thread writes, one reads, nobody waits. What finds no
// room is counted, and its place is kept, so that the rest stays where it was in time.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <vector>

namespace neutone_like {

class Tape {
public:
    struct Piece {
        int64_t lost_before = 0;  // samples that found no room, in front of these
        int64_t samples = 0;
    };

    // Room for at least so many samples of `channels`.
    void prepare(int channels, int64_t at_least) {
        channels_ = channels;
        const auto capacity = std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(at_least, 2)));
        mask_ = static_cast<int64_t>(capacity) - 1;
        memory_.assign(capacity * static_cast<size_t>(channels), 0.0f);
    }

    int channels() const noexcept { return channels_; }

    // The audio thread. `rows`: [channels()].
    void write(const float* const* rows, int samples) noexcept {
        if (channels_ == 0) return;
        const int64_t at = written_.load(std::memory_order_relaxed);
        const bool has_room = at - taken_.load(std::memory_order_acquire) + samples <= mask_ + 1;
        if (!has_room || (pending_ > 0 && !push_gap(at))) {
            pending_ += samples;
            lost_.store(lost_.load(std::memory_order_relaxed) + samples, std::memory_order_relaxed);
            return;
        }
        for (int channel = 0; channel < channels_; ++channel) {
            for (int i = 0; i < samples; ++i) memory_[((at + i) & mask_) * channels_ + channel] = rows[channel][i];
        }
        written_.store(at + samples, std::memory_order_release);
    }

    // The reader: what comes next, at most `most` samples of it, interleaved. A gap comes with what follows it.
    Piece read(float* to, int64_t most) noexcept {
        const int64_t at = taken_.load(std::memory_order_relaxed);
        int64_t end = std::min(written_.load(std::memory_order_acquire), at + most);
        Piece piece;
        int64_t gap = gaps_taken_.load(std::memory_order_relaxed);
        const int64_t gaps = gaps_written_.load(std::memory_order_acquire);
        if (gap < gaps && gaps_[gap % kGaps].at == at && end > at) {
            piece.lost_before = gaps_[gap % kGaps].samples;
            gaps_taken_.store(++gap, std::memory_order_release);
        }
        if (gap < gaps) end = std::min(end, gaps_[gap % kGaps].at);
        piece.samples = end - at;
        for (int64_t i = 0; i < piece.samples; ++i) {
            std::copy_n(memory_.data() + ((at + i) & mask_) * channels_, channels_, to + i * channels_);
        }
        taken_.store(end, std::memory_order_release);
        return piece;
    }

    int64_t waiting() const noexcept {
        return written_.load(std::memory_order_acquire) - taken_.load(std::memory_order_relaxed);
    }

    // Anybody: all samples that found no room.
    int64_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

private:
    struct Gap {
        int64_t at = 0;
        int64_t samples = 0;
    };
    static constexpr int64_t kGaps = 256;

    bool push_gap(int64_t at) noexcept {
        const int64_t gap = gaps_written_.load(std::memory_order_relaxed);
        if (gap - gaps_taken_.load(std::memory_order_acquire) >= kGaps) return false;
        gaps_[gap % kGaps] = {at, pending_};
        pending_ = 0;
        gaps_written_.store(gap + 1, std::memory_order_release);
        return true;
    }

    int channels_ = 0;
    int64_t mask_ = 0;
    std::vector<float> memory_;
    std::array<Gap, kGaps> gaps_;
    int64_t pending_ = 0;  // the writer's own
    alignas(64) std::atomic<int64_t> written_{0};
    std::atomic<int64_t> gaps_written_{0};
    std::atomic<int64_t> lost_{0};
    alignas(64) std::atomic<int64_t> taken_{0};
    std::atomic<int64_t> gaps_taken_{0};
};

}  // namespace neutone_like

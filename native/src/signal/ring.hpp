// Single-producer, single-consumer memory between the audio thread and the workers.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace neutone_like {

// Audio by its position in the stream, so that a reader which went on without waiting finds its place again. Whole
// blocks move in at most two spans a channel. Who may read and write which positions is the session's business.
class AudioRing {
public:
    void prepare(int channels, int64_t at_least) {
        const auto capacity = std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(at_least, 2)));
        mask_ = static_cast<int64_t>(capacity) - 1;
        memory_.assign(channels, std::vector<float>(capacity, 0.0f));
    }

    int64_t capacity() const noexcept { return mask_ + 1; }

    void write(int64_t position, const float* const* source, int64_t offset, int64_t samples) noexcept {
        const int64_t start = position & mask_;
        const int64_t first = std::min(samples, capacity() - start);
        for (size_t channel = 0; channel < memory_.size(); ++channel) {
            const float* from = source[channel] + offset;
            std::memcpy(memory_[channel].data() + start, from, first * sizeof(float));
            std::memcpy(memory_[channel].data(), from + first, (samples - first) * sizeof(float));
        }
    }

    void write_silence(int64_t position, int64_t samples) noexcept {
        for (auto& channel : memory_) {
            for (int64_t i = 0; i < samples; ++i) channel[(position + i) & mask_] = 0.0f;
        }
    }

    void read(int64_t position, float* const* target, int64_t offset, int64_t samples) const noexcept {
        const int64_t start = position & mask_;
        const int64_t first = std::min(samples, capacity() - start);
        for (size_t channel = 0; channel < memory_.size(); ++channel) {
            float* to = target[channel] + offset;
            std::memcpy(to, memory_[channel].data() + start, first * sizeof(float));
            std::memcpy(to + first, memory_[channel].data(), (samples - first) * sizeof(float));
        }
    }

private:
    int64_t mask_ = 0;
    std::vector<std::vector<float>> memory_;
};

// What the audio thread says about each block that it hands over.
struct Packet {
    int samples = 0;
    uint64_t pushed_ns = 0;
};

// Packets in order, each with one value a parameter. Sequence numbers are the packets' indices: none can be lost
// between two others.
class PacketRing {
public:
    void prepare(int64_t at_least, int values) {
        const auto capacity = std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(at_least, 2)));
        mask_ = static_cast<int64_t>(capacity) - 1;
        value_count_ = values;
        packets_.assign(capacity, Packet{});
        deadlines_ = std::make_unique<std::atomic<uint64_t>[]>(capacity);
        values_.assign(capacity * static_cast<size_t>(values), 0.0f);
        clear();
    }

    // Only while nobody else uses it.
    void clear() noexcept {
        pushed_.store(0, std::memory_order_relaxed);
        taken_.store(0, std::memory_order_relaxed);
    }

    // Producer.
    bool has_room() const noexcept {
        return pushed_.load(std::memory_order_relaxed) - taken_.load(std::memory_order_acquire) <= mask_;
    }
    float* next_values() noexcept { return values_of(pushed_.load(std::memory_order_relaxed)); }
    void push(const Packet& packet, uint64_t deadline_ns) noexcept {
        const int64_t sequence = pushed_.load(std::memory_order_relaxed);
        packets_[sequence & mask_] = packet;
        deadlines_[sequence & mask_].store(deadline_ns, std::memory_order_relaxed);
        pushed_.store(sequence + 1, std::memory_order_release);
    }

    // Consumer.
    bool empty() const noexcept {
        return pushed_.load(std::memory_order_acquire) == taken_.load(std::memory_order_relaxed);
    }
    const Packet& front() const noexcept { return packets_[taken_.load(std::memory_order_relaxed) & mask_]; }
    const float* front_values() noexcept { return values_of(taken_.load(std::memory_order_relaxed)); }
    void pop() noexcept { taken_.store(taken_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

    // Anyone, as a hint: when the oldest packet's output is needed.
    uint64_t front_deadline() const noexcept {
        return deadlines_[taken_.load(std::memory_order_relaxed) & mask_].load(std::memory_order_relaxed);
    }

private:
    float* values_of(int64_t sequence) noexcept {
        return values_.data() + (sequence & mask_) * static_cast<int64_t>(value_count_);
    }

    int64_t mask_ = 0;
    int value_count_ = 0;
    std::vector<Packet> packets_;
    std::unique_ptr<std::atomic<uint64_t>[]> deadlines_;
    std::vector<float> values_;
    alignas(64) std::atomic<int64_t> pushed_{0};
    alignas(64) std::atomic<int64_t> taken_{0};
};

}  // namespace neutone_like

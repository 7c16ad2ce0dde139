// Counts of times, kept by one thread and read by any, without a lock and without losing an outlier.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

namespace neutone_like {

// Buckets grow by 1/32 of an octave (at most 3.2 % wide); the largest value is kept exactly.
class Histogram {
public:
    static constexpr int kSteps = 32;
    static constexpr int kOctaves = 40;  // up to 18 minutes in ns
    static constexpr int kBuckets = kSteps * (kOctaves + 1);

    // One thread only.
    void add(uint64_t value) noexcept {
        std::atomic<uint64_t>& bucket = buckets_[index(value)];
        bucket.store(bucket.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        if (value > largest_.load(std::memory_order_relaxed)) largest_.store(value, std::memory_order_relaxed);
    }

    // Any number of threads.
    void add_shared(uint64_t value) noexcept {
        buckets_[index(value)].fetch_add(1, std::memory_order_relaxed);
        uint64_t largest = largest_.load(std::memory_order_relaxed);
        while (value > largest && !largest_.compare_exchange_weak(largest, value, std::memory_order_relaxed)) {
        }
    }

    void clear() noexcept {
        for (auto& bucket : buckets_) bucket.store(0, std::memory_order_relaxed);
        largest_.store(0, std::memory_order_relaxed);
    }

    uint64_t largest() const noexcept { return largest_.load(std::memory_order_relaxed); }

    uint64_t count() const noexcept {
        uint64_t sum = 0;
        for (const auto& bucket : buckets_) sum += bucket.load(std::memory_order_relaxed);
        return sum;
    }

    uint64_t bucket_count(int bucket) const noexcept { return buckets_[bucket].load(std::memory_order_relaxed); }

    // The value that `fraction` of all values do not exceed, rounded up to its bucket's end; 0 without values.
    uint64_t percentile(double fraction) const noexcept {
        const uint64_t total = count();
        if (total == 0) return 0;
        const auto wanted = static_cast<uint64_t>(fraction * static_cast<double>(total) + 0.9999999);
        uint64_t seen = 0;
        for (int bucket = 0; bucket < kBuckets; ++bucket) {
            seen += bucket_count(bucket);
            if (seen >= wanted && seen > 0) return std::min(bucket_end(bucket), largest());
        }
        return largest();
    }

    // The largest value that falls into a bucket.
    static uint64_t bucket_end(int bucket) noexcept {
        if (bucket < 2 * kSteps) return static_cast<uint64_t>(bucket);
        const int shift = bucket / kSteps - 1;
        const auto step = static_cast<uint64_t>(bucket % kSteps + kSteps);
        return ((step + 1) << shift) - 1;
    }

    static int index(uint64_t value) noexcept {
        if (value < 2 * kSteps) return static_cast<int>(value);
        const int shift = static_cast<int>(std::bit_width(value)) - 6;  // leaves a step in 32..63
        const int bucket = (shift + 1) * kSteps + static_cast<int>(value >> shift) - kSteps;
        return std::min(bucket, kBuckets - 1);
    }

private:
    std::array<std::atomic<uint64_t>, kBuckets> buckets_{};
    std::atomic<uint64_t> largest_{0};
};

}  // namespace neutone_like

#include "worker_stream.hpp"

#include <algorithm>
#include <utility>

#include "meters.hpp"

namespace neutone_like::plugin {

WorkerStream::WorkerStream(std::shared_ptr<const CompiledModel> model, const SessionConfig& config,
                           int64_t wait_samples)
    : stream_(std::move(model), config), wait_(wait_samples), values_(config.parameters.size()) {
    const int64_t room = wait_ + 2 * static_cast<int64_t>(config.block_size);
    input_.prepare(config.channels, room);
    output_.prepare(stream_.output_channels(), room);
    packets_.prepare(wait_ + 2, static_cast<int>(values_));  // no packet has less than a sample
    block_.prepare(std::max(config.channels, stream_.output_channels()), config.block_size);
    thread_ = std::thread([this] { work(); });
}

WorkerStream::~WorkerStream() {
    stop_.store(true, std::memory_order_relaxed);
    work_.release();
    thread_.join();
}

void WorkerStream::process(const float* const* in, float* const* out, int samples, const float* values) noexcept {
    if (samples == 0) return;
    input_.write(pushed_, in, 0, samples);
    std::copy_n(values, values_, packets_.next_values());
    packets_.push(Packet{samples, 0}, 0);
    work_.release();
    const int64_t first = pushed_ - wait_;  // of the worker's output, to go out now
    pushed_ += samples;
    wait_until(pushed_ - wait_);
    const auto silent = static_cast<int>(std::clamp<int64_t>(started_ - first, 0, samples));
    for (int channel = 0; channel < stream_.output_channels(); ++channel) std::fill_n(out[channel], silent, 0.0f);
    output_.read(first + silent, out, silent, samples - silent);
}

void WorkerStream::reset() noexcept {
    wait_until(pushed_);
    stream_.reset();
    started_ = pushed_;
}

void WorkerStream::wait_until(int64_t done) noexcept {
    for (int64_t now = done_.load(std::memory_order_acquire); now < done; now = done_.load(std::memory_order_acquire)) {
        done_.wait(now, std::memory_order_acquire);
    }
}

void WorkerStream::work() noexcept {
    while (true) {
        work_.acquire();
        if (stop_.load(std::memory_order_relaxed)) return;
        while (!packets_.empty()) play_packet();
    }
}

void WorkerStream::play_packet() noexcept {
    const int64_t at = done_.load(std::memory_order_relaxed);
    const int samples = packets_.front().samples;
    const uint64_t start = Meters::ticks();
    input_.read(at, block_.rows(), 0, samples);
    stream_.process(block_.const_rows(), block_.rows(), samples, packets_.front_values());
    output_.write(at, block_.const_rows(), 0, samples);
    packets_.pop();
    busy_.store(busy_ticks() + Meters::ticks() - start, std::memory_order_relaxed);
    done_.store(at + samples, std::memory_order_release);
    done_.notify_one();
}

}  // namespace neutone_like::plugin

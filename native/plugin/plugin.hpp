// A plugin as every format needs it: values, sound, latency, state.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "compiled/compiled_stream.hpp"
#include "content.hpp"
#include "dry_path.hpp"
#include "worker_stream.hpp"

namespace neutone_like::plugin {

// Channels of the host: 1 and 1, 2 and 2, or 1 and 2.
struct Layout {
    int inputs = 2;
    int outputs = 2;
    bool is_possible() const noexcept { return inputs >= 1 && inputs <= outputs && outputs <= 2; }
};

// Above each function stands whether it is for the audio thread, for control while nothing plays, or for any.
class Plugin {
public:
    explicit Plugin(const Content& of);

    // [control] Ready for a host: takes all memory, and begins anew. Where the model can't be played so, problem() says why,
    // and sound passes through.
    void prepare(double sample_rate, int longest_block, Layout layout);
    const std::string& problem() const noexcept { return problem_; }

    // [audio, or control] As if nothing had been played. Knobs jump to where they are set.
    void reset() noexcept;
    // [any] Between an input sample and the output that it causes, at the host's rate. 0 before prepare.
    int64_t latency_samples() const noexcept { return latency_; }

    // [audio] What is heard from the next process on, to the sample.
    void set(size_t knob, double value) noexcept;
    // [audio] Any number of samples; `out` may be `in`. A null row of the host's is silence, or is left out.
    void process(const float* const* in, float* const* out, int samples) noexcept;

    // [any] What a knob was last set to, by anyone.
    double shown(size_t knob) const noexcept { return shown_[knob].load(std::memory_order_relaxed); }
    // [any] What a host shows; what is heard comes by set, or with the next prepare or reset.
    void show(size_t knob, double value) noexcept;

    // [any but audio] All knobs, as text, and back: heard from the next block on. False: it is no state of this
    // plugin; then nothing changes.
    std::string state() const;
    bool load(std::string_view state);

    const Content& of() const noexcept { return content_; }

private:
    void begin_playing(double sample_rate);
    bool has_model() const noexcept { return stream_ != nullptr || worker_ != nullptr; }
    void take_shown() noexcept;
    void play(const float* const* in, float* const* out, int samples) noexcept;
    bool is_bypassed() const noexcept { return playing_.back() != 0.0f; }

    const Content& content_;
    Layout layout_;
    int longest_ = 0;
    int64_t latency_ = 0;
    std::string problem_;
    std::string kept_state_;  // of the model that isn't there
    // One of them plays; neither, where the model can't be played.
    std::unique_ptr<CompiledStream> stream_;
    std::unique_ptr<WorkerStream> worker_;
    DryPath dry_;
    std::vector<std::atomic<double>> shown_;
    std::atomic<bool> loaded_{false};  // `shown_` is to be heard
    std::vector<float> playing_;       // 0..1; bypass is the last one
    std::vector<float> silence_;
    std::vector<float> scrap_;
};

}  // namespace neutone_like::plugin

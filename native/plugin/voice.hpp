// A model as one host hears it, with all memory taken. Without a model sound passes through.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "compiled/compiled_stream.hpp"
#include "dry_path.hpp"
#include "loaded.hpp"
#include "port_layout.hpp"
#include "worker_stream.hpp"

namespace neutone_like::plugin {

// How a model is played for a host. Throws EngineError.
SessionConfig config_of(const ModelFacts& facts, double sample_rate, int block, const Layout& layout);

class Voice {
public:
    // [control]
    Voice(std::shared_ptr<const Loaded> loaded, double sample_rate, int longest_block, Layout layout);

    // Why sound passes through; empty: it doesn't.
    const std::string& problem() const noexcept { return problem_; }
    int64_t latency_samples() const noexcept { return latency_; }
    bool has_model() const noexcept { return stream_ != nullptr || worker_ != nullptr; }
    int outputs() const noexcept { return layout_.outputs; }

    // [control] Plays silence, so that the audio thread is not the first to touch its memory, and begins anew.
    void warm_up(const std::vector<float>& values) noexcept;

    // [audio, or control while nothing plays] As if nothing had been played.
    void reset(bool bypassed) noexcept;
    // [audio] Any number of samples; `out` may be `in`. A null row of the host's is silence, or is left out. `values`: 0..1,
    // one a parameter. What is bypassed, or has no model, gives every output the input of its number, if there is one.
    void process(const float* const* in, float* const* out, int samples, const float* values, bool bypassed) noexcept;

    // [audio] How long a thread of its own has played, in ticks of Meters'; 0: it has none.
    uint64_t worker_ticks() const noexcept { return worker_ == nullptr ? 0 : worker_->busy_ticks(); }

    std::vector<float> begins_with;  // values of all knobs; empty: those that are set
    Voice* older = nullptr;          // in a list of those that have been replaced

private:
    void begin_playing(double sample_rate);
    void play(const float* const* in, float* const* out, int samples, const float* values, bool bypassed) noexcept;

    const std::shared_ptr<const Loaded> loaded_;
    const Layout layout_;
    const int longest_;
    int64_t latency_ = 0;
    std::string problem_;
    // One of them plays; neither, where the model can't be played.
    std::unique_ptr<CompiledStream> stream_;
    std::unique_ptr<WorkerStream> worker_;
    DryPath dry_;
    std::vector<float> silence_;
    std::vector<float> scrap_;
};

}  // namespace neutone_like::plugin

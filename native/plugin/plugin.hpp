// A plugin as every format needs it: values, sound, latency, state, and for the player which artifact plays.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "content.hpp"
#include "meters.hpp"
#include "voice.hpp"

namespace neutone_like::plugin {

// Above each function stands whether it is for the audio thread, for control while nothing plays, or for any.
class Plugin {
public:
    static constexpr int64_t kEndless = std::numeric_limits<int64_t>::max();

    explicit Plugin(const Content& of);
    ~Plugin();
    Plugin(const Plugin&) = delete;
    Plugin& operator=(const Plugin&) = delete;

    // [control] Ready for a host: takes all memory, and begins anew. Where the model can't be played so, told() says why,
    // and sound passes through.
    void prepare(double sample_rate, int longest_block, Layout layout);

    // [audio, or control] As if nothing had been played. Knobs jump to where they are set.
    void reset() noexcept;
    // [any] Between an input sample and the output that it causes, at the host's rate. 0 before prepare.
    int64_t latency_samples() const noexcept { return latency_.load(std::memory_order_relaxed); }

    // [audio] What is heard from the next process on, to the sample.
    void set(size_t knob, double value) noexcept;
    // [audio] As Voice's.
    void process(const float* const* in, float* const* out, int samples) noexcept;

    // [any] What a knob was last set to, by anyone.
    double shown(size_t knob) const noexcept { return shown_[knob].load(std::memory_order_relaxed); }
    // [any] What a host shows; what is heard comes by set, or with the next prepare or reset.
    void show(size_t knob, double value) noexcept;
    // [any but audio] What is shown is heard from the next block on.
    void hear_shown() noexcept { is_loaded_.store(true, std::memory_order_release); }

    // [any but audio] All knobs and the player's artifact, as text, and back: heard from the next block on. `moved_to`: where
    // the artifact lies now; empty: where the text says. False: it is no state of this plugin; then nothing changes.
    std::string state() const;
    bool load(std::string_view state, const std::string& moved_to = "");

    // [any but audio] The player's: another artifact, heard from the next block on. False: it can't be played, told() says
    // why, and sound passes through.
    bool open(const std::string& path);
    std::string artifact() const;

    // [any but audio] For the user, why sound passes through, or what else is not as expected; empty: all is well.
    std::string told() const;
    // [any but audio] As the model that plays has them; there are always as many, and of() has their ids.
    std::shared_ptr<const std::vector<Knob>> knobs() const;

    // [any] For how many samples something is heard after the input has ended, the latency with it; kEndless: nobody knows.
    int64_t tail_samples() const noexcept { return tail_.load(std::memory_order_relaxed); }

    // [any but audio] Of the model that plays, or of the plugin where there is none.
    std::string model_name() const;
    // [any] In Hz; 0 before prepare.
    double sample_rate() const noexcept { return sample_rate_.load(std::memory_order_relaxed); }
    Meters& meters() noexcept { return meters_; }

    const Content& of() const noexcept { return content_; }

private:
    void take(std::shared_ptr<const Loaded> loaded, std::shared_ptr<const std::vector<Knob>> knobs,
              const std::vector<double>& values);
    void clear_away() noexcept;
    std::unique_ptr<Voice> new_voice();
    int64_t tail_of(const Voice& voice) const noexcept;
    void say() const;
    void take_offered() noexcept;
    void take_shown() noexcept;
    bool is_bypassed() const noexcept { return playing_.back() != 0.0f; }

    const Content& content_;

    // Of everybody but the audio thread.
    mutable std::mutex control_;
    std::shared_ptr<const Loaded> loaded_;
    std::shared_ptr<const std::vector<Knob>> knobs_;
    int longest_ = 0;
    Layout layout_;
    std::string problem_;
    std::string notice_;
    std::string kept_state_;  // of the model that isn't there

    // Of both. A voice goes from control to audio by `offered_`, and back by the list that `replaced_` begins.
    std::atomic<Voice*> offered_{nullptr};
    std::atomic<Voice*> replaced_{nullptr};
    std::atomic<int64_t> latency_{0};
    std::atomic<int64_t> tail_{kEndless};
    std::atomic<double> sample_rate_{0.0};  // 0: not prepared yet
    Meters meters_;
    std::vector<std::atomic<double>> shown_;
    std::atomic<bool> is_loaded_{false};  // `shown_` is to be heard

    // Of the audio thread, or of control while nothing plays.
    std::unique_ptr<Voice> voice_;
    std::vector<float> playing_;  // 0..1; bypass is the last one
};

}  // namespace neutone_like::plugin

#include "plugin.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "file.hpp"
#include "state_text.hpp"

namespace neutone_like::plugin {

namespace {

static_assert(std::atomic<Voice*>::is_always_lock_free && std::atomic<double>::is_always_lock_free);

// What the player begins with.
std::string first_artifact(const Identity& identity) {
    const std::string named = environment("NEUTONE_LIKE_PLAYER_ARTIFACT");
    return named.empty() ? identity.artifact : named;
}

}  // namespace

Plugin::Plugin(const Content& of)
    : content_(of),
      loaded_(of.inside),
      knobs_(std::make_shared<const std::vector<Knob>>(of.knobs)),
      problem_(of.inside->problem),
      shown_(of.knobs.size()),
      playing_(of.knobs.size()) {
    const std::vector<double> defaults = defaults_of(of.knobs);
    for (size_t knob = 0; knob < shown_.size(); ++knob) show(knob, defaults[knob]);
    take_shown();
    if (of.is_player()) open(first_artifact(of.identity));
}

Plugin::~Plugin() {
    delete offered_.load();
    clear_away();
}

void Plugin::prepare(double sample_rate, int longest_block, Layout layout) {
    const std::scoped_lock lock(control_);
    sample_rate_.store(sample_rate, std::memory_order_relaxed);
    longest_ = longest_block;
    layout_ = layout;
    delete offered_.exchange(nullptr, std::memory_order_acquire);
    clear_away();
    voice_ = nullptr;
    voice_ = new_voice();
    reset();
}

std::unique_ptr<Voice> Plugin::new_voice() {
    auto voice = std::make_unique<Voice>(loaded_, sample_rate(), longest_, layout_);
    problem_ = voice->problem();
    latency_.store(voice->latency_samples(), std::memory_order_relaxed);
    tail_.store(tail_of(*voice), std::memory_order_relaxed);
    return voice;
}

// What was measured holds at that rate. At another one a model may remember as many seconds or as many samples, and the rate's
// conversion rings for at most the latency.
int64_t Plugin::tail_of(const Voice& voice) const noexcept {
    const Identity& identity = content_.identity;
    if (!voice.has_model()) return 0;
    if (identity.tail_samples < 0) return kEndless;
    const int64_t latency = voice.latency_samples();
    if (sample_rate() == identity.tail_rate) return latency + identity.tail_samples;
    const double scaled = std::ceil(static_cast<double>(identity.tail_samples) * sample_rate() / identity.tail_rate);
    return 2 * latency + std::max(identity.tail_samples, static_cast<int64_t>(scaled));
}

// Those that the audio thread is done with.
void Plugin::clear_away() noexcept {
    for (Voice* voice = replaced_.exchange(nullptr, std::memory_order_acquire); voice != nullptr;) {
        delete std::exchange(voice, voice->older);
    }
}

void Plugin::take_offered() noexcept {
    Voice* next = offered_.exchange(nullptr, std::memory_order_acquire);
    if (next == nullptr) return;
    std::copy(next->begins_with.begin(), next->begins_with.end(), playing_.begin());
    Voice* done = voice_.release();
    voice_.reset(next);
    if (done == nullptr) return;
    done->older = replaced_.load(std::memory_order_relaxed);
    while (!replaced_.compare_exchange_weak(done->older, done, std::memory_order_release, std::memory_order_relaxed)) {
    }
}

void Plugin::reset() noexcept {
    if (offered_.load(std::memory_order_relaxed) != nullptr) take_offered();
    is_loaded_.exchange(false, std::memory_order_acquire);  // before: what is loaded meanwhile is for the next block
    take_shown();
    if (voice_ != nullptr) voice_->reset(is_bypassed());
}

void Plugin::set(size_t knob, double value) noexcept {
    const double nearest = content_.knobs[knob].nearest(value);
    shown_[knob].store(nearest, std::memory_order_relaxed);
    playing_[knob] = static_cast<float>(content_.knobs[knob].to_0to1(nearest));
}

void Plugin::show(size_t knob, double value) noexcept {
    shown_[knob].store(content_.knobs[knob].nearest(value), std::memory_order_relaxed);
}

void Plugin::take_shown() noexcept {
    for (size_t knob = 0; knob < playing_.size(); ++knob) {
        playing_[knob] = static_cast<float>(content_.knobs[knob].to_0to1(shown(knob)));
    }
}

void Plugin::process(const float* const* in, float* const* out, int samples) noexcept {
    if (offered_.load(std::memory_order_relaxed) != nullptr) take_offered();
    if (is_loaded_.load(std::memory_order_relaxed) && is_loaded_.exchange(false, std::memory_order_acquire)) {
        take_shown();
    }
    if (voice_ == nullptr) {  // a host that prepares nothing hears nothing
        for (int channel = 0; channel < kMostChannels; ++channel) {
            if (out[channel] != nullptr) std::fill_n(out[channel], samples, 0.0f);
        }
        return;
    }
    const uint64_t start = Meters::ticks();
    voice_->process(in, out, samples, playing_.data(), is_bypassed());
    meters_.take(out, voice_->outputs(), samples, Meters::ticks() - start, voice_->worker_ticks());
}

std::string Plugin::state() const {
    const std::scoped_lock lock(control_);
    if (loaded_->model == nullptr && !kept_state_.empty()) return kept_state_;
    std::vector<double> values;
    for (size_t knob = 0; knob < shown_.size(); ++knob) values.push_back(shown(knob));
    return write_state(content_, *loaded_, *knobs_, values);
}

bool Plugin::load(std::string_view state, const std::string& moved_to) {
    const std::scoped_lock lock(control_);
    SavedArtifact saved;
    if (!read_state(content_, state, saved)) return false;
    kept_state_ = state;
    notice_.clear();
    if (content_.is_player() && saved.is_there) {
        if (!moved_to.empty()) saved.path = moved_to;
        auto loaded = std::make_shared<const Loaded>(read_artifact(saved.path, saved.worker));
        if (!saved.digest.empty() && !loaded->digest.empty() && saved.digest != loaded->digest) {
            notice_ = "'" + saved.path + "' is not the model that was saved here: it has changed, or is another one. " +
                      "Parameters of the same names have their saved values.";
        }
        const bool is_same = loaded->model != nullptr && loaded_->model != nullptr && loaded->path == loaded_->path &&
                             loaded->digest == loaded_->digest && loaded->worker == loaded_->worker;
        if (!is_same) {
            auto knobs = std::make_shared<const std::vector<Knob>>(slots_of(loaded->facts.parameters));
            const std::vector<double> values = values_in(state, *knobs);
            take(std::move(loaded), std::move(knobs), values);
            return true;
        }
        say();
    }
    const std::vector<double> values = values_in(state, *knobs_);
    for (size_t knob = 0; knob < shown_.size(); ++knob) show(knob, values[knob]);
    hear_shown();
    return true;
}

bool Plugin::open(const std::string& path) {
    const std::scoped_lock lock(control_);
    auto loaded = std::make_shared<const Loaded>(read_artifact(path));
    auto knobs = std::make_shared<const std::vector<Knob>>(slots_of(loaded->facts.parameters));
    std::vector<double> values = defaults_of(*knobs);
    values.back() = shown(content_.bypass());
    kept_state_.clear();
    notice_.clear();
    take(std::move(loaded), std::move(knobs), values);
    return loaded_->model != nullptr && problem_.empty();
}

// Values travel with the voice, so that the one that still plays doesn't hear them.
void Plugin::take(std::shared_ptr<const Loaded> loaded, std::shared_ptr<const std::vector<Knob>> knobs,
                  const std::vector<double>& values) {
    loaded_ = std::move(loaded);
    knobs_ = std::move(knobs);
    problem_ = loaded_->problem;
    for (size_t knob = 0; knob < shown_.size(); ++knob) show(knob, values[knob]);
    if (sample_rate() > 0.0) {
        std::unique_ptr<Voice> voice = new_voice();
        for (size_t knob = 0; knob < shown_.size(); ++knob) {
            voice->begins_with.push_back(static_cast<float>(content_.knobs[knob].to_0to1(shown(knob))));
        }
        voice->warm_up(voice->begins_with);
        clear_away();
        delete offered_.exchange(voice.release(), std::memory_order_acq_rel);
    } else {
        take_shown();
    }
    say();
}

std::string Plugin::artifact() const {
    const std::scoped_lock lock(control_);
    return loaded_->path;
}

std::string Plugin::model_name() const {
    const std::scoped_lock lock(control_);
    return loaded_->facts.name.empty() ? content_.identity.name : loaded_->facts.name;
}

std::string Plugin::told() const {
    const std::scoped_lock lock(control_);
    return problem_.empty() ? notice_ : "Sound passes through unchanged: " + problem_;
}

// Some formats have no place for it.
void Plugin::say() const {
    if (loaded_->path.empty()) return;
    if (!problem_.empty()) std::fprintf(stderr, "Sound passes through unchanged: %s\n", problem_.c_str());
    if (!notice_.empty()) std::fprintf(stderr, "%s\n", notice_.c_str());
}

std::shared_ptr<const std::vector<Knob>> Plugin::knobs() const {
    const std::scoped_lock lock(control_);
    return knobs_;
}

}  // namespace neutone_like::plugin

#include "host/player.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "engine/compiled_backend.hpp"
#include "engine/shared_object.hpp"
#include "host/fitting.hpp"
#include "model/host_error.hpp"

namespace neutone_like {

namespace {

// Without a path: compiled models, which need no backend beside the library.
const nl_backend* backend_at(const std::string& path) {
    if (path.empty()) return compiled_backend();
    try {
        return load_backend(path);
    } catch (const EngineError& error) {
        throw HostError(NL_NO_BACKEND, error.what());
    }
}

std::string metadata_of(const std::string& model, const std::string& backend_path) {
    const nl_metadata_entry read = backend_path.empty() ? compiled_metadata : find_metadata_entry(backend_path);
    if (read == nullptr) {
        throw HostError(NL_NO_BACKEND, "The backend " + backend_path +
                                           " tells nothing of its model files: it has no "
                                           "function " NL_METADATA_ENTRY " (see neutone_like/backend_metadata.h).");
    }
    std::array<char, 2048> message{};
    const nl_error error{message.data(), message.size()};
    size_t length = 0;
    nl_status status = read(model.c_str(), nullptr, 0, &length, error);
    std::string text;
    if (status == NL_OK) {
        text.resize(length);
        status = read(model.c_str(), text.data(), text.size(), &length, error);
    }
    if (status != NL_OK) throw HostError(NL_BAD_MODEL, message.data());
    return text;
}

InstancePtr instance_of(const nl_backend* backend, const std::string& model, const std::string& options) {
    try {
        return Instance::create(backend, model, options);
    } catch (const EngineError& error) {
        throw HostError(NL_BAD_MODEL, error.what());
    }
}

nl_result result_of(ProcessResult result) noexcept {
    if (result == ProcessResult::ok) return NL_SUCCESS;
    if (result == ProcessResult::block_too_large) return NL_BLOCK_TOO_LONG;
    return result == ProcessResult::two_threads ? NL_TWO_THREADS : NL_CLOSED;
}

double seconds(uint64_t nanoseconds) noexcept { return 1e-9 * static_cast<double>(nanoseconds); }

}  // namespace

Player::Player(std::shared_ptr<Engine> engine, const std::string& model, const std::string& backend)
    : engine_(std::move(engine)),
      source_(model),
      backend_(backend_at(backend)),
      metadata_(metadata_of(model, backend)),
      facts_(read_model_facts(metadata_)),
      options_(facts_.is_ours ? "" : "part=wrapper\n"),
      model_(instance_of(backend_, model, options_)),
      values_(facts_.parameters.size()) {
    for (size_t index = 0; index < values_.size(); ++index) values_[index] = facts_.parameters[index].default_value;
}

Player::~Player() {
    shut_gate();
    if (session_ != nullptr) session_->close();
}

nl_result Player::process(const float* const* in, float* const* out, int samples) noexcept {
    int expected = kFree;
    if (!gate_.compare_exchange_strong(expected, kPlaying, std::memory_order_acquire)) {
        return expected == kPlaying ? NL_TWO_THREADS : NL_NOT_PREPARED;
    }
    Session& session = *session_;
    give_parameters(session);
    const ProcessResult result = session.process(in, out, samples);
    latency_.store(session.latency_samples(), std::memory_order_relaxed);
    gate_.store(kFree, std::memory_order_release);
    return result_of(result);
}

nl_result Player::set_parameter(int index, double value) noexcept {
    if (!has_parameter(index)) return NL_NO_PARAMETER;
    if (!facts_.parameters[index].allows(value)) return NL_OUT_OF_RANGE;
    values_[index].store(value, std::memory_order_relaxed);
    return NL_SUCCESS;
}

void Player::give_parameters(Session& session) const noexcept {
    for (size_t index = 0; index < values_.size(); ++index) {
        const double value = values_[index].load(std::memory_order_relaxed);
        session.set_parameter_0to1(static_cast<int>(index), facts_.parameters[index].to_0to1(value));
    }
}

// Waits for the audio thread to leave; it does not come in again.
void Player::shut_gate() noexcept {
    int expected = kFree;
    while (!gate_.compare_exchange_weak(expected, kShut, std::memory_order_acquire) && expected != kShut) {
        expected = kFree;
        std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
}

void Player::prepare(const nl_host& host) {
    const SessionConfig config = fit(facts_, host);
    const std::lock_guard lock(control_);
    if (engine_->is_closed()) throw HostError(NL_CLOSED, "The engine was destroyed. Open the model on another one.");
    shut_gate();
    if (session_ != nullptr) session_->close();
    session_ = nullptr;
    latency_ = 0;
    output_channels_ = 0;
    std::vector<InstancePtr> instances;
    instances.push_back(fresh_instance());
    session_ = engine_->open(config, std::move(instances));
    latency_ = session_->latency_samples();
    output_channels_ = session_->output_channels();
    gate_.store(kFree, std::memory_order_release);
}

InstancePtr Player::fresh_instance() const {
    InstancePtr copy = model_->clone();
    return copy != nullptr ? std::move(copy) : instance_of(backend_, source_, options_);
}

Session& Player::prepared() const {
    if (session_ == nullptr) throw HostError(NL_NOT_PREPARED, "Nothing is prepared. Call nl_prepare first.");
    return *session_;
}

void Player::process_offline(const float* const* in, float* const* out, int64_t samples) {
    const std::lock_guard lock(control_);
    Session& session = prepared();
    give_parameters(session);
    const uint64_t failed_before = session.stats().failed_blocks;
    session.process_offline(in, out, samples, nullptr);
    const SessionStats after = session.stats();
    if (after.failed_blocks != failed_before) {
        throw HostError(NL_FAILED, facts_.name + " failed in " + std::to_string(after.failed_blocks - failed_before) +
                                       " blocks, the last time with: " + after.last_error);
    }
}

void Player::reset() {
    const std::lock_guard lock(control_);
    prepared().reset();
}

void Player::read(nl_statistics& statistics) const {
    const std::lock_guard lock(control_);
    const Session& session = prepared();
    const SessionStats stats = session.stats();
    statistics.callbacks = stats.callbacks;
    statistics.samples = stats.samples;
    statistics.underruns = stats.underruns;
    statistics.missing_samples = stats.missing_samples;
    statistics.dropped_samples = stats.dropped_samples;
    statistics.restarts = stats.restarts;
    statistics.inserted_silence_samples = stats.inserted_silence_samples;
    statistics.nonfinite_samples = stats.nonfinite_samples;
    statistics.nonfinite_input_samples = stats.nonfinite_input_samples;
    statistics.failed_blocks = stats.failed_blocks;
    statistics.model_blocks = stats.model_blocks;
    statistics.hung = stats.hung ? 1 : 0;
    statistics.max_inference_seconds = stats.max_inference_seconds;
    statistics.callback_seconds_p50 = seconds(session.callback_time().percentile(0.5));
    statistics.callback_seconds_p99 = seconds(session.callback_time().percentile(0.99));
    statistics.callback_seconds_max = seconds(session.callback_time().largest());
    statistics.inference_seconds_p50 = seconds(session.inference_time().percentile(0.5));
    statistics.inference_seconds_p99 = seconds(session.inference_time().percentile(0.99));
    statistics.inference_seconds_max = seconds(session.inference_time().largest());
    const size_t length = std::min(stats.last_error.size(), sizeof statistics.last_model_error - 1);
    std::memcpy(statistics.last_model_error, stats.last_error.data(), length);
    statistics.last_model_error[length] = '\0';
    statistics.waits = stats.waits;
    statistics.waited_seconds = seconds(stats.waited_ns);
}

}  // namespace neutone_like

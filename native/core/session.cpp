#include "session.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <thread>
#include <utility>

#include "fit.hpp"
#include "realtime_thread.hpp"

namespace neutone_like {

namespace {

constexpr auto kNap = std::chrono::microseconds(50);

// Held by whoever got there first; nobody waits for it.
class TryFlag {
public:
    explicit TryFlag(std::atomic<bool>& flag) noexcept : flag_(flag), held_(!flag.exchange(true)) {}
    ~TryFlag() {
        if (held_) flag_.store(false);
    }
    TryFlag(const TryFlag&) = delete;
    TryFlag& operator=(const TryFlag&) = delete;
    explicit operator bool() const noexcept { return held_; }

private:
    std::atomic<bool>& flag_;
    bool held_;
};

}  // namespace

// Holds every part of a session for a thread that may wait: the audio thread stays out, the workers have finished
// their blocks and begin no new ones.
class Session::Control {
public:
    explicit Control(Session& session) : session_(session) {
        if (session.closed_) throw EngineError("The session is closed. Open a new one with Engine.open.");
        take_owner();
        session.pauses_.fetch_add(1);
        paused_ = true;
        take(session.front_busy_);
        take(session.back_busy_);
        while (session.has_running_slot()) nap();
    }

    ~Control() { release(); }
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;

private:
    void take_owner() {
        int expected = kFree;
        while (!session_.owner_.compare_exchange_weak(expected, kControl)) {
            expected = kFree;
            std::this_thread::sleep_for(kNap);
        }
        owner_ = true;
    }

    void take(std::atomic<bool>& flag) {
        while (flag.exchange(true)) nap();
        (&flag == &session_.front_busy_ ? front_ : back_) = true;
    }

    // A backend that never returns would keep us waiting for ever.
    void nap() {
        if (session_.hung_) {
            release();
            throw EngineError("The backend does not return from a block, and the session was given up. Close it.");
        }
        std::this_thread::sleep_for(kNap);
    }

    void release() noexcept {
        if (back_) session_.back_busy_ = false;
        if (front_) session_.front_busy_ = false;
        if (paused_) session_.pauses_.fetch_sub(1);
        if (owner_) session_.owner_ = kFree;
        owner_ = paused_ = front_ = back_ = false;
        if (session_.pool_.wake) session_.pool_.wake();
    }

    Session& session_;
    bool owner_ = false;
    bool paused_ = false;
    bool front_ = false;
    bool back_ = false;
};

Session::Session(const SessionConfig& config, std::vector<InstancePtr> instances, PoolView pool)
    : config_(config),
      pool_(std::move(pool)),
      parameters_(config.parameters.size()),
      runner_busy_(instances.size()),
      slots_(instances.size() == 1 ? 1 : 2 * instances.size()) {
    check_config(config_);
    if (static_cast<int>(instances.size()) != config_.instances) {
        throw EngineError("Expected " + std::to_string(config_.instances) + " instances of the model, got " +
                          std::to_string(instances.size()) + ".");
    }
    output_channels_ = neutone_like::output_channels(config_);
    backend_ = &instances.front()->backend();
    const int longest_block = StreamPlan::make(config_, 0).longest_block;
    for (InstancePtr& instance : instances) {
        runners_.push_back(std::make_unique<Runner>(std::move(instance), config_, longest_block));
    }
    delay_ = runners_.front()->delay_samples();
    if (config_.instances > 1 && runners_.front()->has_engine_states()) {
        throw EngineError("instances: a model with state must be run in order, by 1 instance, got " +
                          std::to_string(config_.instances) + ".");
    }
    plan_ = StreamPlan::make(config_, delay_);
    for (Slot& slot : slots_) {
        slot.block.prepare(config_, plan_.longest_block, static_cast<int>(config_.parameters.size()));
    }
    for (size_t index = 0; index < parameters_.size(); ++index) {
        parameters_[index] = config_.parameters[index].default_0to1;
    }
    measure();
    plan_latency();
    prepare_queues();
    begin_stream();
}

// Runs a copy of the model, so that the first real block meets a state that nothing has touched.
void Session::measure() {
    std::unique_ptr<Runner> copy = runners_.front()->clone();
    Runner& runner = copy != nullptr ? *copy : *runners_.front();
    if (copy == nullptr && config_.max_inference_seconds <= 0.0) {
        try {
            runner.reset();
        } catch (const EngineError& error) {
            throw EngineError(std::string("The model can neither be copied nor reset, so that its time can't be "
                                          "measured without leaving traces. Give max_inference_seconds. ") +
                              error.what());
        }
    }
    std::exception_ptr failure;
    std::thread thread([&] {
        try {
            const FlushDenormals flush;
            if (pool_.realtime_priority) take_realtime_priority(kWorkerPriority);
            runner.thread_started();
            max_inference_seconds_ = measured_seconds(runner);
            if (copy == nullptr) runner.reset();
        } catch (...) {
            failure = std::current_exception();
        }
    });
    thread.join();
    if (failure != nullptr) std::rethrow_exception(failure);
    if (config_.max_inference_seconds > 0.0) max_inference_seconds_ = config_.max_inference_seconds;
}

double Session::measured_seconds(Runner& runner) const {
    constexpr int kWarmUp = 20;
    constexpr int kLeast = 10;
    constexpr int kMost = 300;
    constexpr uint64_t kBudgetNs = 400'000'000;

    ModelBlock block;
    const auto count = static_cast<int>(config_.parameters.size());
    block.prepare(config_, plan_.longest_block, count);
    ParameterTrack track;
    track.prepare(config_.parameters, config_.sample_rate, 1, 1, 0, 1, 1);
    uint32_t noise = 1;
    Histogram times;
    char message[1024];
    const bool any_size = config_.embedded || config_.model_block == 0;
    uint64_t start = now_ns();
    for (int run = -kWarmUp; run < kMost; ++run) {
        if (run == 0) start = now_ns();
        const bool enough = run >= 0 ? run >= kLeast : run >= kLeast - kWarmUp;
        if (enough && now_ns() - start > kBudgetNs) {
            if (run >= 0) break;
            run = -1;
            continue;
        }
        // With rates that differ, blocks of two lengths alternate.
        block.samples = plan_.longest_block - (any_size && plan_.resampling && plan_.longest_block > 1 ? run & 1 : 0);
        for (float& sample : block.input) {
            noise = noise * 1664525u + 1013904223u;
            sample = 0.1f * (static_cast<float>(noise >> 8) / 8388608.0f - 1.0f);
        }
        for (int index = 0; index < count; ++index) {
            const ParameterSpec& spec = config_.parameters[index];
            block.value_counts[index] = config_.embedded ? block.samples : track.value_count(index, block.samples);
            if (config_.embedded) {
                std::fill_n(block.values[index].data(), block.samples, spec.default_0to1);
            } else {
                track.read(index, 0, block.samples, 0, block.values[index].data());
            }
        }
        const RunResult result = runner.run(block, message, sizeof message);
        if (result.status != NL_OK) {
            throw EngineError(std::string("The model fails on a block of ") + std::to_string(block.samples) +
                              " samples of quiet noise: " + message);
        }
        if (run >= 0) times.add(result.nanoseconds);
    }
    return 1e-9 * static_cast<double>(times.percentile(0.999));
}

// worker_seconds = the blocks that one callback completes, in as many turns as they need + what the other sessions
// ask of each worker meanwhile + the time to wake one.
void Session::plan_latency() {
    constexpr double kWakeSeconds = 100e-6;
    const int64_t blocks =
        config_.embedded ? 1 : blocks_per_callback(config_.block_size, config_.model_block, plan_.up, plan_.down);
    const int64_t side_by_side = std::min(config_.instances, pool_.workers);
    const auto turns = static_cast<double>((blocks + side_by_side - 1) / side_by_side);
    callback_work_seconds_ = static_cast<double>(blocks) * max_inference_seconds_;
    if (config_.mode == Mode::async) {
        worker_seconds_ = turns * max_inference_seconds_ + pool_.load_seconds + kWakeSeconds;
        wait_varying_ = inference_wait_samples(worker_seconds_, config_.block_size, config_.sample_rate, true);
        wait_ = config_.varying_blocks
                    ? wait_varying_
                    : inference_wait_samples(worker_seconds_, config_.block_size, config_.sample_rate, false);
    }
}

void Session::prepare_queues() {
    front_.prepare(config_, plan_);
    back_.prepare(config_, plan_, delay_, output_channels_);
    const int64_t block = config_.block_size;
    const int64_t model_share = (plan_.longest_block + 1) * plan_.down / plan_.up + 1;
    const int64_t most_latency = plan_.latency_varying + wait_varying_;
    const auto queue = static_cast<int64_t>(config_.queue_seconds * config_.sample_rate);
    input_.prepare(config_.channels, queue + most_latency + 2 * block + model_share);
    // Blocks shorter than a quarter of the promised size may fill it sooner; that is noticed like a full queue.
    packets_.prepare(std::min<int64_t>(4 * input_.capacity() / block + 64, 1 << 17),
                     static_cast<int>(config_.parameters.size()));
    output_.prepare(output_channels_,
                    2 * most_latency + 4 * block + (static_cast<int64_t>(slots_.size()) + 2) * model_share);
    filler_.prepare(config_, output_channels_, most_latency);
}

void Session::begin_stream() noexcept {
    restart_wanted_ = false;
    restarting_ = false;
    varying_ = config_.varying_blocks;
    pushed_ = 0;
    read_ = 0;
    silence_ = wait_;
    lost_before_ = 0;
    reports_varying_ = varying_;
    latency_ = plan_.latency + wait_;
    filler_.start();
    published_ = back_.start(output_);
}

// ---- the audio thread

ProcessResult Session::process(const float* const* in, float* const* out, int samples) noexcept {
    if (closed_.load(std::memory_order_acquire)) return ProcessResult::closed;
    if (samples > config_.block_size || samples < 0) return ProcessResult::block_too_large;
    int expected = kFree;
    const bool owned = owner_.compare_exchange_strong(expected, kAudio, std::memory_order_acquire);
    if (!owned && expected == kAudio) return ProcessResult::two_threads;
    if (samples == 0) {
        if (owned) owner_.store(kFree, std::memory_order_release);
        return ProcessResult::ok;
    }
    const uint64_t start = now_ns();
    callbacks_.fetch_add(1, std::memory_order_relaxed);
    samples_.fetch_add(samples, std::memory_order_relaxed);
    if (!owned) {  // another thread resets or measures
        for (int channel = 0; channel < output_channels_; ++channel) std::fill_n(out[channel], samples, 0.0f);
        missing_.fetch_add(samples, std::memory_order_relaxed);
        underruns_.fetch_add(1, std::memory_order_relaxed);
        return ProcessResult::ok;
    }
    {
        const FlushDenormals flush;
        play(in, out, samples);
    }
    callback_time_.add(now_ns() - start);
    owner_.store(kFree, std::memory_order_release);
    return ProcessResult::ok;
}

void Session::play(const float* const* in, float* const* out, int samples) noexcept {
    filler_.hear(in, samples);
    const uint64_t missing_before = missing_.load(std::memory_order_relaxed);
    if (hung_.load(std::memory_order_relaxed)) {
        give_late(out, 0, samples, samples);
    } else if (is_restarting() || !push(in, samples)) {
        dropped_.fetch_add(samples, std::memory_order_relaxed);
        give_late(out, 0, samples, samples);
    } else {
        if (config_.mode == Mode::inline_) {
            while (work()) {
            }
        }
        deliver(out, samples);
    }
    if (missing_.load(std::memory_order_relaxed) != missing_before) underruns_.fetch_add(1, std::memory_order_relaxed);
}

// Hands a block to the workers; false when there is no room, which begins a restart.
bool Session::push(const float* const* in, int samples) noexcept {
    if (samples != config_.block_size && !varying_) notice_varying_blocks();
    const int64_t waiting = pushed_ - taken_.load(std::memory_order_acquire);
    if (!packets_.has_room() || waiting + samples > input_.capacity()) {
        restarting_ = true;
        restarts_.fetch_add(1, std::memory_order_relaxed);
        restart_wanted_.store(true, std::memory_order_release);
        if (pool_.wake) pool_.wake();
        return false;
    }
    input_.write(pushed_, in, 0, samples);
    float* values = packets_.next_values();
    for (size_t index = 0; index < parameters_.size(); ++index) {
        values[index] = parameters_[index].load(std::memory_order_relaxed);
    }
    const uint64_t now = now_ns();
    const auto grace = static_cast<uint64_t>(1e9 * static_cast<double>(wait_) / config_.sample_rate);
    packets_.push(Packet{samples, now}, now + grace);

    const int64_t before = model_samples(pushed_, plan_.up, plan_.down);
    pushed_ += samples;
    const int64_t after = model_samples(pushed_, plan_.up, plan_.down);
    const bool any_size = config_.embedded || config_.model_block == 0;
    if (any_size || after / config_.model_block != before / config_.model_block) {
        complete_.store(pushed_);
        if (config_.mode == Mode::async && pool_.wake) pool_.wake();
    }
    return true;
}

void Session::deliver(float* const* out, int samples) noexcept {
    const auto silent = static_cast<int>(std::min<int64_t>(silence_, samples));
    silence_ -= silent;
    if (silent > 0 && lost_before_ > 0) {
        give_late(out, 0, silent, samples);
    } else {
        for (int channel = 0; channel < output_channels_; ++channel) std::fill_n(out[channel], silent, 0.0f);
    }
    int done = silent;
    const auto lost = static_cast<int>(std::clamp<int64_t>(lost_before_ - read_, 0, samples - done));
    if (lost > 0) give_late(out, done, lost, samples);
    read_ += lost;
    done += lost;
    if (silence_ == 0 && read_ >= lost_before_) lost_before_ = 0;
    const int64_t there = published_.load(std::memory_order_acquire) - read_;
    const auto good = static_cast<int>(std::clamp<int64_t>(there, 0, samples - done));
    output_.read(read_, out, done, good);
    filler_.remember(out, done + good, good);
    done += good;
    if (done < samples) give_late(out, done, samples - done, samples);
    read_ += good + samples - done;
}

void Session::give_late(float* const* out, int offset, int samples, int block_samples) noexcept {
    filler_.fill(out, offset, samples, block_samples, latency_.load(std::memory_order_relaxed));
    missing_.fetch_add(samples, std::memory_order_relaxed);
}

// The host sent another size than it promised. From here on there is room for any: silence goes in once.
void Session::notice_varying_blocks() noexcept {
    varying_ = true;
    const int64_t wait_growth = wait_varying_ - wait_;
    const int64_t growth = plan_.latency_varying - plan_.latency + wait_growth;
    silence_ += config_.embedded ? wait_growth : growth;  // an embedded wrapper inserts its own
    inserted_.fetch_add(growth, std::memory_order_relaxed);
    latency_.fetch_add(growth);
    reports_varying_ = true;
}

// True until the workers have cleared everything after a full queue. Then the stream begins again, in line with the
// input; what its latency swallows is counted as missing.
bool Session::is_restarting() noexcept {
    if (!restarting_) return false;
    if (restart_wanted_.load(std::memory_order_acquire)) return true;
    restarting_ = false;
    pushed_ = 0;
    read_ = 0;
    const int64_t growth = config_.embedded ? 0 : plan_.latency_varying - plan_.latency;
    const bool grown = varying_ && !config_.varying_blocks;
    silence_ = grown ? wait_varying_ + growth : wait_;
    lost_before_ = std::max<int64_t>(plan_.latency, 1);
    return false;
}

// ---- the workers

uint64_t Session::next_deadline() const noexcept {
    if (closed_ || hung_ || pauses_ > 0) return kNothing;
    if (restart_wanted_) return has_running_slot() || front_busy_ || back_busy_ ? kNothing : 0;
    uint64_t earliest = kNothing;
    const uint64_t emptied = emptied_;
    const uint64_t filled = filled_;
    for (uint64_t sequence = emptied; sequence < filled; ++sequence) {
        const Slot& slot = slots_[sequence % slots_.size()];
        const int state = slot.state;
        const bool can_run = state == kReady;
        const bool can_empty = state == kDone && sequence == emptied && !back_busy_;
        if (can_run || can_empty) earliest = std::min(earliest, slot.deadline.load(std::memory_order_relaxed));
    }
    if (!front_busy_ && filled - emptied < slots_.size()) {
        if (leftover_) {
            earliest = std::min(earliest, leftover_deadline_.load(std::memory_order_relaxed));
        } else if (complete_ > taken_) {
            earliest = std::min(earliest, packets_.front_deadline());
        }
    }
    return earliest;
}

bool Session::work() noexcept {
    if (restart_wanted_) return restart();
    const bool filled = fill_slots();
    const bool ran = run_slot();
    const bool emptied = empty_slots();
    return filled || ran || emptied;
}

bool Session::fill_slots() noexcept {
    const TryFlag front(front_busy_);
    if (!front || pauses_ > 0 || restart_wanted_) return false;
    int count = 0;
    while (filled_ - emptied_ < slots_.size()) {
        Slot& slot = slots_[filled_ % slots_.size()];
        if (forget_past_.exchange(false)) front_.forget_past();
        const uint64_t deadline = leftover_ ? leftover_deadline_.load() : packets_.front_deadline();
        const bool complete = front_.next(packets_, input_, slot.block);
        taken_.store(front_.taken_position());
        leftover_deadline_ = deadline;
        leftover_ = front_.has_block();
        if (const uint64_t count_of_nan = front_.take_nonfinite_count(); count_of_nan > 0) {
            nonfinite_input_.fetch_add(count_of_nan, std::memory_order_relaxed);
        }
        if (!complete) break;
        slot.deadline.store(deadline, std::memory_order_relaxed);
        slot.state.store(kReady);
        filled_.fetch_add(1);
        if (++count > 1 && pool_.wake) pool_.wake();
    }
    return count > 0;
}

bool Session::run_slot() noexcept {
    for (uint64_t sequence = emptied_; sequence < filled_; ++sequence) {
        Slot& slot = slots_[sequence % slots_.size()];
        if (slot.state != kReady) continue;
        for (size_t index = 0; index < runners_.size(); ++index) {
            const TryFlag busy(runner_busy_[index]);
            if (!busy) continue;
            int expected = kReady;
            if (!slot.state.compare_exchange_strong(expected, kRunning)) break;
            if (pauses_ > 0) {
                slot.state.store(kReady);
                return false;
            }
            run_block(slot, *runners_[index]);
            if (!hung_) slot.state.store(kDone);
            return true;
        }
    }
    return false;
}

void Session::run_block(Slot& slot, Runner& runner) noexcept {
    char message[1024];
    const RunResult result = runner.run(slot.block, message, sizeof message);
    inference_time_.add_shared(result.nanoseconds);
    blocks_.fetch_add(1, std::memory_order_relaxed);
    nonfinite_.fetch_add(result.nonfinite_samples, std::memory_order_relaxed);
    if (result.status != NL_OK) {
        failed_.fetch_add(1, std::memory_order_relaxed);
        keep_error(message);
    }
    if (result.status != NL_OK || result.nonfinite_samples > 0) forget_past_ = true;
}

bool Session::empty_slots() noexcept {
    bool did = false;
    while (true) {
        Slot* next = &slots_[emptied_ % slots_.size()];
        if (pauses_ > 0 || emptied_ == filled_ || next->state != kDone) return did;
        const TryFlag back(back_busy_);
        if (!back) return did;  // its holder looks again after letting go
        next = &slots_[emptied_ % slots_.size()];
        if (pauses_ > 0 || restart_wanted_ || emptied_ == filled_ || next->state != kDone) return did;
        const int64_t position = published_.load(std::memory_order_relaxed);
        published_.store(position + back_.push(next->block, output_, position), std::memory_order_release);
        turnaround_time_.add_shared(now_ns() - next->block.pushed_ns);
        next->state.store(kEmpty);
        emptied_.fetch_add(1);
        did = true;
    }
}

bool Session::restart() noexcept {
    const TryFlag front(front_busy_);
    const TryFlag back(back_busy_);
    if (!front || !back) return false;
    pauses_.fetch_add(1);
    const bool free = !has_running_slot();
    if (free) {
        restart_stream();
        restart_wanted_.store(false, std::memory_order_release);
    }
    pauses_.fetch_sub(1);
    return free;
}

// Everything on the workers' side as new. The caller holds all of it.
void Session::restart_stream() noexcept {
    packets_.clear();
    complete_ = taken_ = 0;
    leftover_ = false;
    forget_past_ = false;
    for (Slot& slot : slots_) slot.state = kEmpty;
    filled_ = emptied_ = 0;
    front_.reset();
    for (const auto& runner : runners_) {
        try {
            runner->reset();
        } catch (const std::exception& error) {
            failed_.fetch_add(1, std::memory_order_relaxed);
            keep_error(error.what());
        }
    }
    published_.store(back_.start(output_), std::memory_order_release);
}

void Session::keep_error(const char* message) noexcept {
    try {
        const std::lock_guard lock(error_mutex_);
        last_error_ = message;
    } catch (const std::exception&) {
        // No memory for a message: the failure itself is counted.
    }
}

bool Session::has_running_slot() const noexcept {
    return std::any_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.state == kRunning; });
}

bool Session::is_idle() const noexcept {
    return !restart_wanted_ && !leftover_ && complete_ <= taken_ && filled_ == emptied_ && !front_busy_ && !back_busy_;
}

// ---- other threads

void Session::set_parameter_0to1(int index, float value) noexcept {
    parameters_[index].store(value, std::memory_order_relaxed);
}

float Session::parameter_0to1(int index) const noexcept {
    return parameters_[index].load(std::memory_order_relaxed);
}

void Session::reset() {
    const Control control(*this);
    restart_stream();
    begin_stream();
}

void Session::wait_idle() {
    while (!is_idle()) {
        if (closed_ || hung_) throw EngineError("The session was closed or given up while its work was waited for.");
        std::this_thread::sleep_for(kNap);
    }
}

void Session::close() noexcept {
    if (closed_.exchange(true)) return;
    if (pool_.closed) pool_.closed(this);
    while (owner_ == kAudio && !hung_) std::this_thread::sleep_for(kNap);
}

void Session::process_offline(const float* const* in, float* const* out, int64_t samples, const float* const* values) {
    const Control control(*this);
    const FlushDenormals flush;
    const int64_t block = config_.block_size;
    const int64_t latency = plan_.latency;
    const int64_t fed = (samples + latency + block - 1) / block * block;

    // What comes after the end: silence, and the last values.
    AudioBuffer automation;
    if (values != nullptr) {
        automation.prepare(static_cast<int>(parameters_.size()), fed);
        for (int index = 0; index < automation.channels(); ++index) {
            float* row = automation.channel(index);
            std::copy_n(values[index], samples, row);
            std::fill(row + samples, row + fed, samples > 0 ? values[index][samples - 1] : 0.0f);
        }
    }
    AudioBuffer piece;
    piece.prepare(config_.channels, block);
    restart_stream();
    begin_stream();
    front_.set_automation(values != nullptr ? automation.const_rows() : nullptr);
    int64_t position = 0;  // in the output stream
    for (int64_t start = 0; start < fed; start += block) {
        const int64_t given = std::clamp<int64_t>(samples - start, 0, block);
        for (int channel = 0; channel < config_.channels; ++channel) {
            float* row = piece.channel(channel);
            if (given > 0) std::copy_n(in[channel] + start, given, row);
            std::fill(row + given, row + block, 0.0f);
        }
        run_piece(piece, static_cast<int>(block));
        const int64_t first = std::max(position, latency);
        const int64_t last = std::min(start + block, samples + latency);
        if (last > first) output_.read(first, out, first - latency, last - first);
        position = start + block;
    }
    front_.set_automation(nullptr);
    restart_stream();
    begin_stream();
}

// One block through everything, on this thread, which holds all of it.
void Session::run_piece(AudioBuffer& piece, int samples) noexcept {
    input_.write(pushed_, piece.const_rows(), 0, samples);
    float* values = packets_.next_values();
    for (size_t index = 0; index < parameters_.size(); ++index) values[index] = parameters_[index];
    packets_.push(Packet{samples, now_ns()}, 0);
    pushed_ += samples;
    Slot& slot = slots_.front();
    while (front_.next(packets_, input_, slot.block)) {
        run_block(slot, *runners_.front());
        if (forget_past_.exchange(false)) front_.forget_past();
        const int64_t position = published_.load(std::memory_order_relaxed);
        published_.store(position + back_.push(slot.block, output_, position), std::memory_order_release);
    }
    nonfinite_input_.fetch_add(front_.take_nonfinite_count(), std::memory_order_relaxed);
}

LatencyParts Session::latency_parts() const noexcept {
    const bool varying = reports_varying_;
    LatencyParts parts = plan_.parts(config_, delay_, varying);
    const int64_t wait = varying ? wait_varying_ : wait_;
    parts.inference = static_cast<double>(wait);
    parts.total += wait;
    return parts;
}

SessionStats Session::stats() const {
    SessionStats stats;
    stats.callbacks = callbacks_;
    stats.samples = samples_;
    stats.underruns = underruns_;
    stats.missing_samples = missing_;
    stats.dropped_samples = dropped_;
    stats.restarts = restarts_;
    stats.inserted_silence_samples = inserted_;
    stats.nonfinite_samples = nonfinite_;
    stats.nonfinite_input_samples = nonfinite_input_;
    stats.failed_blocks = failed_;
    stats.model_blocks = blocks_;
    stats.hung = hung_;
    stats.max_inference_seconds = max_inference_seconds_;
    stats.worker_seconds = worker_seconds_;
    const std::lock_guard lock(error_mutex_);
    stats.last_error = last_error_;
    return stats;
}

}  // namespace neutone_like

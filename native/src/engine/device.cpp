#include "engine/device.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "engine/call_watch.hpp"
#include "engine/realtime_thread.hpp"
#include "signal/channels.hpp"

namespace neutone_like {

namespace {

// A checker of real-time safety, where one is loaded into the process, is told which part is the audio thread's.
struct SafetyChecker {
    using Mark = void (*)();
    Mark enter = reinterpret_cast<Mark>(dlsym(RTLD_DEFAULT, "neutone_like_rt_enter"));
    Mark leave = reinterpret_cast<Mark>(dlsym(RTLD_DEFAULT, "neutone_like_rt_leave"));
};

// All that the device does between callbacks: the next block's size, its input, parameters due.
class Player {
public:
    explicit Player(const DevicePlan& plan) : plan_(plan), config_(plan.session->config()), random_(plan.seed) {
        input_.prepare(config_.channels, config_.block_size);
        output_.prepare(plan.session->output_channels(), config_.block_size);
    }

    int next_block() {
        int samples = config_.block_size;
        if (plan_.vary_blocks) samples = std::uniform_int_distribution<int>(1, config_.block_size)(random_);
        for (int channel = 0; channel < config_.channels; ++channel) fill(input_.channel(channel), channel, samples);
        const std::vector<ParameterChange>& changes = plan_.changes;
        for (; change_ < changes.size() && changes[change_].sample < position_ + samples; ++change_) {
            plan_.session->set_parameter_0to1(changes[change_].index, changes[change_].value_0to1);
        }
        return samples;
    }

    double jitter_seconds() {
        if (plan_.jitter_seconds <= 0.0) return 0.0;
        return std::uniform_real_distribution<double>(0.0, plan_.jitter_seconds)(random_);
    }

    ProcessResult process(int samples) noexcept {
        return plan_.session->process_on_device(input_.const_rows(), output_.rows(), samples);
    }

    void keep(int samples, DeviceReport& report) {
        if (plan_.record_output) {
            for (int channel = 0; channel < output_.channels(); ++channel) {
                std::copy_n(output_.channel(channel), samples, report.output[channel].data() + position_);
            }
        }
        if (plan_.vary_blocks) report.block_sizes[report.callbacks] = samples;
        position_ += samples;
    }

    int64_t position() const noexcept { return position_; }

private:
    void fill(float* row, int channel, int samples) {
        if (plan_.input.empty()) {
            std::uniform_real_distribution<float> noise(-0.1f, 0.1f);
            for (int i = 0; i < samples; ++i) row[i] = noise(random_);
            return;
        }
        const std::vector<float>& source = plan_.input[channel];
        for (int i = 0; i < samples; ++i) row[i] = source[static_cast<size_t>(position_ + i) % source.size()];
    }

    const DevicePlan& plan_;
    const SessionConfig& config_;
    std::mt19937_64 random_;
    AudioBuffer input_;
    AudioBuffer output_;
    size_t change_ = 0;
    int64_t position_ = 0;
};

void sleep_until(uint64_t time_ns) noexcept {
    const timespec time{static_cast<time_t>(time_ns / 1'000'000'000u), static_cast<long>(time_ns % 1'000'000'000u)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr) != 0) {
    }
}

// Between callbacks that are far apart it looks now and then whether there will be another; false when not.
bool wait_until(uint64_t time_ns, const DevicePlan& plan, const DeviceProgress& progress) noexcept {
    constexpr uint64_t kLookNs = 50'000'000;
    const auto goes_on = [&] { return !progress.ends && !plan.session->is_closed(); };
    for (uint64_t now = now_ns(); time_ns > now + 2 * kLookNs && goes_on(); now = now_ns()) sleep_until(now + kLookNs);
    if (!goes_on()) return false;
    sleep_until(time_ns);
    return true;
}

// The stack that callbacks will use, so that none of them meets a page for the first time.
void touch_stack() noexcept {
    volatile char stack[64 * 1024];
    for (size_t i = 0; i < sizeof stack; i += 1024) stack[i] = 0;
}

}  // namespace

void check_plan(const DevicePlan& plan) {
    const SessionConfig& config = plan.session->config();
    if (plan.callbacks < 0)
        throw EngineError("callbacks must be at least 0, got " + std::to_string(plan.callbacks) + ".");
    if (plan.callbacks > std::numeric_limits<int64_t>::max() / config.block_size / 2) {
        throw EngineError("callbacks must be fewer than would outlast this clock, got " +
                          std::to_string(plan.callbacks) + ".");
    }
    const bool fits = plan.input.empty() ||
                      (static_cast<int>(plan.input.size()) == config.channels &&
                       std::all_of(plan.input.begin(), plan.input.end(), [](const auto& row) { return !row.empty(); }));
    if (!fits) {
        throw EngineError("The input must be empty or have " + std::to_string(config.channels) +
                          " channels of at least one sample, got " + std::to_string(plan.input.size()) + " channels.");
    }
    for (const ParameterChange& change : plan.changes) {
        if (change.index < 0 || change.index >= static_cast<int>(config.parameters.size())) {
            throw EngineError("A parameter change names parameter " + std::to_string(change.index) +
                              "; the session has " + std::to_string(config.parameters.size()) + ".");
        }
    }
}

DeviceReport run_device(const DevicePlan& plan, DeviceProgress& progress) {
    const SessionConfig& config = plan.session->config();
    DeviceReport report;
    report.callback_time = std::make_shared<Histogram>();
    report.wake_lateness = std::make_shared<Histogram>();
    if (plan.record_output) {
        report.output.assign(plan.session->output_channels(),
                             std::vector<float>(plan.callbacks * config.block_size, 0.0f));
    }
    if (plan.vary_blocks) report.block_sizes.assign(plan.callbacks, 0);
    const SafetyChecker checker;
    Player player(plan);
    const SessionStats before = plan.session->stats();
    progress.thread = this_thread();
    plan.session->thread_started();
    touch_stack();
    if (plan.realtime_priority) report.realtime_priority = take_realtime_priority(kDevicePriority);

    const double cpu_before = thread_cpu_seconds();
    const uint64_t start = now_ns() + 2'000'000 + static_cast<uint64_t>(1e9 * plan.start_delay_seconds);
    const auto due = [&](int64_t position) {  // in whole ns from the start, so that no rounding adds up
        return start + static_cast<uint64_t>(static_cast<__int128>(position) * 1'000'000'000 / config.sample_rate);
    };
    while (report.callbacks < plan.callbacks && !progress.ends) {
        const int samples = player.next_block();
        if (plan.paced) {
            const uint64_t wanted = due(player.position());
            if (!wait_until(wanted + static_cast<uint64_t>(1e9 * player.jitter_seconds()), plan, progress)) {
                if (plan.session->is_closed()) report.error = ProcessResult::closed;
                break;
            }
            const uint64_t woken = now_ns();
            report.wake_lateness->add(woken > wanted ? woken - wanted : 0);
        }
        const uint64_t begin = now_ns();
        progress.inside_since_ns.store(begin, std::memory_order_relaxed);
        if (checker.enter != nullptr) checker.enter();
        report.error = player.process(samples);
        if (checker.leave != nullptr) checker.leave();
        const uint64_t end = now_ns();
        progress.inside_since_ns.store(0, std::memory_order_relaxed);
        if (report.error != ProcessResult::ok) break;
        report.callback_time->add(end - begin);
        if (plan.paced && end > due(player.position() + samples)) ++report.deadline_misses;
        player.keep(samples, report);
        ++report.callbacks;
    }
    report.seconds = 1e-9 * static_cast<double>(std::max<uint64_t>(now_ns(), start + 1) - start);
    report.cpu_seconds = thread_cpu_seconds() - cpu_before;
    report.samples = player.position();
    for (auto& row : report.output) row.resize(report.samples);
    report.block_sizes.resize(plan.vary_blocks ? report.callbacks : 0);
    const SessionStats after = plan.session->stats();
    report.underruns = after.underruns - before.underruns;
    report.missing_samples = after.missing_samples - before.missing_samples;
    report.waits = after.waits - before.waits;
    report.waited_ns = after.waited_ns - before.waited_ns;
    return report;
}

}  // namespace neutone_like

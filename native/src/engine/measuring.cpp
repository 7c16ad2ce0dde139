#include "engine/measuring.hpp"

#include <algorithm>
#include <exception>
#include <string>
#include <thread>

#include "engine/realtime_thread.hpp"
#include "signal/histogram.hpp"
#include "signal/model_block.hpp"
#include "signal/parameter_track.hpp"

namespace neutone_like {

namespace {

constexpr int kWarmUps = 20;
constexpr int kLeastRuns = 10;
constexpr int kMostRuns = 300;
constexpr uint64_t kBudgetNs = 400'000'000;  // for warming up, and again for measuring

// Blocks of quiet noise as the stream will cut them, parameters at their defaults.
class Trial {
public:
    Trial(Runner& runner, const SessionConfig& config, const StreamPlan& plan, OpeningProgress& progress)
        : runner_(runner), config_(config), plan_(plan), progress_(progress) {
        block_.prepare(config, plan.longest_block, static_cast<int>(config.parameters.size()));
        track_.prepare(config.parameters, config.sample_rate, 1, 1, 0, 1, 1);
    }

    // Runs one block and returns its time in ns. The same seed gives the same block.
    uint64_t run(uint32_t seed, int samples) {
        fill(seed, samples);
        char message[1024];
        const RunResult result = progress_.call([&] { return runner_.run(block_, message, sizeof message); });
        if (result.status == NL_OK) return result.nanoseconds;
        throw EngineError("The model fails on a block of " + std::to_string(samples) +
                          " samples of quiet noise: " + message);
    }

    const std::vector<float>& output() const { return block_.output; }

private:
    void fill(uint32_t noise, int samples) {
        block_.samples = samples;
        for (float& sample : block_.input) {
            noise = noise * 1664525u + 1013904223u;
            sample = 0.1f * (static_cast<float>(noise >> 8) / 8388608.0f - 1.0f);
        }
        for (size_t index = 0; index < config_.parameters.size(); ++index) {
            const auto parameter = static_cast<int>(index);
            float* row = block_.values[index].data();
            block_.value_counts[index] = config_.embedded ? samples : track_.value_count(parameter, samples);
            if (config_.embedded) {
                std::fill_n(row, samples, config_.parameters[index].default_0to1);
            } else {
                track_.read(parameter, 0, samples, 0, row);
            }
        }
    }

    Runner& runner_;
    const SessionConfig& config_;
    const StreamPlan& plan_;
    OpeningProgress& progress_;
    ModelBlock block_;
    ParameterTrack track_;
};

struct Timing {
    double longest_seconds;  // 99.9th percentile
    double usual_seconds;    // median
};

// `shorter`: every second block is one sample shorter than `samples`.
Timing timed(Trial& trial, int samples, bool shorter) {
    const auto run = [&](int index) {
        return trial.run(static_cast<uint32_t>(index), samples - (shorter ? index & 1 : 0));
    };
    uint64_t start = now_ns();
    for (int index = 0; index < kWarmUps && (index < kLeastRuns || now_ns() - start < kBudgetNs); ++index) run(index);
    Histogram times;
    start = now_ns();
    for (int index = 0; index < kMostRuns && (index < kLeastRuns || now_ns() - start < kBudgetNs); ++index) {
        times.add(run(index));
    }
    return {1e-9 * static_cast<double>(times.percentile(0.999)), 1e-9 * static_cast<double>(times.percentile(0.5))};
}

double in_turns(int64_t blocks, int64_t side_by_side, double seconds) {
    return static_cast<double>((blocks + side_by_side - 1) / side_by_side) * seconds;
}

// What one callback asks for where no parameter moves.
MeasuredTimes times_from(double block_seconds, const SessionConfig& config, const StreamPlan& plan,
                         int64_t side_by_side) {
    const int64_t blocks =
        config.embedded ? 1 : blocks_per_callback(config.block_size, config.model_block, plan.up, plan.down);
    return {block_seconds, in_turns(blocks, side_by_side, block_seconds)};
}

// How many calls on the grid of moving parameters one callback can ask for.
int64_t most_pieces(const SessionConfig& config, const StreamPlan& plan) {
    const bool on_grid = !plan.resampling && !config.varying_blocks && config.block_size % kControlSamples == 0;
    return on_grid ? plan.longest_block / kControlSamples
                   : (plan.longest_block + 2 * (kControlSamples - 1)) / kControlSamples;
}

MeasuredTimes measured(Trial& trial, const SessionConfig& config, const StreamPlan& plan, int64_t side_by_side) {
    const bool any_size = config.embedded || config.model_block == 0;
    const bool two_lengths = any_size && plan.resampling && plan.longest_block > 1;
    MeasuredTimes times =
        times_from(timed(trial, plan.longest_block, two_lengths).longest_seconds, config, plan, side_by_side);
    const bool in_pieces = any_size && !config.embedded && plan.longest_block > kControlSamples &&
                           std::any_of(config.parameters.begin(), config.parameters.end(),
                                       [](const ParameterSpec& parameter) { return !parameter.per_sample; });
    if (in_pieces) {
        // One call may be as long as they get; that all of them are, in the same callback, is not to be feared.
        const Timing piece = timed(trial, kControlSamples, false);
        const int64_t turns = (most_pieces(config, plan) + side_by_side - 1) / side_by_side;
        const double moving = piece.longest_seconds + static_cast<double>(turns - 1) * piece.usual_seconds;
        times.callback_seconds = std::max(times.callback_seconds, moving);
    }
    return times;
}

void require_no_state(Trial& trial, int samples, int instances) {
    trial.run(1, samples);
    const std::vector<float> before = trial.output();
    trial.run(2, samples);
    trial.run(1, samples);
    if (before == trial.output()) return;
    throw EngineError(
        "instances: the output of this model depends on the blocks before, so that they must be run in "
        "order, by 1 instance, got " +
        std::to_string(instances) + ".");
}

// Whether the model itself may be measured, because a reset takes the traces away.
bool can_be_reset(Runner& runner, bool must, OpeningProgress& progress) {
    try {
        progress.call([&] { runner.reset(); });
        return true;
    } catch (const EngineError& error) {
        if (!must) return false;
        throw EngineError(std::string("The model can neither be copied nor reset, so that its time can't be measured "
                                      "without leaving traces. Give max_inference_seconds. ") +
                          error.what());
    }
}

}  // namespace

MeasuredTimes measure_inference(const std::vector<std::unique_ptr<Runner>>& runners, const SessionConfig& config,
                                const StreamPlan& plan, int workers, bool realtime_priority,
                                OpeningProgress& progress) {
    const std::unique_ptr<Runner> copy = progress.call([&] { return runners.front()->clone(); });
    Runner& runner = copy != nullptr ? *copy : *runners.front();
    const bool given = config.max_inference_seconds > 0.0;
    const int64_t side_by_side = std::min(config.instances, workers);
    MeasuredTimes times = times_from(config.max_inference_seconds, config, plan, side_by_side);
    if (copy == nullptr && !can_be_reset(runner, !given, progress)) return times;
    std::exception_ptr failure;
    std::thread thread([&] {
        try {
            const FlushDenormals flush;
            if (realtime_priority) take_realtime_priority(kWorkerPriority);
            runner.thread_started();
            Trial trial(runner, config, plan, progress);
            const MeasuredTimes found = measured(trial, config, plan, side_by_side);
            if (!given) times = found;
            if (config.instances > 1) require_no_state(trial, plan.longest_block, config.instances);
            if (copy == nullptr) progress.call([&] { runner.reset(); });
        } catch (...) {
            failure = std::current_exception();
        }
    });
    thread.join();
    if (failure != nullptr) std::rethrow_exception(failure);
    return times;
}

}  // namespace neutone_like

#include "measuring.hpp"

#include <algorithm>
#include <exception>
#include <string>
#include <thread>

#include "histogram.hpp"
#include "realtime_thread.hpp"

namespace neutone_like {

namespace {

constexpr int kWarmUps = 20;
constexpr int kLeastRuns = 10;
constexpr int kMostRuns = 300;
constexpr uint64_t kBudgetNs = 400'000'000;  // for warming up, and again for measuring

// Blocks of quiet noise as the stream will cut them, parameters at their defaults.
class Trial {
public:
    Trial(Runner& runner, const SessionConfig& config, const StreamPlan& plan)
        : runner_(runner), config_(config), plan_(plan) {
        block_.prepare(config, plan.longest_block, static_cast<int>(config.parameters.size()));
        track_.prepare(config.parameters, config.sample_rate, 1, 1, 0, 1, 1);
    }

    // Runs one block and returns its time in ns. The same seed gives the same block.
    uint64_t run(uint32_t seed, int samples) {
        fill(seed, samples);
        char message[1024];
        const RunResult result = runner_.run(block_, message, sizeof message);
        if (result.status == NL_OK) return result.nanoseconds;
        throw EngineError("The model fails on a block of " + std::to_string(samples) +
                          " samples of quiet noise: " + message);
    }

    // With rates that differ, a model of any size gets blocks of two lengths in turn.
    int samples_of(int run) const {
        const bool any_size = config_.embedded || config_.model_block == 0;
        const bool two_lengths = any_size && plan_.resampling && plan_.longest_block > 1;
        return plan_.longest_block - (two_lengths ? run & 1 : 0);
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
    ModelBlock block_;
    ParameterTrack track_;
};

double timed(Trial& trial) {
    uint64_t start = now_ns();
    for (int run = 0; run < kWarmUps && (run < kLeastRuns || now_ns() - start < kBudgetNs); ++run) {
        trial.run(static_cast<uint32_t>(run), trial.samples_of(run));
    }
    Histogram times;
    start = now_ns();
    for (int run = 0; run < kMostRuns && (run < kLeastRuns || now_ns() - start < kBudgetNs); ++run) {
        times.add(trial.run(static_cast<uint32_t>(run), trial.samples_of(run)));
    }
    return 1e-9 * static_cast<double>(times.percentile(0.999));
}

void require_no_state(Trial& trial, int instances) {
    const int samples = trial.samples_of(0);
    trial.run(1, samples);
    const std::vector<float> before = trial.output();
    trial.run(2, samples);
    trial.run(1, samples);
    if (before == trial.output()) return;
    throw EngineError("instances: the output of this model depends on the blocks before, so that they must be run in "
                      "order, by 1 instance, got " + std::to_string(instances) + ".");
}

// Whether the model itself may be measured, because a reset takes the traces away.
bool can_be_reset(Runner& runner, bool must) {
    try {
        runner.reset();
        return true;
    } catch (const EngineError& error) {
        if (!must) return false;
        throw EngineError(std::string("The model can neither be copied nor reset, so that its time can't be measured "
                                      "without leaving traces. Give max_inference_seconds. ") + error.what());
    }
}

}  // namespace

double measure_inference(const std::vector<std::unique_ptr<Runner>>& runners, const SessionConfig& config,
                         const StreamPlan& plan, bool realtime_priority) {
    const std::unique_ptr<Runner> copy = runners.front()->clone();
    Runner& runner = copy != nullptr ? *copy : *runners.front();
    const bool given = config.max_inference_seconds > 0.0;
    if (copy == nullptr && !can_be_reset(runner, !given)) return config.max_inference_seconds;
    double seconds = 0.0;
    std::exception_ptr failure;
    std::thread thread([&] {
        try {
            const FlushDenormals flush;
            if (realtime_priority) take_realtime_priority(kWorkerPriority);
            runner.thread_started();
            Trial trial(runner, config, plan);
            seconds = timed(trial);
            if (config.instances > 1) require_no_state(trial, config.instances);
            if (copy == nullptr) runner.reset();
        } catch (...) {
            failure = std::current_exception();
        }
    });
    thread.join();
    if (failure != nullptr) std::rethrow_exception(failure);
    return given ? config.max_inference_seconds : seconds;
}

}  // namespace neutone_like

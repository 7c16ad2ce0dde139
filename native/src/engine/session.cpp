// A session's life: what is settled before audio starts. Its audio thread, its workers and its control from other
// threads have files of their own.
#include "engine/session.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/measuring.hpp"
#include "engine/opening.hpp"

namespace neutone_like {

Session::Session(const SessionConfig& config, std::vector<InstancePtr> instances, PoolView pool, OpeningProgress& progress)
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
        runners_.push_back(progress.call([&] { return std::make_unique<Runner>(std::move(instance), config_, longest_block); }));
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
    plan_latency(progress);
    prepare_queues();
    begin_stream();
}

// worker_seconds = what one callback asks of one worker + what the other sessions ask of it meanwhile + the time to wake
// one.
void Session::plan_latency(OpeningProgress& progress) {
    const double wake_seconds = pool_.wake ? 100e-6 : 250e-6;  // until it is woken, or looks by itself
    const MeasuredTimes times = measure_inference(runners_, config_, plan_, pool_.workers, pool_.realtime_priority, progress);
    max_inference_seconds_ = times.block_seconds;
    callback_work_seconds_ = times.callback_seconds * std::min(config_.instances, pool_.workers);
    if (config_.mode == Mode::async) {
        worker_seconds_ = times.callback_seconds + pool_.load_seconds + wake_seconds;
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
    // The whole queue fits in blocks down to a quarter of the promised size. With shorter ones it is full sooner, but
    // what waits for its model block to be complete and for a worker that is in time fits in blocks of one sample.
    const int64_t in_time = model_share + wait_varying_ + 2 * block;
    packets_.prepare(std::max(std::min<int64_t>(4 * input_.capacity() / block + 64, 1 << 17), in_time),
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
    anew_ = false;
    lost_before_ = 0;
    reports_varying_ = varying_;
    latency_ = plan_.latency + wait_;
    filler_.start();
    published_ = back_.start(output_);
}

}  // namespace neutone_like

// Warms a model up and times it, without leaving a trace in it.
#pragma once

#include <memory>
#include <vector>

#include "engine/opening.hpp"
#include "engine/runner.hpp"
#include "signal/config.hpp"
#include "signal/plan.hpp"

namespace neutone_like {

struct MeasuredTimes {
    double block_seconds = 0.0;     // one model block at the size that will be used
    double callback_seconds = 0.0;  // all that one callback can ask of one worker after the other
};

// 99.9th percentiles, or what follows from the time of a block that the user gave. A callback completes up to `K`
// blocks, which `instances` workers share; a model of any block size is called more often while a parameter moves, for
// pieces of 32 samples, and it is the longer of the two that counts. Measured on a thread with the workers' settings and
// on a copy of the model, so that the first real block meets a warm model and a state that nothing has touched.
// Throws EngineError for a model that fails on quiet noise, that can be neither copied nor reset, or that is to run
// several blocks at once and whose output depends on the blocks before.
MeasuredTimes measure_inference(const std::vector<std::unique_ptr<Runner>>& runners, const SessionConfig& config,
                                const StreamPlan& plan, int workers, bool realtime_priority, OpeningProgress& progress);

}  // namespace neutone_like

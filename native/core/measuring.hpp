// Warms a model up and times it, without leaving a trace in it.
#pragma once

#include <memory>
#include <vector>

#include "config.hpp"
#include "runner.hpp"
#include "stream.hpp"

namespace neutone_like {

// The 99.9th percentile of one model block's time at the size that will be used, in seconds; where the user gave one,
// that. It is measured on a thread with the workers' settings and on a copy of the model, so that the first real block
// meets a warm model and a state that nothing has touched.
// Throws EngineError for a model that fails on quiet noise, that can be neither copied nor reset, or that is to run
// several blocks at once and whose output depends on the blocks before.
double measure_inference(const std::vector<std::unique_ptr<Runner>>& runners, const SessionConfig& config,
                         const StreamPlan& plan, bool realtime_priority);

}  // namespace neutone_like

// From a model's facts to how it is played for a host.
#pragma once

#include "model/model_facts.hpp"
#include "signal/config.hpp"

namespace neutone_like {

// To a configuration that has the host's side: the model's rate and block size for it, the filters between the rates, its
// parameters. Throws EngineError.
void adapt(SessionConfig& config, const ModelFacts& facts);

}  // namespace neutone_like

// From a model and a host to what the engine is told.
#pragma once

#include "model/model_facts.hpp"
#include "neutone_like/engine.h"
#include "signal/config.hpp"

namespace neutone_like {

// Chooses the model's rate and block size, designs the filters. Throws EngineError.
SessionConfig fit(const ModelFacts& facts, const nl_host& host);

}  // namespace neutone_like

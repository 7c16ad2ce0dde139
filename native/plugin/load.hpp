// Whether a model takes too much of a host's callback, found by playing it.
#pragma once

#include "loaded.hpp"

namespace neutone_like::plugin {

// Its slowest block of 64 samples takes more than a third of the time that they last, as neutone_like/plugin/load.py has it.
// Measured once for each model in a process: two instances of it have the same latency. Throws EngineError.
bool is_heavy(const Loaded& loaded);

}  // namespace neutone_like::plugin

// How a thread that waits for the engine is told to wait no longer.
#pragma once

#include <functional>

#include "signal/config.hpp"

namespace neutone_like {

// Asked every few milliseconds by whatever may take long, on the thread that waits: true ends it with Interrupted, and
// stays true. Empty: nobody interrupts.
using StopRequest = std::function<bool()>;

class Interrupted : public EngineError {
public:
    Interrupted() : EngineError("Interrupted.") {}
};

inline bool is_stopped(const StopRequest& stop) { return stop && stop(); }

}  // namespace neutone_like

// Backends that need nothing: for measuring the engine itself, and for proving what it does when a model misbehaves.
#pragma once

#include <string>
#include <vector>

#include "neutone_like/backend.h"

namespace neutone_like {

// "identity"  gives its input back.
// "one_pole"  y[n] = x[n] + 0.5 y[n-1] in each channel; its state is the engine's, as a tensor.
// "faults"    y[n] = x[n] + 0.5 x[n - look_behind] (with look-behind; else x[n]), scaled by its parameter "gain" where
//             it has one, and does what its options say:
//             stall_ms=30, stall_block=5, stall_count=1, stall_every=1   sleep in those blocks (counted from 0)
//             throw_block, wrong_size_block, nan_block=7                  fail there
//             hang_block=7, hang_seconds=3600                             do not return for so long
//             work_us=200                                                 busy for so long in every block
//             delay_samples=32                                            claims this delay, and has it (no look-behind)
// Throws EngineError, with the names there are, for any other.
const nl_backend* builtin_backend(const std::string& name);
std::vector<std::string> builtin_backend_names();

}  // namespace neutone_like

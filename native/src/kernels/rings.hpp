// The memory between blocks: what it holds at first, and how rings go on from one block to the next.
#pragma once

#include "kernels/instance.hpp"

namespace neutone_like::compiled {

// What states and rings hold before the first block; all of it was cleared. Rings begin at their first place.
void fill_states(Instance& instance) noexcept;

// For the present length.
void fit_rings(Instance& instance) noexcept;

// After a block. Operands in rings go with them.
void advance_rings(Instance& instance) noexcept;

}  // namespace neutone_like::compiled

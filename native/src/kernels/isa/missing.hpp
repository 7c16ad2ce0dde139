// A kernel that isn't there: no step that names it passes the reader.
#pragma once

#include "kernels/isa/vector.hpp"
#include "kernels/kernel.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

static Need missing_check(const Call&) { return {"a kernel that this player has", 0}; }
static void missing_run(const Call&) {}

constexpr Kernel missing_kernel(const char* name) { return {name, missing_check, missing_run}; }

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

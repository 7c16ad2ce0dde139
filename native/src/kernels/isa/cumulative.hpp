#pragma once

#include "kernels/isa/missing.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr Kernel cumulative_kernel = missing_kernel("cumulative");

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

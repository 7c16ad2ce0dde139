#pragma once

#include "kernels/isa/missing.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr Kernel depthwise_kernel = missing_kernel("depthwise");

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

#pragma once

#include "kernels/isa/missing.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr Kernel pointwise_kernel = missing_kernel("pointwise");

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

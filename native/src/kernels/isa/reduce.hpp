#pragma once

#include "kernels/isa/missing.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr Kernel reduce_kernel = missing_kernel("reduce");

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

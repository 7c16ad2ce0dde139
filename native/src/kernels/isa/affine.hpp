#pragma once

#include "kernels/isa/missing.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr Kernel affine_kernel = missing_kernel("affine");

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

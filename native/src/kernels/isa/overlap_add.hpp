#pragma once

#include "kernels/isa/missing.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr Kernel overlap_add_kernel = missing_kernel("overlap_add");

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

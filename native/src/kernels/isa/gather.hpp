#pragma once

#include "kernels/isa/missing.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr Kernel gather_kernel = missing_kernel("gather");

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

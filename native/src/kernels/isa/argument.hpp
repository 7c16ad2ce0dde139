#pragma once

#include "kernels/isa/missing.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr Kernel argument_kernel = missing_kernel("argument");

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

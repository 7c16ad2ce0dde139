#pragma once

#include "kernels/isa/missing.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr Kernel fourier_kernel = missing_kernel("fourier");

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

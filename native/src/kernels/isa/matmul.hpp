#pragma once

#include "kernels/isa/missing.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr Kernel matmul_kernel = missing_kernel("matmul");

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

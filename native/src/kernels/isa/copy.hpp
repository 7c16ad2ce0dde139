#pragma once

#include "kernels/isa/missing.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr Kernel copy_kernel = missing_kernel("copy");

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

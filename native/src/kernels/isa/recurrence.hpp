#pragma once

#include "kernels/isa/missing.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr Kernel recurrence_kernel = missing_kernel("recurrence");

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

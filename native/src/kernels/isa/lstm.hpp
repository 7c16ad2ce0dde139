#pragma once

#include "kernels/isa/missing.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr Kernel lstm_kernel = missing_kernel("lstm");

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

#pragma once

#include "kernels/isa/missing.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr Kernel gru_kernel = missing_kernel("gru");

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

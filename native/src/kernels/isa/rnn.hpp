#pragma once

#include "kernels/isa/missing.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr Kernel rnn_kernel = missing_kernel("rnn");

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

// The kernels for one instruction set, which the build names with NEUTONE_LIKE_KERNELS and turns on for this file.
#include "kernels/isa/affine.hpp"
#include "kernels/isa/argument.hpp"
#include "kernels/isa/copy.hpp"
#include "kernels/isa/cumulative.hpp"
#include "kernels/isa/depthwise.hpp"
#include "kernels/isa/fourier.hpp"
#include "kernels/isa/gather.hpp"
#include "kernels/isa/gru.hpp"
#include "kernels/isa/lstm.hpp"
#include "kernels/isa/matmul.hpp"
#include "kernels/isa/overlap_add.hpp"
#include "kernels/isa/pointwise.hpp"
#include "kernels/isa/recurrence.hpp"
#include "kernels/isa/reduce.hpp"
#include "kernels/isa/rnn.hpp"
#include "kernels/kernel_ids.hpp"

namespace neutone_like::compiled {

inline namespace NEUTONE_LIKE_KERNELS {

// In the order of kernel_ids.hpp.
constexpr Kernel kKernels[] = {copy_kernel,        pointwise_kernel,  affine_kernel,  depthwise_kernel,
                               matmul_kernel,      reduce_kernel,     lstm_kernel,    gru_kernel,
                               rnn_kernel,         fourier_kernel,    gather_kernel,  cumulative_kernel,
                               overlap_add_kernel, recurrence_kernel, argument_kernel};
static_assert(sizeof(kKernels) / sizeof(kKernels[0]) == kKernelCount);

#if defined(__AVX512F__)
constexpr KernelTable kTable = {"x86-64-v4", kKernels};
#elif defined(__AVX2__)
constexpr KernelTable kTable = {"x86-64-v3", kKernels};
#elif defined(__x86_64__) || defined(_M_X64)
constexpr KernelTable kTable = {"x86-64-v2", kKernels};
#elif defined(__aarch64__)
constexpr KernelTable kTable = {"neon", kKernels};
#elif defined(__wasm_simd128__)
constexpr KernelTable kTable = {"wasm-simd128", kKernels};
#else
constexpr KernelTable kTable = {"plain", kKernels};
#endif

}  // namespace NEUTONE_LIKE_KERNELS

#define NEUTONE_LIKE_JOIN(a, b) a##b
#define NEUTONE_LIKE_KERNELS_OF(set) NEUTONE_LIKE_JOIN(set, _kernels)
const KernelTable& NEUTONE_LIKE_KERNELS_OF(NEUTONE_LIKE_KERNELS)() noexcept { return kTable; }

}  // namespace neutone_like::compiled

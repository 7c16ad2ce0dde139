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

// A library for one model leaves out what its plan doesn't name: a bit for each kernel that is there.
#if !defined(NEUTONE_LIKE_USED_KERNELS)
#define NEUTONE_LIKE_USED_KERNELS 0xFFFFFFFF
#endif

inline Need left_out(const Call&) { return {"a library that has this kernel, which this one leaves out", 0}; }

constexpr Kernel used(KernelId id, const Kernel& kernel) {
    return ((NEUTONE_LIKE_USED_KERNELS >> id) & 1u) != 0 ? kernel : Kernel{kernel.name, left_out, nullptr};
}

extern const Kernel kKernels[kKernelCount];  // not of this file alone: choose.cpp mixes tables
constexpr Kernel kKernels[] = {
    used(kCopy, copy_kernel),
    used(kPointwise, pointwise_kernel),
    used(kAffine, affine_kernel),
    used(kDepthwise, depthwise_kernel),
    used(kMatmul, matmul_kernel),
    used(kReduce, reduce_kernel),
    used(kLstm, lstm_kernel),
    used(kGru, gru_kernel),
    used(kRnn, rnn_kernel),
    used(kFourier, fourier_kernel),
    used(kGather, gather_kernel),
    used(kCumulative, cumulative_kernel),
    used(kOverlapAdd, overlap_add_kernel),
    used(kRecurrence, recurrence_kernel),
    used(kArgument, argument_kernel),
};
static_assert(sizeof(kKernels) / sizeof(kKernels[0]) == kKernelCount);

#if defined(__AVX512BW__)
extern const Kernel kDotKernels[kRecurrentKernels];
constexpr Kernel kDotKernels[] = {
    used(kLstm, {"lstm", lstm_check<true>, lstm_run<true>}),
    used(kGru, {"gru", gru_check<true>, gru_run<true>}),
    used(kRnn, {"rnn", rnn_check<true>, rnn_run<true>}),
};
#endif

#if defined(__AVX512F__)
constexpr KernelTable kTable = {"x86-64-v4", kKernels};
#elif defined(__AVX2__)
constexpr KernelTable kTable = {"x86-64-v3", kKernels};
#elif defined(__x86_64__) || defined(_M_X64)
constexpr KernelTable kTable = {"x86-64-v2", kKernels};
#elif defined(__aarch64__)
constexpr KernelTable kTable = {"neon", kKernels};
#elif defined(__wasm_relaxed_simd__)
constexpr KernelTable kTable = {"wasm-relaxed-simd", kKernels};
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

// What a kernel is: a function that proves that a step's operands fit each other, and one that computes it.
//
// The reader calls `check` for every step and every block length that the plan takes, before anything is computed. By then
// each operand lies within its buffer (writes exactly, or with kPadded up to the next multiple of kVectorFloats; reads may
// run up to kVectorFloats - 1 elements beyond), so that `check` is about everything else: ranks, dimensions, types,
// whole numbers. `run` is only called with what passed, and trusts it.
//
// Freestanding: no heap, no C library, no exceptions. Each file in isa/ is compiled once for each instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/format.hpp"

namespace neutone_like::compiled {

struct Operand {
    void* data;  // null in `check`
    uint32_t type;
    uint32_t rank;
    uint32_t flags;
    bool writable;  // not a constant
    int32_t dims[kMaximumRank];
    int32_t strides[kMaximumRank];

    float* floats() const noexcept { return static_cast<float*>(data); }
    double* doubles() const noexcept { return static_cast<double*>(data); }
};

struct Call {
    const Operand* views;
    const int32_t* integers;
    uint32_t view_count;
    uint32_t integer_count;
    void* scratch;  // at a multiple of 64, as many bytes as `scratch_bytes` said; what it holds is lost between steps
};

// What a step needs, or why it can't be computed.
struct Need {
    const char* error;  // null when it can: "a weight for each output"
    uint64_t scratch_bytes;
};

struct Kernel {
    const char* name;
    Need (*check)(const Call& call);
    void (*run)(const Call& call);
};

// One table for each instruction set, in the order of kernel_ids.hpp.
struct KernelTable {
    const char* name;  // "x86-64-v3"
    const Kernel* kernels;
    const Kernel* recurrent =
        nullptr;  // where kLstm, kGru and kRnn are another table's, but for those whose weights are bytes
    const Kernel* of_bytes = nullptr;  // where those are others: kLstm, kGru, kRnn
};

const Kernel& kernel_of(const KernelTable& table, uint32_t id) noexcept;
const Kernel& kernel_of(const KernelTable& table, uint32_t id, const Call& call) noexcept;  // the one for this call

// On x86-64 there are sets for newer processors too, unless a build has one set for a processor that it knows.
#if (defined(__x86_64__) || defined(_M_X64)) && !defined(NEUTONE_LIKE_ONE_KERNEL_SET)
#define NEUTONE_LIKE_CHOOSES_KERNELS 1
#else
#define NEUTONE_LIKE_CHOOSES_KERNELS 0
#endif

const KernelTable& baseline_kernels() noexcept;  // x86-64-v2, NEON, wasm
#if NEUTONE_LIKE_CHOOSES_KERNELS
const KernelTable& v3_kernels() noexcept;
const KernelTable& v4_kernels() noexcept;
#endif

// The best that this processor has. `name`: one of them, null when it has no such one.
const KernelTable& best_kernels() noexcept;
const KernelTable* kernels_named(const char* name) noexcept;

}  // namespace neutone_like::compiled

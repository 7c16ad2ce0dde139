// A compiled model as it lies in a file that was read: pointers into the caller's bytes, which must stay as they are.
#pragma once

#include <cstdint>

#include "kernels/format.hpp"
#include "kernels/kernel.hpp"
#include "kernels/lengths.hpp"

namespace neutone_like::compiled {

constexpr uint64_t kAlignment = 64;                  // of a file's bytes, of an instance's, and of every buffer
constexpr uint32_t kMostOperands = 128;              // of one step
constexpr uint64_t kMostMemory = uint64_t{1} << 30;  // bytes: of a file, and of an instance

struct Image {
    const Facts* facts;
    const Buffer* buffers;
    const View* views;
    const Step* steps;
    const int32_t* integers;
    const unsigned char* constants;
    const char* metadata;      // UTF-8, without a terminating zero
    const float* test_vector;  // null: there is none
    uint64_t metadata_bytes;
    uint64_t constant_bytes;
    uint32_t buffer_count;
    uint32_t view_count;
    uint32_t step_count;
    uint32_t integer_count;

    const int32_t* rates;  // Hz, one of each plan in the file; null: there is one plan
    uint32_t plans;        // in the file, of which this is one

    Lengths lengths;
    const KernelTable* kernels;
    uint64_t scratch_bytes;  // the most that a step needs with these kernels
};

inline uint64_t element_bytes(uint32_t type) noexcept { return type == kFloat64 ? 8 : 4; }
inline uint64_t rounded_up(uint64_t bytes, uint64_t multiple) noexcept {
    return (bytes + multiple - 1) / multiple * multiple;
}

// How many of a ring's places the block may begin at, from `front` on.
inline int64_t places_of(const Buffer& ring) noexcept { return ring.length > 0 ? ring.length : 1; }

}  // namespace neutone_like::compiled

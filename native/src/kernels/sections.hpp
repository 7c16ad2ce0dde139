// The head of a file and the table of its parts.
#pragma once

#include <cstdint>

#include "kernels/format.hpp"
#include "kernels/proof.hpp"

namespace neutone_like::compiled {

constexpr uint32_t kKinds = kPacked + 1;
constexpr uint64_t kChecksumFrom = 16;  // Header::bytes

struct Found {
    const unsigned char* bytes;
    uint64_t count;
};

const char* name_of(uint32_t kind) noexcept;  // for messages

// Whether bytes can be a file at all, wherever they come from.
bool prove_place(const void* bytes, uint64_t count, Verdict& verdict) noexcept;

// Proves the head, and that all parts are known and lie within the file, of any version.
bool prove_parts(const unsigned char* bytes, uint64_t count, Verdict& verdict) noexcept;

// Proves the head of a file whose tables are not folded, and finds the parts of one plan and those of all: `found` has kKinds of them.
bool read_sections(const unsigned char* bytes, uint64_t count, uint32_t plan, Found* found, Verdict& verdict) noexcept;

}  // namespace neutone_like::compiled

// Proves a file before anything is computed: whatever `read_image` accepts can be played without a byte read or written
// that isn't the model's own. Nothing is thrown, and no memory taken.
#pragma once

#include <cstdint>

#include "kernels/image.hpp"

namespace neutone_like::compiled {

enum class Fault : uint32_t {
    none,
    no_model,   // not a compiled model at all
    too_new,    // of a later version
    damaged,    // cut short, or other bytes than were written
    bad_plan,   // whole, and yet nothing that can be played
    too_large,  // beyond the limits of image.hpp
};

struct Problem {
    Fault fault;
    char text[256];  // what was expected and what came, for a person
};

// How many bytes a file takes with its tables unfolded; 0 where they are not folded, and the file is read as it is. False:
// `problem` says why. `bytes` as for read_image.
bool unfolded_bytes(const void* bytes, uint64_t count, uint64_t& unfolded, Problem& problem) noexcept;

// Writes that many bytes to `target`, at a multiple of kAlignment, of a file that `unfolded_bytes` has accepted: a file that
// says the same, to be read in its place.
void unfold(const void* bytes, unsigned char* target) noexcept;

// Constants that were packed, in the caller's memory.
struct Unpacked {
    const unsigned char* bytes;  // at a multiple of kAlignment; null where there are none
    uint64_t count;
};

// How many bytes a file's constants take when they are unpacked, proved to be within it; 0 where they lie in the file as
// they are played. False: `problem` says why. `bytes` as for read_image.
bool unpacked_bytes(const void* bytes, uint64_t count, uint64_t& unpacked, Problem& problem) noexcept;

// Writes that many bytes to `target`, at a multiple of kAlignment, of a file that `unpacked_bytes` has accepted.
void unpack(const void* bytes, unsigned char* target) noexcept;

// `bytes` at a multiple of kAlignment; they must stay as long as the image is used, and not change. `kernels`: what it
// will be played with. `plan`: which of the file's, of which an image says how many there are. `unpacked`: what `unpack`
// made, which must stay as well. False: `problem` says why, and `image` is worth nothing.
bool read_image(const void* bytes, uint64_t count, const KernelTable& kernels, Image& image, Problem& problem,
                uint32_t plan = 0, Unpacked unpacked = {nullptr, 0}) noexcept;

}  // namespace neutone_like::compiled

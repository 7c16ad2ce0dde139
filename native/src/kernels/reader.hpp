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

// `bytes` at a multiple of kAlignment; they must stay as long as the image is used, and not change. `kernels`: what it
// will be played with. `plan`: which of the file's, of which an image says how many there are. False: `problem` says why,
// and `image` is worth nothing.
bool read_image(const void* bytes, uint64_t count, const KernelTable& kernels, Image& image, Problem& problem,
                uint32_t plan = 0) noexcept;

}  // namespace neutone_like::compiled

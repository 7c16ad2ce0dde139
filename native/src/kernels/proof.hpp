// The parts of a proof that a plan stays within its memory: see reader.hpp.
#pragma once

#include <cstdint>

#include "kernels/image.hpp"
#include "kernels/message.hpp"
#include "kernels/reader.hpp"

namespace neutone_like::compiled {

// Where a part that fails says so.
struct Verdict {
    explicit Verdict(Problem& told) noexcept : problem(told), message(told.text, sizeof told.text) {}

    // verdict.refuse(Fault::bad_plan) << "..." and return false.
    Message& refuse(Fault fault) noexcept {
        problem.fault = fault;
        return message;
    }

    Problem& problem;
    Message message;
};

// Each expects what the ones before it have proved.
bool prove_facts(const Image& image, Verdict& verdict) noexcept;
bool prove_buffers(const Image& image, uint64_t bytes_from_constants, Verdict& verdict) noexcept;
bool prove_views(const Image& image, Verdict& verdict) noexcept;
bool prove_ends(const Image& image, Verdict& verdict) noexcept;  // what the host's audio and parameters go to
bool prove_steps(Image& image, Verdict& verdict) noexcept;       // finds image.scratch_bytes

}  // namespace neutone_like::compiled

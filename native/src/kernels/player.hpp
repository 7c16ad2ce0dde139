// Plays an image that read_image has proved. Everything an instance needs lies in memory that the caller gives, once;
// processing takes none, waits for nothing, and calls no library. One thread at a time.
#pragma once

#include <cstdint>

#include "kernels/image.hpp"

namespace neutone_like::compiled {

struct Instance;

// How much memory an instance takes, at a multiple of kAlignment.
uint64_t instance_bytes(const Image& image) noexcept;

// Lives in `memory` until that is given up; the image must stay as long.
Instance* start(const Image& image, void* memory) noexcept;

// As if nothing had been played.
void reset(Instance& instance) noexcept;

// Both of the same image: `to` goes on from where `from` is.
void copy_state(Instance& to, const Instance& from) noexcept;

// Whether `samples` new ones can be cut into blocks that the plan takes.
bool takes(const Image& image, int64_t samples) noexcept;

// What is played at once: any number of samples that the plan takes.
struct Passage {
    int64_t samples;                   // new ones
    const float* const* audio_in;      // in_channels rows of look_behind + samples
    float* const* audio_out;           // out_channels rows of samples
    const float* const* parameters;    // one value, or one for each new sample
    const int32_t* parameter_lengths;  // 1, or samples
};

// False, and nothing is played, where the plan doesn't take so many samples.
bool process(Instance& instance, const Passage& passage) noexcept;

}  // namespace neutone_like::compiled

// A small plan, and what the reader of compiled models says of files.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "kernels/reader.hpp"
#include "plan_builder.hpp"
#include "plan_kernels.hpp"

using namespace plan;

// y[n] = x[n] + x[n - 3] in a ring of two channels, in blocks of 1..64.
inline Builder echo(int32_t length = 128) {
    Builder builder;
    builder.facts.in_channels = builder.facts.out_channels = 2;
    const uint32_t ring = builder.ring(2, 3, length, 64, samples());
    const uint32_t out = builder.memory(kArena, 128);
    const int32_t pitch = builder.buffers[ring].pitch;
    builder.view(ring, fixed(0), {fixed(2), samples()}, {pitch, 1});
    builder.facts.output = static_cast<int32_t>(builder.view(out, fixed(0), {fixed(2), samples()}, {64, 1}));
    builder.view(ring, fixed(0), {fixed(2), samples()}, {pitch, 1});
    builder.view(ring, fixed(-3), {fixed(2), samples()}, {pitch, 1});
    builder.step(kAddition, 3);
    return builder;
}

inline Problem read(const Bytes& bytes, uint64_t count) {
    Image image;
    Problem problem;
    const bool good = read_image(bytes.data(), count, simple_kernels(), image, problem);
    CHECK(good == (problem.fault == Fault::none));
    if (good) CHECK(image.scratch_bytes == 512);
    if (!good) CHECK(problem.text[0] != '\0');
    return problem;
}

inline Problem read(const Builder& builder) {
    const Bytes bytes = builder.file();
    return read(bytes, bytes.size());
}

inline void check_refused(Fault fault, const std::string& words, const Problem& problem) {
    CAPTURE(problem.text);
    CHECK(problem.fault == fault);
    CHECK(std::string(problem.text).find(words) != std::string::npos);
}

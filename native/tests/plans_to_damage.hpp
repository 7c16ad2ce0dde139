// Plans of our own whose files are damaged: rings and states, packed constants, recurrent weights of few bits.
#pragma once

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "kernels/kernel_ids.hpp"
#include "kernels/operations.hpp"
#include "unit/plan_builder.hpp"

namespace plan {

// Two rings, a state and copies between them.
inline Builder own_plan(int32_t granule, int32_t length) {
    Builder builder;
    builder.facts.granule = granule;
    builder.facts.parameters = 1;
    builder.facts.inputs = 2;
    const int32_t row = (granule + 15) / 16 * 16;
    const uint32_t ring = builder.ring(1, 20, length, granule, samples());
    const uint32_t moved = builder.ring(2, 3, 0, row, samples());
    const uint32_t state = builder.memory(kState, 16, kFloat64);
    const uint32_t out = builder.memory(kArena, 2 * row);
    const int32_t pitch = builder.buffers[moved].pitch;
    builder.view(ring, fixed(0), {fixed(1), samples()}, {0, 1});
    builder.view(out, fixed(row), {samples()}, {1}, kPadded);
    builder.facts.output = static_cast<int32_t>(builder.view(out, fixed(0), {fixed(1), samples()}, {0, 1}));
    builder.view(moved, fixed(0), {fixed(2), samples()}, {pitch, 1}, kPadded);
    builder.view(ring, fixed(-20), {fixed(2), samples()}, {10, 1});
    builder.step(kCopy, 2);
    builder.view(state, fixed(0), {fixed(2)}, {8});
    builder.view(moved, samples(-1), {fixed(2)}, {pitch});
    builder.step(kCopy, 2);
    builder.view(out, fixed(0), {samples()}, {1});
    builder.view(moved, fixed(-3), {samples()}, {1});
    builder.step(kCopy, 2);
    builder.constant({1.0f, 2.0f, 3.0f});
    builder.integers = {1, 2, 3, 4};
    return builder;
}

// With constants of each kind, which a step reads.
inline Bytes packed_plan() {
    Builder builder = own_plan(64, 80);
    const std::string numbers(256, '\x11');
    const std::vector<Packing> packings = {{kInt8, 2, 3, 4, 2, 0, 16, 0, 0},
                                           {kInt4, 1, 4, 4, 4, 2, 0, 128, 64},
                                           {kHalf, 1, 1, 5, 0, 0, 0, 192, 128},
                                           {kWhole, 1, 1, 8, 0, 1, 0, 256, 160}};
    builder.buffers.back().elements = 64;
    builder.view(static_cast<uint32_t>(builder.buffers.size()) - 2, fixed(0), {fixed(33)}, {1});
    builder.view(static_cast<uint32_t>(builder.buffers.size()) - 1, fixed(0), {fixed(33)}, {1});
    builder.step(kCopy, 2);
    return builder.packed_file(packings, numbers);
}

// A recurrent layer whose weights are bytes or halves, its units' and its inputs' in forms of their own.
inline Builder recurrent_plan(KernelId kernel, int32_t units, int32_t of_units, int32_t of_inputs) {
    const int32_t gates = kernel == kLstm ? 4 : kernel == kGru ? 3 : 1, padded = (units + 15) / 16 * 16;
    const int32_t columns = gates * padded, pitch = 64;
    std::mt19937 random(1);
    std::vector<float> weights;
    const auto add_matrix = [&](int32_t rows, int32_t form, int32_t group) {
        const int32_t even = (rows + 1) / 2 * 2, first = static_cast<int32_t>(weights.size());
        std::vector<uint16_t> halves(static_cast<size_t>(even * columns / (form == kByteWeights ? 2 : 1)));
        // Two bytes, or a normal half, of either sign.
        for (auto& each : halves)
            each = static_cast<uint16_t>((random() & 0x83ff) | (form == kByteWeights ? 0 : 0x2c00));
        if (form == kFloatWeights) {
            weights.resize(weights.size() + static_cast<size_t>(rows * columns), 0.01f);
            return;
        }
        weights.resize(weights.size() + halves.size() / 2);
        std::memcpy(weights.data() + first, halves.data(), halves.size() * 2);
        weights.resize(weights.size() + static_cast<size_t>((rows + group - 1) / group * columns), 0.001f);
    };
    const int32_t group = 8;
    add_matrix(units, of_units, group);
    add_matrix(1, of_inputs, group);
    weights.resize(weights.size() + static_cast<size_t>(kernel == kGru ? 4 * padded : columns), 0.1f);
    Builder builder;
    const uint32_t in = builder.memory(kArena, pitch), out = builder.memory(kArena, units * pitch);
    const uint32_t states[] = {builder.memory(kState, units), builder.memory(kState, units)};
    builder.view(in, fixed(0), {fixed(1), samples()}, {pitch, 1}, kPadded);
    builder.facts.output = static_cast<int32_t>(builder.view(out, fixed(0), {fixed(1), samples()}, {pitch, 1}));
    builder.view(out, fixed(0), {samples(), fixed(units)}, {1, pitch});
    builder.view(in, fixed(0), {samples(), fixed(1)}, {1, pitch});
    const uint32_t count = kernel == kLstm ? 2 : 1;
    for (uint32_t i = 0; i < count; ++i) builder.view(states[i], fixed(0), {fixed(units)}, {1});
    const int32_t numbers = static_cast<int32_t>(weights.size());
    builder.view(builder.constant(weights), fixed(0), {fixed(numbers)}, {1});
    if (kernel == kRnn) builder.integers.push_back(kTanh);
    builder.integers.insert(builder.integers.end(), {of_units, group, of_inputs, group});
    builder.step(kernel, count + 3, static_cast<uint32_t>(builder.integers.size()));
    return builder;
}

}  // namespace plan

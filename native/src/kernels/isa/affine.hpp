// kAffine: a product of a matrix and rows of time, with all that convolutions and linear layers need around it.
#pragma once

#include "kernels/isa/affine_large.hpp"
#include "kernels/isa/affine_values.hpp"
#include "kernels/isa/operands.hpp"
#include "kernels/isa/transpose.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

struct AffineShape {
    int32_t groups, outputs, samples, segments, addends, activation;
    int64_t rows;  // of all segments

    NEUTONE_LIKE_INLINE int64_t panels() const { return (int64_t{outputs} + 3) / 4; }
};

NEUTONE_LIKE_INLINE AffineShape affine_shape(const Call& call) {
    const Operand& out = call.views[0];
    AffineShape shape = {
        out.dims[0], out.dims[1], out.dims[2], call.integers[0], call.integers[1], call.integers[2], 0};
    for (int32_t s = 0; s < shape.segments; ++s) shape.rows += call.views[3 + s].dims[1];
    return shape;
}

// One value for the block, which belongs to what the sums begin with.
NEUTONE_LIKE_INLINE bool has_one_value(const Operand& operand) {
    return operand.strides[2] == 0 && operand.dims[2] > 1;
}

// What lies in another order is brought into rows of time first.
NEUTONE_LIKE_INLINE bool must_be_copied(const Operand& operand) {
    return !is_contiguous(operand) && operand.strides[2] != 0;
}

NEUTONE_LIKE_INLINE int64_t copied_elements(const Operand& operand) {
    return times(operand.dims[1], round_up(operand.dims[2], kVectorFloats));
}

// Where things are in the scratch memory.
struct AffineScratch {
    AffineRows *segments, *addends;
    float* bias;
    AffineRoom room;
    float* copies;
    int64_t bytes;  // but for the copies

    NEUTONE_LIKE_INLINE AffineScratch(void* memory, const AffineShape& shape) : bytes(0) {
        const auto take = [&](int64_t more) {
            void* here = static_cast<char*>(memory) + bytes;
            bytes += round_up(more, 64);
            return here;
        };
        const int64_t biases = 16 * shape.panels();
        segments = static_cast<AffineRows*>(take(shape.segments * int64_t{sizeof(AffineRows)}));
        addends = static_cast<AffineRows*>(take(shape.addends * int64_t{sizeof(AffineRows)}));
        bias = static_cast<float*>(take(biases));
        if (shape.outputs >= kLargeOutputs) {
            room.column = static_cast<float*>(take(kColumnCopy * 4));
            room.segments = static_cast<AffineRows*>(take(shape.segments * int64_t{sizeof(AffineRows)}));
            room.zeros = static_cast<float*>(take(biases));
            room.partial = static_cast<AffineRows*>(take(sizeof(AffineRows)));
        }
        copies = static_cast<float*>(take(0));
    }
};

static Need affine_check(const Call& call) {
    if (call.integer_count != 3) return {"three whole numbers: segments, addends and activation", 0};
    const int32_t segments = call.integers[0], addends = call.integers[1];
    if (segments < 1 || addends < 0 || 3 + int64_t{segments} + addends != call.view_count) {
        return {"as many operands as segments and addends", 0};
    }
    if (call.integers[2] < 0 || call.integers[2] >= kActivations) return {"a known activation", 0};
    const Operand& out = call.views[0];
    if (!out.writable || !are_floats(out, 3) || !is_contiguous(out)) return {"a result [groups, outputs, samples]", 0};
    const AffineShape shape = affine_shape(call);
    const int64_t panels = times(shape.groups, shape.panels());
    if (!is_array(call.views[1], times(times(panels, shape.rows), 4))) return {"a weight for each output and input", 0};
    if (!is_array(call.views[2], times(panels, 4))) return {"a bias for each output", 0};
    if (shape.rows > INT32_MAX) return {"fewer inputs", 0};
    int64_t bytes = AffineScratch(nullptr, shape).bytes;
    for (uint32_t i = 3; i < call.view_count; ++i) {
        const Operand& operand = call.views[i];
        if (!are_floats(operand, 3)) return {"inputs of rank 3, float32", 0};
        const bool is_segment = i < 3 + static_cast<uint32_t>(segments);
        if (operand.dims[0] != out.dims[0] || operand.dims[2] != out.dims[2] ||
            (!is_segment && operand.dims[1] != out.dims[1])) {
            return {"inputs and addends of the result's dimensions", 0};
        }
        if (!must_be_copied(operand)) continue;
        const int64_t elements = copied_elements(operand);
        if (elements < 0) return {"an input that isn't too large to be copied", 0};
        bytes += 4 * elements;
    }
    // A few samples: each input four times, and the sums of a few panels.
    if (shape.samples <= kFewSamples) bytes = 4 * (round_up(4 * shape.rows, kVectorFloats) + 4 * kPanelsAtOnce);
    return {nullptr, static_cast<uint64_t>(bytes)};
}

// One group's rows of an operand, written field by field: a copy would wait for all of them.
NEUTONE_LIKE_INLINE void set_rows(AffineRows& rows, const Operand& operand, int32_t group, ptrdiff_t weights,
                                  float*& copies) {
    const float* data = operand.floats() + group * static_cast<ptrdiff_t>(operand.strides[0]);
    rows.data = data;
    rows.stride = operand.strides[1];
    rows.weights = weights;
    rows.rows = operand.dims[1];
    if (must_be_copied(operand)) {
        rows.data = copies;
        rows.stride = round_up(operand.dims[2], kVectorFloats);
        to_rows_of_time(copies, rows.stride, data, operand.strides[1], operand.strides[2], rows.rows, operand.dims[2]);
        copies += rows.rows * rows.stride;
    }
}

// The parts of a block that are the same for all shapes.
NEUTONE_LIKE_INLINE AffineBlock block_of(const Call& call, const AffineShape& shape, int32_t group) {
    const Operand& out = call.views[0];
    AffineBlock block = {};
    block.out = out.floats() + group * static_cast<ptrdiff_t>(out.strides[0]);
    block.out_stride = out.strides[1];
    block.panel = 4 * static_cast<ptrdiff_t>(shape.rows);
    block.weights = call.views[1].floats() + group * static_cast<ptrdiff_t>(shape.panels()) * block.panel;
    block.bias = call.views[2].floats() + group * static_cast<ptrdiff_t>(shape.panels()) * 4;
    block.activation = shape.activation;
    block.lowest = lowest_of(shape.activation);
    block.outputs = shape.outputs;
    block.samples = shape.samples;
    block.is_padded = (out.flags & kPadded) != 0;
    return block;
}

// Adds the part of a segment that has one value for the block to the bias of all outputs.
static void add_values_to_bias(float* bias, const AffineBlock& block, const AffineRows& segment) {
    for (int32_t m = 0; m < block.outputs; m += 4, bias += 4) {
        const float *weights = block.weights + m / 4 * block.panel + segment.weights, *x = segment.data;
        for (int32_t row = 0; row < segment.rows; ++row, weights += 4, x += segment.stride) {
            for (int i = 0; i < 4; ++i) bias[i] += weights[i] * *x;
        }
    }
}

static void add_to_bias(float* bias, const AffineBlock& block, const AffineRows& addend) {
    for (int32_t m = 0; m < block.outputs; ++m) bias[m] += addend.data[m * addend.stride];
}

// The block's bias in memory that may be changed.
NEUTONE_LIKE_INLINE float* own_bias(AffineBlock& block, float* memory) {
    if (block.bias == memory) return memory;
    for (int32_t m = 0; m < block.outputs; m += 4) {
        for (int i = 0; i < 4; ++i) memory[m + i] = block.bias[m + i];
    }
    block.bias = memory;
    return memory;
}

static void affine_group(const Call& call, const AffineShape& shape, const AffineScratch& scratch, int32_t group) {
    AffineBlock block = block_of(call, shape, group);
    float* copies = scratch.copies;
    AffineRows *segments_end = scratch.segments, *addends_end = scratch.addends;
    ptrdiff_t weights = 0;
    for (int32_t s = 0; s < shape.segments; ++s) {
        const Operand& segment = call.views[3 + s];
        set_rows(*segments_end, segment, group, weights, copies);
        weights += 4 * static_cast<ptrdiff_t>(segment.dims[1]);
        if (has_one_value(segment)) {
            add_values_to_bias(own_bias(block, scratch.bias), block, *segments_end);
        } else {
            ++segments_end;
        }
    }
    for (int32_t a = 0; a < shape.addends; ++a) {
        const Operand& addend = call.views[3 + shape.segments + a];
        set_rows(*addends_end, addend, group, 0, copies);
        if (has_one_value(addend)) {
            add_to_bias(own_bias(block, scratch.bias), block, *addends_end);
        } else {
            ++addends_end;
        }
    }
    block.segments = scratch.segments;
    block.segments_end = segments_end;
    block.addends = scratch.addends;
    block.addends_end = addends_end;
    if (shape.outputs < kLargeOutputs) return affine_small(block);
    for (int64_t i = 0; i < 4 * shape.panels(); ++i) scratch.room.zeros[i] = 0.0f;
    affine_large(block, scratch.room);
}

// Sample `t` of a few.
static void affine_values(const Call& call, const AffineShape& shape, int32_t group, int32_t t) {
    const AffineBlock block = block_of(call, shape, group);
    float *values = static_cast<float*>(call.scratch), *next = values;
    for (int32_t s = 0; s < shape.segments; ++s) {
        const Operand& segment = call.views[3 + s];
        const float* x = segment.floats() + group * static_cast<ptrdiff_t>(segment.strides[0]) +
                         t * static_cast<ptrdiff_t>(segment.strides[2]);
        for (int32_t row = 0; row < segment.dims[1]; ++row, x += segment.strides[1], next += 4) {
            next[0] = next[1] = next[2] = next[3] = *x;
        }
    }
    float* sums = values + round_up(4 * shape.rows, kVectorFloats);
    const int32_t panels = static_cast<int32_t>(shape.panels());
    for (int32_t p = 0; p < panels; p += kPanelsAtOnce) {
        const float* weights = block.weights + p * block.panel;
        const int32_t left = panels - p;
        if (left >= kPanelsAtOnce) {
            sum_panels<kPanelsAtOnce>(sums, weights, block.panel, values);
        } else {
            for (int32_t i = 0; i < left; ++i)
                sum_panels<1>(sums + 4 * i, weights + i * block.panel, block.panel, values);
        }
        for (int32_t m = 4 * p; m < shape.outputs && m < 4 * (p + kPanelsAtOnce); ++m) {
            float sum = sums[m - 4 * p] + block.bias[m];
            for (int32_t a = 0; a < shape.addends; ++a) {
                const Operand& addend = call.views[3 + shape.segments + a];
                sum += addend.floats()[group * static_cast<ptrdiff_t>(addend.strides[0]) +
                                       m * static_cast<ptrdiff_t>(addend.strides[1]) +
                                       t * static_cast<ptrdiff_t>(addend.strides[2])];
            }
            block.out[m * block.out_stride + t] = activate_as(shape.activation, splat(sum))[0];
        }
    }
}

static void affine_run(const Call& call) {
    const AffineShape shape = affine_shape(call);
    const AffineScratch scratch(call.scratch, shape);
    for (int32_t g = 0; g < shape.groups; ++g) {
        if (shape.samples <= kFewSamples) {
            for (int32_t t = 0; t < shape.samples; ++t) affine_values(call, shape, g, t);
        } else {
            affine_group(call, shape, scratch, g);
        }
    }
}

constexpr Kernel affine_kernel = {"affine", affine_check, affine_run};

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

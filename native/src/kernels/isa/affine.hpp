// kAffine: a product of a matrix and rows of time, with all that convolutions and linear layers need around it.
#pragma once

#include "kernels/isa/affine_tile.hpp"
#include "kernels/isa/operands.hpp"
#include "kernels/isa/transpose.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

// As many vectors of time by as many rows as there are registers for the sums, the inputs and a weight. Fewer vectors leave
// room for more rows: the sums must be many enough for the processor not to wait for one before it adds to it again.
#if defined(__AVX2__) && !defined(__AVX512F__)
constexpr int kMostVectors = 3;
#else
constexpr int kMostVectors = kRegisters == 32 ? 4 : 2;
#endif
constexpr int most_rows(int vectors) {
    if (vectors == 1) return kRegisters == 32 ? 16 : 8;
    return kRegisters == 32 && vectors <= 3 ? 8 : 4;
}

// Of the inputs so many rows at a time that those of one tile stay in the nearest cache; of the outputs so many that their
// weights stay in the second.
constexpr int32_t kRowsInCache = 256;
constexpr int32_t kOutputsInCache = 128;

struct AffineShape {
    int32_t groups, outputs, samples, segments, addends;
    int64_t rows;  // of all segments
};

NEUTONE_LIKE_INLINE AffineShape affine_shape(const Call& call) {
    const Operand& out = call.views[0];
    AffineShape shape = {out.dims[0], out.dims[1], out.dims[2], call.integers[0], call.integers[1], 0};
    for (int32_t s = 0; s < shape.segments; ++s) shape.rows += call.views[3 + s].dims[1];
    return shape;
}

NEUTONE_LIKE_INLINE bool has_one_value(const Operand& operand) {
    return operand.strides[2] == 0 || operand.dims[2] <= 1;
}

// Inputs that lie in another order than along time are brought into it first.
NEUTONE_LIKE_INLINE bool must_be_copied(const Operand& operand) {
    return !has_one_value(operand) && operand.strides[2] != 1;
}

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
    const int64_t panels = times(shape.groups, (int64_t{shape.outputs} + 3) / 4);
    if (!is_array(call.views[1], times(times(panels, shape.rows), 4))) return {"a weight for each output and input", 0};
    if (!is_array(call.views[2], times(panels, 4))) return {"a bias for each output", 0};
    uint64_t bytes = round_up(int64_t{sizeof(AffineRows)} * (call.view_count - 3), 64);
    for (uint32_t i = 3; i < call.view_count; ++i) {
        const Operand& operand = call.views[i];
        if (!are_floats(operand, 3)) return {"inputs of rank 3, float32", 0};
        const bool is_segment = i < 3 + static_cast<uint32_t>(segments);
        if (operand.dims[0] != out.dims[0] || operand.dims[2] != out.dims[2] ||
            (!is_segment && operand.dims[1] != out.dims[1])) {
            return {"inputs and addends of the result's dimensions", 0};
        }
        if (!must_be_copied(operand)) continue;
        const int64_t elements = times(operand.dims[1], round_up(shape.samples, kVectorFloats));
        if (elements < 0) return {"an input that isn't too large to be copied", 0};
        bytes += 4 * static_cast<uint64_t>(elements);
    }
    return {nullptr, bytes};
}

// One group's rows of an operand; what must be copied goes to `copies`.
NEUTONE_LIKE_INLINE AffineRows rows_of(const Operand& operand, int32_t group, float*& copies) {
    const float* data = operand.floats() + group * static_cast<ptrdiff_t>(operand.strides[0]);
    AffineRows rows = {data, operand.strides[1], operand.dims[1], has_one_value(operand)};
    if (must_be_copied(operand)) {
        const ptrdiff_t stride = round_up(operand.dims[2], kVectorFloats);
        to_rows_of_time(copies, stride, data, rows.stride, operand.strides[2], rows.rows, operand.dims[2]);
        rows.data = copies;
        rows.stride = stride;
        copies += rows.rows * stride;
    }
    return rows;
}

template <int kRows, int kVectors>
NEUTONE_LIKE_INLINE int32_t affine_tiles(const AffineBlock& block, int32_t t, int32_t m, int32_t end, int32_t lanes) {
    if constexpr (kRows <= most_rows(kVectors)) {
        for (; m + kRows <= end; m += kRows) affine_tile<kRows, kVectors>(block, t, m, lanes);
    }
    return m;
}

// Outputs `first` to `end` for kVectors vectors of time.
template <int kVectors>
NEUTONE_LIKE_INLINE void affine_column(const AffineBlock& block, int32_t t, int32_t first, int32_t end, int32_t lanes) {
    int32_t m = affine_tiles<16, kVectors>(block, t, first, end, lanes);
    m = affine_tiles<8, kVectors>(block, t, m, end, lanes);
    m = affine_tiles<4, kVectors>(block, t, m, end, lanes);
    if (end - m == 3) affine_tile<3, kVectors>(block, t, m, lanes);
    if (end - m == 2) affine_tile<2, kVectors>(block, t, m, lanes);
    if (end - m == 1) affine_tile<1, kVectors>(block, t, m, lanes);
}

// Outputs `first` to `end` for all of the time, in columns of as even a width as there may be.
static void affine_outputs(const AffineBlock& block, int32_t samples, bool is_padded, int32_t first, int32_t end) {
    const int32_t vectors = (samples + kLanes - 1) / kLanes;
    int32_t columns = (vectors + kMostVectors - 1) / kMostVectors;
    for (int32_t done = 0; columns > 0; --columns) {
        const int32_t width = (vectors - done + columns - 1) / columns, t = done * kLanes;
        const bool is_whole = is_padded || columns > 1 || samples % kLanes == 0;
        const int32_t lanes = is_whole ? kLanes : samples % kLanes;
        if (width == 1) affine_column<1>(block, t, first, end, lanes);
        if (width == 2) affine_column<2>(block, t, first, end, lanes);
        if constexpr (kMostVectors > 2) {
            if (width == 3) affine_column<3>(block, t, first, end, lanes);
        }
        if constexpr (kMostVectors > 3) {
            if (width == 4) affine_column<4>(block, t, first, end, lanes);
        }
        done += width;
    }
}

// All of one group, in pieces that fit the caches.
NEUTONE_LIKE_INLINE void affine_group(AffineBlock block, const AffineShape& shape, bool is_padded) {
    const float* weights = block.weights;
    int64_t pieces = (shape.rows + kRowsInCache - 1) / kRowsInCache;
    if (pieces == 0) pieces = 1;
    const int64_t most = (shape.rows + pieces - 1) / pieces;
    block.row = 0;
    for (int64_t done = 0; pieces > 0; --pieces) {
        const int64_t left = shape.rows - done;
        block.rows = static_cast<int32_t>(left < most ? left : most);
        block.weights = weights + 4 * done;
        block.is_first = done == 0;
        block.is_last = block.rows == left;
        for (int32_t m = 0; m < shape.outputs; m += kOutputsInCache) {
            const int32_t end = shape.outputs - m < kOutputsInCache ? shape.outputs : m + kOutputsInCache;
            affine_outputs(block, shape.samples, is_padded, m, end);
        }
        if (block.is_last) return;
        done += block.rows;
        for (block.row += block.rows; block.row >= block.segment->rows; ++block.segment) {
            block.row -= block.segment->rows;
        }
    }
}

static void affine_run(const Call& call) {
    const AffineShape shape = affine_shape(call);
    const Operand& out = call.views[0];
    const int32_t inputs = shape.segments + shape.addends;
    AffineRows* rows = static_cast<AffineRows*>(call.scratch);
    float* copies_begin =
        reinterpret_cast<float*>(static_cast<char*>(call.scratch) + round_up(int64_t{sizeof(AffineRows)} * inputs, 64));
    const ptrdiff_t panels = (ptrdiff_t{shape.outputs} + 3) / 4;
    for (int32_t g = 0; g < shape.groups; ++g) {
        float* copies = copies_begin;
        for (int32_t i = 0; i < inputs; ++i) rows[i] = rows_of(call.views[3 + i], g, copies);
        AffineBlock block;
        block.out = out.floats() + g * static_cast<ptrdiff_t>(out.strides[0]);
        block.out_stride = out.strides[1];
        block.panel = 4 * static_cast<ptrdiff_t>(shape.rows);
        block.weights = call.views[1].floats() + g * panels * block.panel;
        block.bias = call.views[2].floats() + g * panels * 4;
        block.segment = rows;
        block.addends = rows + shape.segments;
        block.addend_count = shape.addends;
        block.activation = call.integers[2];
        affine_group(block, shape, (out.flags & kPadded) != 0);
    }
}

constexpr Kernel affine_kernel = {"affine", affine_check, affine_run};

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

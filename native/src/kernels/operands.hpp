// A view as a kernel is given it, for the shortest block that the plan takes.
#pragma once

#include "kernels/image.hpp"

namespace neutone_like::compiled {

// Calls growing(int32_t& dimension, Line) for each dimension that depends on the block. Its data stays to be found.
template <typename Growing>
void make_operand(const Image& image, const View& view, Operand& operand, Growing growing) noexcept {
    const Buffer& buffer = image.buffers[view.buffer];
    operand.data = nullptr;
    operand.type = buffer.type;
    operand.rank = view.rank;
    operand.flags = view.flags;
    operand.writable = buffer.kind != kConstant;
    for (uint32_t dim = 0; dim < kMaximumRank; ++dim) {
        Line line{1, 0};
        if (dim < view.rank) line_of(view.dims[dim], image.lengths, line);
        operand.dims[dim] = static_cast<int32_t>(line.first);
        operand.strides[dim] = dim < view.rank ? view.strides[dim] : 0;
        if (line.step != 0 && image.lengths.count > 1) growing(operand.dims[dim], line);
    }
}

}  // namespace neutone_like::compiled

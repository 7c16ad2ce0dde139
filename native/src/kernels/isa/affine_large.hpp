// Products of many outputs, in pieces that fit the caches: some rows of the inputs, times some of the outputs, times a column
// of time. The inputs of a column are copied together first: rows that are far apart share few of a cache's places, and
// each is read once for every four outputs.
#pragma once

#include "kernels/isa/affine_block.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr int32_t kLargeOutputs = 64;
constexpr int32_t kColumnSamples = kMostVectors * kLanes;
constexpr int32_t kPieceRows =
    96 * 1024 / (kColumnSamples * 4);   // of the inputs: those of a column fit the second cache
constexpr int32_t kPieceOutputs = 128;  // whose weights do so too
constexpr int64_t kColumnCopy = int64_t{kPieceRows} * kColumnSamples;

// Room for what is copied.
struct AffineRoom {
    float* column;         // kColumnCopy
    AffineRows* segments;  // as many as there are
    float* zeros;          // as many as there are biases
    AffineRows* partial;   // one: what there is of the result
};

// So many rows from a row of a segment on.
struct AffinePiece {
    const AffineRows* segment;
    int32_t row, rows;
};

NEUTONE_LIKE_INLINE AffinePiece next_piece(AffinePiece piece, const AffineRows* end) {
    int32_t left = piece.rows;
    for (; piece.segment != end && piece.row + left >= piece.segment->rows; ++piece.segment, piece.row = 0) {
        left -= piece.segment->rows - piece.row;
    }
    piece.row += left;
    piece.rows = 0;
    for (const AffineRows* segment = piece.segment; segment != end && piece.rows < kPieceRows; ++segment) {
        piece.rows += segment->rows - (segment == piece.segment ? piece.row : 0);
    }
    if (piece.rows > kPieceRows) piece.rows = kPieceRows;
    return piece;
}

// Copies a column of a piece; returns the end of its segments, of which there are fewer where their weights follow each
// other.
NEUTONE_LIKE_INLINE AffineRows* copy_column(AffinePiece piece, int32_t t, int32_t width, const AffineRoom& room) {
    float* to = room.column;
    AffineRows* last = room.segments - 1;
    for (int32_t left = piece.rows; left > 0; ++piece.segment, piece.row = 0) {
        const AffineRows& from = *piece.segment;
        const int32_t rows = from.rows - piece.row < left ? from.rows - piece.row : left;
        const ptrdiff_t weights = from.weights + 4 * static_cast<ptrdiff_t>(piece.row);
        if (last < room.segments || last->weights + 4 * static_cast<ptrdiff_t>(last->rows) != weights) {
            *++last = {to - t, width, weights, 0};  // found at t, as everything else
        }
        last->rows += rows;
        left -= rows;
        const float* row = from.data + piece.row * from.stride + t;
        for (int32_t i = 0; i < rows; ++i, row += from.stride, to += width) {
            for (int32_t j = 0; j < width; j += kLanes) store(to + j, load(row + j));
        }
    }
    return last + 1;
}

// One piece of the inputs times outputs `first` to `end`.
NEUTONE_LIKE_INLINE void multiply_piece(AffineBlock block, const AffinePiece& piece, const AffineRoom& room,
                                        int32_t first, int32_t end) {
    block.segments = room.segments;
    int32_t vectors = (block.samples + kLanes - 1) / kLanes;
    for (int32_t t = 0, width; vectors > 0; vectors -= width, t += width * kLanes) {
        width = column_width(vectors, kMostVectors);
        block.segments_end = copy_column(piece, t, width * kLanes, room);
        affine_column_at(block, t, first, end, width, width == vectors);
    }
}

// `block` as it is for all of the inputs at once.
static void affine_large(AffineBlock block, const AffineRoom& room) {
    const AffineRows* end = block.segments_end;
    const int32_t activation = block.activation;
    *room.partial = {block.out, block.out_stride, 0, block.outputs};
    AffinePiece piece = next_piece({block.segments, 0, 0}, end), following;
    for (;; piece = following) {
        following = next_piece(piece, end);
        block.activation = following.rows == 0 ? activation : kNone;
        block.lowest = lowest_of(block.activation);
        for (int32_t m = 0; m < block.outputs; m += kPieceOutputs) {
            multiply_piece(block, piece, room, m,
                           block.outputs - m < kPieceOutputs ? block.outputs : m + kPieceOutputs);
        }
        if (following.rows == 0) return;
        // From now on sums begin with what there is of them.
        block.bias = room.zeros;
        block.addends = room.partial;
        block.addends_end = room.partial + 1;
    }
}

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

// Loops over all dimensions of several operands at once.
#pragma once

#include "kernels/isa/rows.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

// One loop over operands of the same dimensions: those of a single element are left out, the leading operand's strides
// descend, and what lies in one piece everywhere is one dimension. There are always two at least: rows and columns.
template <int kMost>
struct Grid {
    int rank = 0;
    int operands = 0;
    int leader = 0;
    int64_t dims[kMaximumRank + 2];
    int64_t strides[kMost][kMaximumRank + 2];

    int64_t rows() const { return dims[rank - 2]; }
    int64_t columns() const { return dims[rank - 1]; }
    int64_t row_stride(int operand) const { return strides[operand][rank - 2]; }
    int64_t column_stride(int operand) const { return strides[operand][rank - 1]; }
};

NEUTONE_LIKE_INLINE int64_t magnitude(int64_t stride) { return stride < 0 ? -stride : stride; }

template <int kMost>
NEUTONE_LIKE_INLINE void move_dimension(Grid<kMost>& grid, int from, int to) {
    grid.dims[to] = grid.dims[from];
    for (int v = 0; v < grid.operands; ++v) grid.strides[v][to] = grid.strides[v][from];
}

template <int kMost>
NEUTONE_LIKE_INLINE bool goes_on(const Grid<kMost>& grid, int outer, int inner) {
    for (int v = 0; v < grid.operands; ++v)
        if (grid.strides[v][outer] != grid.strides[v][inner] * grid.dims[inner]) return false;
    return true;
}

template <int kMost>
NEUTONE_LIKE_INLINE void insert_dimension(Grid<kMost>& grid, const Operand* views, uint32_t dimension) {
    int place = grid.rank++;
    const int64_t key = magnitude(views[grid.leader].strides[dimension]);
    for (; place > 0 && magnitude(grid.strides[grid.leader][place - 1]) < key; --place)
        move_dimension(grid, place - 1, place);
    grid.dims[place] = views[0].dims[dimension];
    for (int v = 0; v < grid.operands; ++v) grid.strides[v][place] = views[v].strides[dimension];
}

template <int kMost>
void make_grid(Grid<kMost>& grid, const Operand* views, int operands, int leader = 0) {
    grid.rank = 0;
    grid.leader = leader;
    grid.operands = operands;
    for (uint32_t d = 0; d < views[0].rank; ++d)
        if (views[0].dims[d] != 1) insert_dimension(grid, views, d);
    for (int d = grid.rank - 2; d >= 0; --d) {
        if (!goes_on(grid, d, d + 1)) continue;
        const int64_t inner = grid.dims[d + 1];
        for (int v = 0; v < operands; ++v) grid.strides[v][d] = grid.strides[v][d + 1];
        grid.dims[d] *= inner;
        for (int e = d + 1; e + 1 < grid.rank; ++e) move_dimension(grid, e + 1, e);
        --grid.rank;
    }
    for (; grid.rank < 2; ++grid.rank) {
        for (int d = grid.rank; d > 0; --d) move_dimension(grid, d - 1, d);
        grid.dims[0] = 1;
        for (int v = 0; v < operands; ++v) grid.strides[v][0] = 0;
    }
}

// Where each operand's rows-and-columns begin, one after the other over all dimensions but the last two.
template <int kMost>
struct Walk {
    const Grid<kMost>& grid;
    int64_t index[kMaximumRank + 2];
    int64_t offsets[kMost];

    explicit Walk(const Grid<kMost>& over) : grid(over) {
        for (int d = 0; d < grid.rank; ++d) index[d] = 0;
        for (int v = 0; v < grid.operands; ++v) offsets[v] = 0;
    }

    bool next() {
        for (int d = grid.rank - 3; d >= 0; --d) {
            for (int v = 0; v < grid.operands; ++v) offsets[v] += grid.strides[v][d];
            if (++index[d] < grid.dims[d]) return true;
            for (int v = 0; v < grid.operands; ++v) offsets[v] -= grid.strides[v][d] * grid.dims[d];
            index[d] = 0;
        }
        return false;
    }
};

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

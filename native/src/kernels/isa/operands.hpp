// What several kernels share about operands: rows of any type and stride, and loops over all of their dimensions at once.
#pragma once

#include "kernels/isa/vector.hpp"
#include "kernels/kernel.hpp"

// Nothing that a loop writes is read by a later round of it. GCC can't see that where results may lie over an operand.
#if defined(__clang__)
#define NEUTONE_LIKE_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define NEUTONE_LIKE_INDEPENDENT _Pragma("GCC ivdep")
#endif

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

NEUTONE_LIKE_INLINE constexpr Need refuse(const char* what) { return {what, 0}; }
NEUTONE_LIKE_INLINE constexpr Need scratch(uint64_t bytes) { return {nullptr, bytes}; }

// A view of stride 0 may have any dimensions and still lie within its buffer: what counts elements must not overflow.
NEUTONE_LIKE_INLINE bool is_countable(const Operand& a) {
    if (a.rank > kMaximumRank || (a.type != kFloat32 && a.type != kFloat64)) return false;
    int64_t elements = 1;
    for (uint32_t d = 0; d < a.rank; ++d) {
        if (a.dims[d] < 0) return false;
        if (a.dims[d] > 0) elements *= a.dims[d];
        if (elements > INT32_MAX) return false;
    }
    return true;
}

// What every kernel's views must be; null when they are.
NEUTONE_LIKE_INLINE const char* wrong_views(const Call& call) {
    for (uint32_t v = 0; v < call.view_count; ++v)
        if (!is_countable(call.views[v])) return "views of float32 or float64 with fewer than 2^31 elements";
    if (call.view_count > 0 && !call.views[0].writable) return "an output that may be written";
    return nullptr;
}

NEUTONE_LIKE_INLINE bool same_dims(const Operand& a, const Operand& b) {
    if (a.rank != b.rank) return false;
    for (uint32_t d = 0; d < a.rank; ++d)
        if (a.dims[d] != b.dims[d]) return false;
    return true;
}

NEUTONE_LIKE_INLINE bool is_empty(const Operand& a) {
    for (uint32_t d = 0; d < a.rank; ++d)
        if (a.dims[d] == 0) return true;
    return false;
}

NEUTONE_LIKE_INLINE constexpr int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
NEUTONE_LIKE_INLINE constexpr int64_t up_to_multiple(int64_t a, int64_t of) { return (a + of - 1) / of * of; }

// Out of line: four of it are enough for every kernel.
template <class Out, class In>
static __attribute__((noinline)) void convert_row(Out* out, int64_t out_stride, const In* in, int64_t in_stride,
                                                  int64_t count) {
    if (out_stride == 1 && in_stride == 1) {
        NEUTONE_LIKE_INDEPENDENT for (int64_t i = 0; i < count; ++i) out[i] = static_cast<Out>(in[i]);
    } else if (out_stride == 1 && in_stride == 0) {
        const Out value = count > 0 ? static_cast<Out>(in[0]) : Out{};
        for (int64_t i = 0; i < count; ++i) out[i] = value;
    } else {
        for (int64_t i = 0; i < count; ++i) out[i * out_stride] = static_cast<Out>(in[i * in_stride]);
    }
}

template <class T>
NEUTONE_LIKE_INLINE void read_strided(T* to, int64_t to_stride, const Operand& from, int64_t offset, int64_t stride,
                                      int64_t count) {
    if (from.type == kFloat32)
        convert_row(to, to_stride, from.floats() + offset, stride, count);
    else
        convert_row(to, to_stride, from.doubles() + offset, stride, count);
}

// `count` elements from element `offset` on, into or from a contiguous row of T.
template <class T>
NEUTONE_LIKE_INLINE void read_row(T* to, const Operand& from, int64_t offset, int64_t stride, int64_t count) {
    if (from.type == kFloat32)
        convert_row(to, 1, from.floats() + offset, stride, count);
    else
        convert_row(to, 1, from.doubles() + offset, stride, count);
}

template <class T>
NEUTONE_LIKE_INLINE void write_row(const Operand& to, int64_t offset, int64_t stride, const T* from, int64_t count) {
    if (to.type == kFloat32)
        convert_row(to.floats() + offset, stride, from, 1, count);
    else
        convert_row(to.doubles() + offset, stride, from, 1, count);
}

NEUTONE_LIKE_INLINE double read_element(const Operand& from, int64_t offset) {
    return from.type == kFloat32 ? static_cast<double>(from.floats()[offset]) : from.doubles()[offset];
}

NEUTONE_LIKE_INLINE void write_element(const Operand& to, int64_t offset, double value) {
    if (to.type == kFloat32)
        to.floats()[offset] = static_cast<float>(value);
    else
        to.doubles()[offset] = value;
}

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

// Copies between any strides and types.
#pragma once

#include "kernels/isa/grid.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

static Need copy_check(const Call& call) {
    if (call.view_count != 2) return refuse("two views: out and in");
    if (call.integer_count != 0) return refuse("no whole numbers");
    const Operand &out = call.views[0], &in = call.views[1];
    if (const char* wrong = wrong_views(call)) return refuse(wrong);
    if (!same_dims(out, in)) return refuse("out and in of the same dimensions");
    return scratch(0);
}

// Rows of out against rows of in that lie along the other dimension: in tiles, so that every cache line that is fetched
// is used up before it goes.
template <class Out, class In>
static void copy_transposed(Out* out, int64_t out_row, const In* in, int64_t in_column, int64_t rows, int64_t columns) {
    constexpr int64_t kTile = 16;
    for (int64_t r0 = 0; r0 < rows; r0 += kTile)
        for (int64_t c0 = 0; c0 < columns; c0 += kTile) {
            const int64_t r1 = smaller(rows, r0 + kTile), c1 = smaller(columns, c0 + kTile);
            for (int64_t r = r0; r < r1; ++r)
                for (int64_t c = c0; c < c1; ++c) out[r * out_row + c] = static_cast<Out>(in[r + c * in_column]);
        }
}

template <class Out, class In>
static void copy_elements(Out* out, const In* in, const Grid<2>& grid) {
    Walk<2> walk(grid);
    do {
        Out* to = out + walk.offsets[0];
        const In* from = in + walk.offsets[1];
        if (grid.column_stride(0) == 1 && grid.row_stride(1) == 1 && grid.column_stride(1) != 1) {
            copy_transposed(to, grid.row_stride(0), from, grid.column_stride(1), grid.rows(), grid.columns());
            continue;
        }
        for (int64_t r = 0; r < grid.rows(); ++r)
            convert_row(to + r * grid.row_stride(0), grid.column_stride(0), from + r * grid.row_stride(1),
                        grid.column_stride(1), grid.columns());
    } while (walk.next());
}

static void copy_run(const Call& call) {
    const Operand &out = call.views[0], &in = call.views[1];
    if (is_empty(out)) return;
    Grid<2> grid;
    make_grid(grid, call.views, 2);
    if (out.type == kFloat32 && in.type == kFloat32)
        copy_elements(out.floats(), in.floats(), grid);
    else if (out.type == kFloat32)
        copy_elements(out.floats(), in.doubles(), grid);
    else if (in.type == kFloat32)
        copy_elements(out.doubles(), in.floats(), grid);
    else
        copy_elements(out.doubles(), in.doubles(), grid);
}

constexpr Kernel copy_kernel = {"copy", copy_check, copy_run};

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

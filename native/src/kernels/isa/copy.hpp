// Copies between any strides and types.
#pragma once

#include "kernels/isa/grid.hpp"
#include "kernels/isa/transpose.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

static Need copy_check(const Call& call) {
    if (call.view_count != 2) return refuse("two views: out and in");
    if (call.integer_count != 0) return refuse("no whole numbers");
    const Operand &out = call.views[0], &in = call.views[1];
    if (const char* wrong = wrong_views(call)) return refuse(wrong);
    if (!same_dims(out, in)) return refuse("out and in of the same dimensions");
    return scratch(0);
}

template <class Out, class In>
static void copy_turned_tile(Out* out, int64_t out_row, const In* in, int64_t in_column, int64_t rows,
                             int64_t columns) {
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t c = 0; c < columns; ++c) out[r * out_row + c] = static_cast<Out>(in[r + c * in_column]);
}
static void copy_turned_tile(float* out, int64_t out_row, const float* in, int64_t in_column, int64_t rows,
                             int64_t columns) {
    to_rows_of_time(out, out_row, in, 1, in_column, static_cast<int32_t>(rows), static_cast<int32_t>(columns));
}

// Rows of out against rows of in that lie along the other dimension: in tiles, so that every cache line that is fetched
// is used up before it goes.
template <class Out, class In>
static void copy_transposed(Out* out, int64_t out_row, const In* in, int64_t in_column, int64_t rows, int64_t columns) {
    constexpr int64_t kTile = 16;
    for (int64_t r = 0; r < rows; r += kTile)
        for (int64_t c = 0; c < columns; c += kTile)
            copy_turned_tile(out + r * out_row + c, out_row, in + r + c * in_column, in_column,
                             smaller(kTile, rows - r), smaller(kTile, columns - c));
}

// Makes that dimension the rows along which in lies in one piece, where the columns don't.
static void bring_contiguous_rows(Grid<2>& grid) {
    if (grid.column_stride(1) == 1) return;
    const int rows = grid.rank - 2;
    for (int d = 0; d < rows; ++d) {
        if (grid.strides[1][d] != 1) continue;
        const int beside = grid.rank;
        move_dimension(grid, d, beside);
        move_dimension(grid, rows, d);
        move_dimension(grid, beside, rows);
        return;
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
    bring_contiguous_rows(grid);
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

// Products of matrices that are both computed: attention, mostly. One tile of four rows and a few vectors is held in
// registers; a second factor whose rows don't lie in one piece is first brought into panels of the tile's width.
#pragma once

#include "kernels/isa/rows.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr int kTileRows = 4;
constexpr int kTileVectors = kRegisters == 32 ? 4 : 2;
constexpr int kTileColumns = kTileVectors * kLanes;

struct Matrix {
    float* data;
    int64_t row, column;  // strides
};

struct Product {
    Matrix out, a, c;
    int64_t rows, columns, depth;
};

NEUTONE_LIKE_INLINE Matrix matrix_of(const Operand& view) { return {view.floats(), view.strides[1], view.strides[2]}; }
NEUTONE_LIKE_INLINE Matrix transposed(const Matrix& m) { return {m.data, m.column, m.row}; }

// Whether to compute the transposed product, so that results lie in one piece.
NEUTONE_LIKE_INLINE bool is_turned(const Operand& out) {
    return out.dims[1] > 1 && out.strides[1] == 1 && (out.strides[2] != 1 || out.dims[2] == 1);
}

NEUTONE_LIKE_INLINE Product product_of(const Call& call) {
    const Operand &out = call.views[0], &a = call.views[1], &c = call.views[2];
    if (!is_turned(out)) return {matrix_of(out), matrix_of(a), matrix_of(c), out.dims[1], out.dims[2], a.dims[2]};
    return {transposed(matrix_of(out)),
            transposed(matrix_of(c)),
            transposed(matrix_of(a)),
            out.dims[2],
            out.dims[1],
            a.dims[2]};
}

// With few rows it isn't worth bringing the second factor into another order: sums along two contiguous rows do.
NEUTONE_LIKE_INLINE bool takes_dots(const Product& product) {
    return product.c.column != 1 && product.rows < 2 * kTileRows && product.a.column == 1 && product.c.row == 1;
}
NEUTONE_LIKE_INLINE bool takes_panels(const Product& product) { return product.c.column != 1 && !takes_dots(product); }

static Need matmul_check(const Call& call) {
    if (call.view_count != 3) return refuse("three views: out, a and c");
    if (call.integer_count != 0) return refuse("no whole numbers");
    if (const char* wrong = wrong_views(call)) return refuse(wrong);
    for (int v = 0; v < 3; ++v)
        if (call.views[v].rank != 3 || call.views[v].type != kFloat32) return refuse("float32 of rank 3");
    const Operand &out = call.views[0], &a = call.views[1], &c = call.views[2];
    if (a.dims[0] != out.dims[0] || c.dims[0] != out.dims[0]) return refuse("one batch");
    if (a.dims[1] != out.dims[1] || c.dims[2] != out.dims[2]) return refuse("a's rows and c's columns as out has");
    if (a.dims[2] != c.dims[1]) return refuse("as many columns in a as rows in c");
    const Product product = product_of(call);
    const uint64_t panel = static_cast<uint64_t>(product.depth) * kTileColumns * sizeof(float);
    return scratch(takes_panels(product) ? panel : 0);
}

// Into `to` (rows of kTileColumns): kRows rows of a times kVectors vectors of c, whose rows are contiguous.
template <int kRows, int kVectors>
static void multiply_tile(float* to, int64_t to_row, const Matrix& a, const float* c, int64_t c_row, int64_t depth) {
    Floats sums[kRows][kVectors];
    NEUTONE_LIKE_UNROLL for (int r = 0; r < kRows; ++r) NEUTONE_LIKE_UNROLL for (int v = 0; v < kVectors; ++v)
        sums[r][v] = Floats{};
    for (int64_t k = 0; k < depth; ++k, c += c_row) {
        Floats values[kVectors];
        NEUTONE_LIKE_UNROLL for (int v = 0; v < kVectors; ++v) {
            values[v] = load(c + v * kLanes);
            NEUTONE_LIKE_PIN(values[v]);
        }
        NEUTONE_LIKE_UNROLL for (int r = 0; r < kRows; ++r) {
            const Floats factor = splat(a.data[r * a.row + k * a.column]);
            NEUTONE_LIKE_UNROLL for (int v = 0; v < kVectors; ++v) sums[r][v] += factor * values[v];
        }
    }
    NEUTONE_LIKE_UNROLL for (int r = 0; r < kRows; ++r) NEUTONE_LIKE_UNROLL for (int v = 0; v < kVectors; ++v)
        store(to + r * to_row + v * kLanes, sums[r][v]);
}

template <int kVectors>
static void multiply_rows(int64_t rows, float* to, int64_t to_row, const Matrix& a, const float* c, int64_t c_row,
                          int64_t depth) {
    switch (rows) {
        case 1: return multiply_tile<1, kVectors>(to, to_row, a, c, c_row, depth);
        case 2: return multiply_tile<2, kVectors>(to, to_row, a, c, c_row, depth);
        case 3: return multiply_tile<3, kVectors>(to, to_row, a, c, c_row, depth);
        default: return multiply_tile<4, kVectors>(to, to_row, a, c, c_row, depth);
    }
}

// All rows for `columns` <= kTileColumns columns from `column` on. Where a tile isn't whole or out not contiguous, it is
// computed beside and then copied.
static void multiply_columns(const Product& product, const float* c, int64_t c_row, int64_t column, int64_t columns) {
    const Matrix &out = product.out, &a = product.a;
    const bool is_direct = out.column == 1 && columns == kTileColumns;
    const bool is_narrow = columns <= kLanes;
    float beside[kTileRows * kTileColumns];
    for (int64_t r = 0; r < product.rows; r += kTileRows) {
        const int64_t rows = smaller(kTileRows, product.rows - r);
        float* const place = out.data + r * out.row + column * out.column;
        float* const to = is_direct ? place : beside;
        const int64_t to_row = is_direct ? out.row : kTileColumns;
        const Matrix from = {a.data + r * a.row, a.row, a.column};
        if (is_narrow)
            multiply_rows<1>(rows, to, to_row, from, c, c_row, product.depth);
        else
            multiply_rows<kTileVectors>(rows, to, to_row, from, c, c_row, product.depth);
        if (is_direct) continue;
        for (int64_t i = 0; i < rows; ++i)
            convert_row(place + i * out.row, out.column, beside + i * kTileColumns, 1, columns);
    }
}

// c's columns side by side, so that they may be read beyond its last column (memory is there, see kernel.hpp).
static void multiply_directly(const Product& product) {
    const int64_t readable = product.columns + kVectorFloats - 1;
    int64_t column = 0;
    for (; column < product.columns; column += kTileColumns) {
        const int64_t columns = smaller(kTileColumns, product.columns - column);
        if (columns > kLanes && column + kTileColumns > readable) break;
        multiply_columns(product, product.c.data + column, product.c.row, column, columns);
    }
    for (; column < product.columns; column += kLanes)
        multiply_columns(product, product.c.data + column, product.c.row, column,
                         smaller(kLanes, product.columns - column));
}

static void multiply_panels(const Product& product, float* panel) {
    const Matrix& c = product.c;
    for (int64_t column = 0; column < product.columns; column += kTileColumns) {
        const int64_t columns = smaller(kTileColumns, product.columns - column);
        for (int64_t j = 0; j < kTileColumns; ++j) {
            const float silence = 0.0f;
            if (j < columns)
                convert_row(panel + j, kTileColumns, c.data + (column + j) * c.column, c.row, product.depth);
            else
                convert_row(panel + j, kTileColumns, &silence, 0, product.depth);
        }
        multiply_columns(product, panel, kTileColumns, column, columns);
    }
}

NEUTONE_LIKE_INLINE float dot(const float* a, const float* c, int64_t depth) {
    Floats sums[2] = {Floats{}, Floats{}};
    int64_t k = 0;
    for (; k + 2 * kLanes <= depth; k += 2 * kLanes)
        NEUTONE_LIKE_UNROLL for (int u = 0; u < 2; ++u) sums[u] += load(a + k + u * kLanes) * load(c + k + u * kLanes);
    for (; k + kLanes <= depth; k += kLanes) sums[0] += load(a + k) * load(c + k);
    float sum = sum_of_lanes(sums[0] + sums[1]);
    for (; k < depth; ++k) sum += a[k] * c[k];
    return sum;
}

static void multiply_dots(const Product& product) {
    const Matrix &out = product.out, &a = product.a, &c = product.c;
    for (int64_t n = 0; n < product.columns; ++n)
        for (int64_t m = 0; m < product.rows; ++m)
            out.data[m * out.row + n * out.column] = dot(a.data + m * a.row, c.data + n * c.column, product.depth);
}

static void matmul_run(const Call& call) {
    const Operand &out = call.views[0], &a = call.views[1], &c = call.views[2];
    if (is_empty(out)) return;
    const Product first = product_of(call);
    const Operand &left = is_turned(out) ? c : a, &right = is_turned(out) ? a : c;
    for (int64_t b = 0; b < out.dims[0]; ++b) {
        Product product = first;
        product.out.data += b * out.strides[0];
        product.a.data += b * left.strides[0];
        product.c.data += b * right.strides[0];
        if (takes_dots(product))
            multiply_dots(product);
        else if (takes_panels(product))
            multiply_panels(product, static_cast<float*>(call.scratch));
        else
            multiply_directly(product);
    }
}

constexpr Kernel matmul_kernel = {"matmul", matmul_check, matmul_run};

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

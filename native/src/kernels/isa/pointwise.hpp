// Runs small programs over tiles that fill a register of 1 KiB each, so that an instruction is one loop of vectors and what
// chooses it costs nothing. A tile is a piece of a row, or several whole rows where they are short.
#pragma once

#include "kernels/isa/elementwise.hpp"
#include "kernels/isa/program.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

struct Tile {
    int64_t rows, columns;
    int64_t padded;  // elements of a register that are computed: whole vectors
    const int64_t* row_strides;
    const int64_t* column_strides;
    const int64_t* offsets;  // of each operand
};

template <class T>
static void load_tile(T* to, const Operand& from, int operand, const Tile& tile) {
    const int64_t stride = tile.column_strides[operand], row = tile.row_strides[operand];
    for (int64_t r = 0; r < tile.rows; ++r)
        read_row(to + r * tile.columns, from, tile.offsets[operand] + r * row, stride, tile.columns);
}

template <class T>
static void store_tile(const Operand& to, int operand, const T* from, const Tile& tile) {
    const int64_t stride = tile.column_strides[operand], row = tile.row_strides[operand];
    for (int64_t r = 0; r < tile.rows; ++r)
        write_row(to, tile.offsets[operand] + r * row, stride, from + r * tile.columns, tile.columns);
}

template <class T>
static void compute(int32_t operation, T* r, const T* a, const T* b, const T* c, int64_t n) {
    switch (operation) {
#define NEUTONE_LIKE_UNARY(name) \
    case name: return unary<name>(r, a, n);
#define NEUTONE_LIKE_UNARY_IN_DOUBLES(name) \
    case name: return unary_in_doubles<name>(r, a, n);
#define NEUTONE_LIKE_BINARY(name) \
    case name: return binary<name>(r, a, b, n);
#define NEUTONE_LIKE_BINARY_IN_DOUBLES(name) \
    case name: return binary_in_doubles<name>(r, a, b, n);
#define NEUTONE_LIKE_ROUNDED(name) \
    case name: return rounded<name>(r, a, n);
        NEUTONE_LIKE_BINARY(kAdd)
        NEUTONE_LIKE_BINARY(kSubtract)
        NEUTONE_LIKE_BINARY(kMultiply)
        NEUTONE_LIKE_BINARY(kDivide)
        NEUTONE_LIKE_BINARY(kMinimum)
        NEUTONE_LIKE_BINARY(kMaximum)
        NEUTONE_LIKE_BINARY(kLess)
        NEUTONE_LIKE_BINARY(kLessEqual)
        NEUTONE_LIKE_BINARY(kEqual)
        NEUTONE_LIKE_BINARY(kNotEqual)
        NEUTONE_LIKE_BINARY(kGreater)
        NEUTONE_LIKE_BINARY(kGreaterEqual)
        NEUTONE_LIKE_BINARY(kAnd)
        NEUTONE_LIKE_BINARY(kOr)
        NEUTONE_LIKE_BINARY_IN_DOUBLES(kPower)
        NEUTONE_LIKE_BINARY_IN_DOUBLES(kArctangent2)
        NEUTONE_LIKE_BINARY_IN_DOUBLES(kRemainder)
        NEUTONE_LIKE_BINARY_IN_DOUBLES(kFmod)
        NEUTONE_LIKE_UNARY(kNegate)
        NEUTONE_LIKE_UNARY(kAbsolute)
        NEUTONE_LIKE_UNARY(kReciprocal)
        NEUTONE_LIKE_UNARY(kSign)
        NEUTONE_LIKE_UNARY(kNot)
        NEUTONE_LIKE_UNARY(kIsNan)
        NEUTONE_LIKE_UNARY(kHyperbolicTangent)
        NEUTONE_LIKE_UNARY(kSigmoidOf)
        NEUTONE_LIKE_UNARY(kExp)
        NEUTONE_LIKE_UNARY(kExpm1)
        NEUTONE_LIKE_UNARY(kExp2)
        NEUTONE_LIKE_UNARY_IN_DOUBLES(kLog)
        NEUTONE_LIKE_UNARY_IN_DOUBLES(kLog1p)
        NEUTONE_LIKE_UNARY_IN_DOUBLES(kLog2)
        NEUTONE_LIKE_UNARY_IN_DOUBLES(kLog10)
        NEUTONE_LIKE_UNARY_IN_DOUBLES(kSine)
        NEUTONE_LIKE_UNARY_IN_DOUBLES(kCosine)
        NEUTONE_LIKE_UNARY_IN_DOUBLES(kTangent)
        NEUTONE_LIKE_UNARY_IN_DOUBLES(kArcsine)
        NEUTONE_LIKE_UNARY_IN_DOUBLES(kArccosine)
        NEUTONE_LIKE_UNARY_IN_DOUBLES(kArctangent)
        NEUTONE_LIKE_UNARY_IN_DOUBLES(kSinh)
        NEUTONE_LIKE_UNARY_IN_DOUBLES(kCosh)
        NEUTONE_LIKE_UNARY(kErrorFunction)
        NEUTONE_LIKE_ROUNDED(kSquareRoot)
        NEUTONE_LIKE_ROUNDED(kFloor)
        NEUTONE_LIKE_ROUNDED(kCeiling)
        NEUTONE_LIKE_ROUNDED(kRound)
        NEUTONE_LIKE_ROUNDED(kTruncate)
#undef NEUTONE_LIKE_UNARY
#undef NEUTONE_LIKE_UNARY_IN_DOUBLES
#undef NEUTONE_LIKE_BINARY
#undef NEUTONE_LIKE_BINARY_IN_DOUBLES
#undef NEUTONE_LIKE_ROUNDED
        case kSelect: return choose(r, a, b, c, n);
        case kMultiplyAdd: return multiply_add(r, a, b, c, n);
        default: return;
    }
}

template <class T>
static void run_program(const Call& call, const Program& program, const Tile& tile) {
    constexpr int64_t kRegister = kTileBytes / sizeof(T);
    T* const registers = static_cast<T*>(call.scratch);
    const Operand* const operands = call.views + 1;
    for (int32_t i = 0; i < program.instructions; ++i) {
        const Instruction code = program.at(i);
        switch (code.operation) {
            case kLoad: load_tile(registers + code.result * kRegister, operands[code.a], code.a, tile); break;
            case kStore: store_tile(operands[code.b], code.b, registers + code.a * kRegister, tile); break;
            case kNumber: {
                const T value = static_cast<T>(call.views[0].doubles()[code.a * int64_t{call.views[0].strides[0]}]);
                convert_row(registers + code.result * kRegister, 1, &value, 0, tile.padded);
                break;
            }
            default: {
                const int count = operands_of(code.operation);
                const T* a = registers + code.a * kRegister;
                compute(code.operation, registers + code.result * kRegister, a,
                        count > 1 ? registers + code.b * kRegister : a, count > 2 ? registers + code.c * kRegister : a,
                        tile.padded);
            }
        }
    }
}

// What is written sets the order in which memory is walked through.
static int first_stored(const Program& program) {
    for (int32_t i = 0; i < program.instructions; ++i)
        if (program.at(i).operation == kStore) return program.at(i).b;
    return 0;
}

template <class T>
static void run_pointwise(const Call& call, const Program& program) {
    constexpr int64_t kRegister = kTileBytes / sizeof(T);
    Grid<kMaximumOperands> grid;
    make_grid(grid, call.views + 1, static_cast<int>(call.view_count) - 1, first_stored(program));
    int64_t row_strides[kMaximumOperands], column_strides[kMaximumOperands], offsets[kMaximumOperands];
    for (int v = 0; v < grid.operands; ++v) {
        row_strides[v] = grid.row_stride(v);
        column_strides[v] = grid.column_stride(v);
    }
    const int64_t columns = smaller(grid.columns(), kRegister), rows = smaller(grid.rows(), kRegister / columns);
    Walk<kMaximumOperands> walk(grid);
    do
        for (int64_t r = 0; r < grid.rows(); r += rows)
            for (int64_t c = 0; c < grid.columns(); c += columns) {
                for (int v = 0; v < grid.operands; ++v)
                    offsets[v] = walk.offsets[v] + r * row_strides[v] + c * column_strides[v];
                Tile tile = {smaller(rows, grid.rows() - r),
                             smaller(columns, grid.columns() - c),
                             0,
                             row_strides,
                             column_strides,
                             offsets};
                tile.padded = up_to_multiple(tile.rows * tile.columns, VectorOf<T>::kCount);
                run_program<T>(call, program, tile);
            }
    while (walk.next());
}

static void pointwise_run(const Call& call) {
    if (is_empty(call.views[1])) return;
    const Program program = program_of(call);
    if (program.in_doubles)
        run_pointwise<double>(call, program);
    else
        run_pointwise<float>(call, program);
}

constexpr Kernel pointwise_kernel = {"pointwise", pointwise_check, pointwise_run};

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

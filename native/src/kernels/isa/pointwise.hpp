// Runs small programs over tiles that fill a register of 1 KiB each, so that an instruction is one loop of vectors and what
// chooses it costs nothing. A tile is a piece of a row, or several whole rows where they are short.
#pragma once

#include "kernels/isa/elementwise.hpp"
#include "kernels/isa/program.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr int64_t kLongRow = 32;

struct Tile {
    int64_t rows, columns;
    int64_t padded;  // elements of a register that are computed: whole vectors
    bool stands_for_memory;
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

// Whether registers may stand for rows of operands in memory, instead of copies of them: where nothing is stored before all
// is computed, and what is stored was computed, so that no store changes what a later one takes.
static bool may_stand_for_memory(const Program& program) {
    bool is_loaded[kMaximumProgramRegisters] = {}, has_stored = false;
    for (int32_t i = 0; i < program.instructions; ++i) {
        const Instruction code = program.at(i);
        if (code.operation == kStore && is_loaded[code.a]) return false;
        if (code.operation != kStore && has_stored) return false;
        has_stored = code.operation == kStore;
        if (!has_stored) is_loaded[code.result] = code.operation == kLoad;
    }
    return true;
}

NEUTONE_LIKE_INLINE float* elements_of(const Operand& view, float) { return view.floats(); }
NEUTONE_LIKE_INLINE double* elements_of(const Operand& view, double) { return view.doubles(); }

// The operand's row in memory, where that is one of whole vectors in the type that the program computes in; or null.
template <class T>
NEUTONE_LIKE_INLINE T* row_in_memory(const Operand& view, int operand, const Tile& tile) {
    constexpr uint32_t kType = sizeof(T) == sizeof(float) ? kFloat32 : kFloat64;
    const bool is_row = tile.rows == 1 && tile.column_strides[operand] == 1 && tile.padded == tile.columns;
    return is_row && view.type == kType ? elements_of(view, T{}) + tile.offsets[operand] : nullptr;
}

// Where the program's last result may be computed to, right away: the place that it is then stored to.
template <class T>
static T* place_of_result(const Operand* operands, const Program& program, const Tile& tile) {
    const int32_t last = program.instructions - 1;
    if (!tile.stands_for_memory || last < 1) return nullptr;
    const Instruction store = program.at(last), code = program.at(last - 1);
    if (store.operation != kStore || code.operation <= kNumber || code.result != store.a) return nullptr;
    return row_in_memory<T>(operands[store.b], store.b, tile);
}

template <class T>
static void run_program(const Call& call, const Program& program, const Tile& tile) {
    constexpr int64_t kRegister = kTileBytes / sizeof(T);
    T* const memory = static_cast<T*>(call.scratch);
    const Operand* const operands = call.views + 1;
    T* registers[kMaximumProgramRegisters];
    for (int32_t r = 0; r < program.registers; ++r) registers[r] = memory + r * kRegister;
    T* const result_place = place_of_result<T>(operands, program, tile);
    const int32_t count = program.instructions - (result_place != nullptr ? 1 : 0);
    for (int32_t i = 0; i < count; ++i) {
        const Instruction code = program.at(i);
        if (code.operation == kStore) {
            store_tile(operands[code.b], code.b, registers[code.a], tile);
            continue;
        }
        T* to = memory + code.result * kRegister;
        if (code.operation == kLoad) {
            T* const row = tile.stands_for_memory ? row_in_memory<T>(operands[code.a], code.a, tile) : nullptr;
            if (row != nullptr)
                to = row;
            else
                load_tile(to, operands[code.a], code.a, tile);
        } else if (code.operation == kNumber) {
            const T value = static_cast<T>(call.views[0].doubles()[code.a * int64_t{call.views[0].strides[0]}]);
            convert_row(to, 1, &value, 0, tile.padded);
        } else {
            if (result_place != nullptr && i == count - 1) to = result_place;
            const int taken = operands_of(code.operation);
            const T* a = registers[code.a];
            compute(code.operation, to, a, taken > 1 ? registers[code.b] : a, taken > 2 ? registers[code.c] : a,
                    tile.padded);
        }
        registers[code.result] = to;
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
    const bool stands_for_memory = may_stand_for_memory(program);
    const int64_t columns = smaller(grid.columns(), kRegister);
    // Rows that are long enough by themselves needn't be copied together.
    const bool is_row = stands_for_memory && columns >= kLongRow && columns % VectorOf<T>::kCount == 0;
    const int64_t rows = is_row ? 1 : smaller(grid.rows(), kRegister / columns);
    Walk<kMaximumOperands> walk(grid);
    do
        for (int64_t r = 0; r < grid.rows(); r += rows)
            for (int64_t c = 0; c < grid.columns(); c += columns) {
                for (int v = 0; v < grid.operands; ++v)
                    offsets[v] = walk.offsets[v] + r * row_strides[v] + c * column_strides[v];
                Tile tile = {smaller(rows, grid.rows() - r),
                             smaller(columns, grid.columns() - c),
                             0,
                             stands_for_memory,
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

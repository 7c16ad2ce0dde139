// The proof that a program of kPointwise touches only its registers, its views and its constants.
#pragma once

#include "kernels/isa/grid.hpp"
#include "kernels/operations.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr int kMaximumOperands = 32;
constexpr int kMaximumProgramRegisters = 32;
constexpr int64_t kTileBytes = 1024;  // of a register

struct Instruction {
    int32_t operation, result, a, b, c;
};

struct Program {
    bool in_doubles;
    int32_t registers;
    int32_t instructions;
    const int32_t* first;

    Instruction at(int32_t i) const {
        const int32_t* code = first + 5 * i;
        return {code[0], code[1], code[2], code[3], code[4]};
    }
};

NEUTONE_LIKE_INLINE Program program_of(const Call& call) {
    return {call.integers[0] == 1, call.integers[1], static_cast<int32_t>((call.integer_count - 2) / 5),
            call.integers + 2};
}

NEUTONE_LIKE_INLINE int operands_of(int32_t operation) {
    if (operation == kSelect || operation == kMultiplyAdd) return 3;
    return operation >= kAdd && operation <= kOr ? 2 : 1;
}

NEUTONE_LIKE_INLINE const char* wrong_instruction(const Call& call, const Program& program, const Instruction& code) {
    const auto is_register = [&](int32_t index) { return index >= 0 && index < program.registers; };
    const auto is_view = [&](int32_t index) { return index >= 0 && index < static_cast<int32_t>(call.view_count) - 1; };
    if (code.operation < 0 || code.operation >= kOperations) return "a known operation";
    if (code.operation == kStore) {
        if (!is_register(code.a)) return "a register that the program has";
        return is_view(code.b) && call.views[code.b + 1].writable ? nullptr : "a store to a view that may be written";
    }
    if (!is_register(code.result)) return "a register that the program has";
    if (code.operation == kLoad) return is_view(code.a) ? nullptr : "a load from a view that the step has";
    if (code.operation == kNumber)
        return code.a >= 0 && code.a < call.views[0].dims[0] ? nullptr : "a constant that the step has";
    const int count = operands_of(code.operation);
    if (!is_register(code.a) || (count > 1 && !is_register(code.b)) || (count > 2 && !is_register(code.c)))
        return "a register that the program has";
    return nullptr;
}

static Need pointwise_check(const Call& call) {
    if (call.view_count < 2 || call.view_count > kMaximumOperands + 1) return refuse("constants, and 1 to 32 operands");
    const Operand& constants = call.views[0];
    for (uint32_t v = 0; v < call.view_count; ++v)
        if (!is_countable(call.views[v])) return refuse("views of float32 or float64 with fewer than 2^31 elements");
    if (constants.rank != 1 || constants.type != kFloat64) return refuse("constants of rank 1 in float64");
    for (uint32_t v = 2; v < call.view_count; ++v)
        if (!same_dims(call.views[v], call.views[1])) return refuse("operands of the same dimensions");
    if (call.integer_count < 2 || (call.integer_count - 2) % 5 != 0 || call.integer_count > 1u << 20)
        return refuse("precision, registers, and instructions of five whole numbers");
    if (call.integers[0] != 0 && call.integers[0] != 1) return refuse("a precision of 0 or 1");
    const Program program = program_of(call);
    if (program.registers < 1 || program.registers > kMaximumProgramRegisters) return refuse("1 to 32 registers");
    for (int32_t i = 0; i < program.instructions; ++i)
        if (const char* wrong = wrong_instruction(call, program, program.at(i))) return refuse(wrong);
    return scratch(static_cast<uint64_t>(program.registers) * kTileBytes);
}

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS

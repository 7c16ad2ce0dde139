"""An elementwise expression as the instructions of the pointwise kernel."""

from dataclasses import dataclass, field

from neutone_like.compiler.kernels import Operation
from neutone_like.compiler.plan import Expression
from neutone_like.errors import CompileError

MOST_REGISTERS = 32


@dataclass
class Program:
    """Instructions of five numbers each: operation, result register, and three operands.

    Attributes:
        registers: How many it needs.
        numbers: The constants it reads.
        instructions: Flat.
    """

    registers: int = 0
    numbers: list[float] = field(default_factory=list[float])
    instructions: list[int] = field(default_factory=list[int])


def program_of(expression: Expression, output: int) -> Program:
    """The program that stores an expression's value to the operand ``output``; inputs follow the one output.

    Raises:
        CompileError: It needs more registers than there are.
    """
    uses: dict[int, int] = {}
    _count(expression, uses)
    program = Program()
    free: list[int] = []
    done: dict[int, int] = {}
    result = _emit(expression, program, free, done, uses, output + 1)
    program.instructions += [Operation.STORE, 0, result, output, 0]
    if program.registers > MOST_REGISTERS:
        raise CompileError(f"an elementwise expression of {program.registers} values at once")
    return program


def _key(expression: Expression) -> int:
    return id(expression)


def _count(expression: Expression, uses: dict[int, int]) -> None:
    uses[_key(expression)] = uses.get(_key(expression), 0) + 1
    if uses[_key(expression)] == 1 and expression.operation not in (Operation.LOAD, Operation.NUMBER):
        for each in expression.operands:
            _count(each, uses)


def _emit(
    expression: Expression, program: Program, free: list[int], done: dict[int, int], uses: dict[int, int], first: int
) -> int:
    if _key(expression) in done:
        return done[_key(expression)]
    operands: list[int] = []
    if expression.operation is Operation.LOAD:
        operands = [first + expression.operands[0]]
    elif expression.operation is Operation.NUMBER:
        program.numbers.append(expression.operands[0])
        operands = [len(program.numbers) - 1]
    else:
        operands = [_emit(each, program, free, done, uses, first) for each in expression.operands]
        for each, register in zip(expression.operands, operands, strict=True):
            uses[_key(each)] -= 1
            if not uses[_key(each)] and register not in free:
                free.append(register)
    register = free.pop() if free else program.registers
    program.registers = max(program.registers, register + 1)
    done[_key(expression)] = register
    program.instructions += [expression.operation, register, *operands, *[0] * (3 - len(operands))]
    return register

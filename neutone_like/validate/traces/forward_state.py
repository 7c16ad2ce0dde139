"""Which attributes a network's ``forward`` remembers things in, read from its source.

A trace records tensor operations only. ``self.h = h`` is none: in a trace ``self.h`` stays what it was. An attribute is
state where ``forward`` (or a method that it calls) reads it before it sets it, and sets it to something that comes from
the values of its input, or from what it was before. A table that depends on lengths and types alone is no state, nor is
what is only written down for others to look at.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

NOT_VALUES = frozenset(
    {"shape", "size", "dim", "ndim", "device", "dtype", "numel", "stride", "is_cuda", "requires_grad"}
)
GROWING = frozenset({"append", "extend", "insert", "appendleft", "extendleft", "update", "setdefault", "put"})
DEEPEST = 8


def remembered_attributes(network_class: type[Any]) -> list[str]:
    """The names of such attributes, sorted; none where the source can't be read."""
    reader = _Reader(network_class)
    reader.read_method("forward", {})
    return sorted(name for name, use in reader.uses.items() if use.is_state)


@dataclass
class _Use:
    """What happens to one attribute, in the order in which it happens."""

    read_before_set: bool = False
    read: bool = False
    is_set: bool = False
    set_from_input: bool = False
    set_from_itself: bool = False

    @property
    def is_state(self) -> bool:
        return (self.set_from_input and self.read_before_set) or (self.set_from_itself and self.read)


@dataclass
class _Reader:
    """Goes through a class's methods as they would run."""

    network_class: type[Any]
    uses: dict[str, _Use] = field(default_factory=dict[str, _Use])
    depth: int = 0

    def use(self, name: str) -> _Use:
        return self.uses.setdefault(name, _Use())

    def read_method(self, name: str, from_input: dict[str, bool], after: type[Any] | None = None) -> None:
        """Go through a method; ``from_input`` says of its arguments whether they come from values of the input."""
        found = _method(self.network_class, name, after)
        if found is None or self.depth >= DEEPEST:
            return
        owner, function = found
        arguments = [each.arg for each in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
        known = {name: from_input.get(name, not from_input) for name in arguments[1:]}
        self.depth += 1
        _Body(self, owner, arguments[0] if arguments else "self", known).run(function.body, certain=True)
        self.depth -= 1


@dataclass
class _Body:
    """The statements of one method."""

    reader: _Reader
    owner: type[Any]
    self_name: str
    known: dict[str, bool]

    def run(self, statements: list[ast.stmt], *, certain: bool) -> None:
        for statement in statements:
            self.step(statement, certain)

    def step(self, statement: ast.stmt, certain: bool) -> None:
        if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            self.assign(statement, certain)
        elif isinstance(statement, ast.For):
            self.look(statement.iter)
            self.bind(statement.target, self.comes_from_input(statement.iter))
            self.run([*statement.body, *statement.orelse], certain=False)
        elif isinstance(statement, (ast.If, ast.While)):
            self.look(statement.test)
            self.run([*statement.body, *statement.orelse], certain=False)
        elif isinstance(statement, ast.With):
            for item in statement.items:
                self.look(item.context_expr)
            self.run(statement.body, certain=certain)
        elif isinstance(statement, ast.Try):
            self.run([*statement.body, *statement.orelse, *statement.finalbody], certain=False)
        else:
            for each in ast.iter_child_nodes(statement):
                self.look(each)

    def assign(self, statement: ast.Assign | ast.AnnAssign | ast.AugAssign, certain: bool) -> None:
        if statement.value is None:
            return
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        flat = [leaf for target in targets for leaf in _leaves(target)]
        own = {name for leaf in flat if (name := self.attribute_of(leaf))}
        # ``self.n = self.n + 1`` alone reads nothing that anybody hears.
        only_itself = len(flat) == 1
        self.look(statement.value, ignored=own if only_itself else set())
        from_input = self.comes_from_input(statement.value)
        itself = isinstance(statement, ast.AugAssign)
        for leaf in flat:
            name = self.attribute_of(leaf)
            if name is None:
                self.bind(leaf, from_input or (itself and self.comes_from_input(leaf)))
                continue
            from_itself = itself or name in self.attributes_in(statement.value)
            self.note_set(name, from_input, from_itself, certain and isinstance(leaf, ast.Attribute))

    def note_set(self, name: str, from_input: bool, from_itself: bool, certain: bool) -> None:
        use = self.reader.use(name)
        use.set_from_input |= from_input
        use.set_from_itself |= from_itself
        use.is_set |= certain

    def bind(self, target: ast.expr, from_input: bool) -> None:
        for leaf in _leaves(target):
            if isinstance(leaf, ast.Name):
                self.known[leaf.id] = from_input

    def look(self, node: ast.AST, ignored: set[str] | None = None) -> None:
        """Note what an expression reads and which methods it calls, innermost first."""
        if isinstance(node, ast.Compare) and all(isinstance(each, (ast.Is, ast.IsNot)) for each in node.ops):
            return  # whether something is there yet
        for child in ast.iter_child_nodes(node):
            self.look(child, ignored)
        if isinstance(node, ast.Call):
            self.call(node)
        elif isinstance(node, ast.Attribute) and (name := self.attribute_of(node)) and name not in (ignored or ()):
            use = self.reader.use(name)
            use.read = True
            use.read_before_set |= not use.is_set

    def call(self, node: ast.Call) -> None:
        function = node.func
        if isinstance(function, ast.Name) and function.id == "setattr" and len(node.args) == 3:
            self.set_by_name(node)
        if not isinstance(function, ast.Attribute):
            return
        if function.attr in GROWING and (name := self.attribute_of(function.value)):
            if any(self.comes_from_input(each) for each in node.args):
                self.note_set(name, from_input=True, from_itself=True, certain=False)
        elif isinstance(function.value, ast.Name) and function.value.id == self.self_name:
            self.reader.read_method(function.attr, self.bound_arguments(function.attr, node))
        elif isinstance(function.value, ast.Call) and getattr(function.value.func, "id", "") == "super":
            self.reader.read_method(function.attr, self.bound_arguments(function.attr, node, self.owner), self.owner)

    def set_by_name(self, node: ast.Call) -> None:
        target, name, value = node.args
        if getattr(target, "id", "") == self.self_name and isinstance(name, ast.Constant):
            itself = name.value in self.attributes_in(value)
            self.note_set(str(name.value), self.comes_from_input(value), itself, certain=False)

    def bound_arguments(self, method: str, node: ast.Call, after: type[Any] | None = None) -> dict[str, bool]:
        found = _method(self.reader.network_class, method, after)
        if found is None:
            return {}
        names = [each.arg for each in found[1].args.args][1:]
        given = {name: self.comes_from_input(each) for name, each in zip(names, node.args, strict=False)}
        given |= {each.arg: self.comes_from_input(each.value) for each in node.keywords if each.arg}
        return {name: given.get(name, False) for name in names} or {"": False}

    def attribute_of(self, node: ast.AST) -> str | None:
        """The name, where this is an attribute of the network, or an element of one."""
        while isinstance(node, ast.Subscript):
            node = node.value
        is_own = isinstance(node, ast.Attribute) and getattr(node.value, "id", None) == self.self_name
        return node.attr if is_own and isinstance(node, ast.Attribute) else None

    def attributes_in(self, node: ast.AST) -> set[str]:
        return {name for each in ast.walk(node) if (name := self.attribute_of(each))}

    def comes_from_input(self, node: ast.AST) -> bool:
        """Whether the value depends on values of the input; lengths, types and devices are none."""
        if isinstance(node, ast.Name):
            return self.known.get(node.id, False)
        if isinstance(node, ast.Attribute):
            if node.attr in NOT_VALUES:
                return False
            if name := self.attribute_of(node):
                return self.reader.use(name).set_from_input
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "len":
            return False
        return any(self.comes_from_input(child) for child in ast.iter_child_nodes(node))


def _leaves(target: ast.expr) -> Iterator[ast.expr]:
    if isinstance(target, (ast.Tuple, ast.List)):
        for each in target.elts:
            yield from _leaves(each)
    elif isinstance(target, ast.Starred):
        yield from _leaves(target.value)
    else:
        yield target


def _method(network_class: type[Any], name: str, after: type[Any] | None) -> tuple[type[Any], ast.FunctionDef] | None:
    """The method that a class has, or the one that ``super()`` finds behind ``after``; with its class."""
    order = network_class.__mro__
    order = order[order.index(after) + 1 :] if after in order else order
    owner = next((each for each in order if name in vars(each)), None)
    if owner is None or owner.__module__.split(".")[0] == "torch":
        return None
    try:
        parsed = ast.parse(textwrap.dedent(inspect.getsource(vars(owner)[name])))
    except (OSError, TypeError, SyntaxError):  # no source: another way of looking must tell
        return None
    return next(((owner, each) for each in parsed.body if isinstance(each, ast.FunctionDef)), None)

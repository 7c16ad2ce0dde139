"""The hand-written types of the compiled module are those of the module that was built: no name more, none fewer."""

import ast
from typing import Any

import pytest

from neutone_like.runtime.native_module import native_module
from support.places import PROJECT

STUB = PROJECT / "neutone_like" / "runtime" / "_native.pyi"


def declared(body: list[ast.stmt]) -> dict[str, ast.stmt]:
    """Names that a module or class of a stub declares, but for aliases of types."""
    names: dict[str, ast.stmt] = {}
    for statement in body:
        if isinstance(statement, (ast.ClassDef, ast.FunctionDef)):
            names[statement.name] = statement
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            names[statement.target.id] = statement
        elif isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            names.update({target.id: statement for target in statement.targets if isinstance(target, ast.Name)})
    return names


def public(native: Any) -> set[str]:
    return {name for name in vars(native) if not name.startswith(("_", "@"))}


def differences(stub: dict[str, ast.stmt], native: Any) -> set[str]:
    """Names that only one of the two has, members of classes included."""
    built = public(native)
    found = set(stub) ^ built
    for name in set(stub) & built:
        declaration = stub[name]
        if isinstance(declaration, ast.ClassDef):
            members = {member for member in declared(declaration.body) if not member.startswith("_")}
            found |= {f"{name}.{member}" for member in members ^ public(getattr(native, name))}
    return found


def test_the_stub_names_what_was_built() -> None:
    stub = declared(ast.parse(STUB.read_text()).body)
    # A keyword can't be declared in a class body.
    assert differences(stub, native_module()) == {"Mode.async"}


@pytest.mark.parametrize("text", ["", "class Session:\n    def play(self) -> None: ...\n", "class Amp: ...\n"])
def test_a_stub_that_is_behind_would_be_seen(text: str) -> None:
    assert len(differences(declared(ast.parse(text).body), native_module())) > 5

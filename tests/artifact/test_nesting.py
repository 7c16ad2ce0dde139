"""Programs nested so deep that PyTorch's readers would end the process: refused before PyTorch gets to see them."""

import io
import pickletools
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from neutone_like import ArtifactError, load_artifact
from neutone_like.artifact.format.archive import check_contents
from neutone_like.artifact.reading.nesting import MOST_LEVELS, PickleNesting, deepest_code, definitions, longest_chain
from neutone_like.artifact.reading.program_scan import check_program
from support import attacks

MEMBER = "model/code/__torch__/overdrive.py"
DEBUG = f"{MEMBER}.debug_pkl"
BODY = b'    _0 = torch.pow(10., torch.div(params["drive"], 20.))\n'
FINE = MOST_LEVELS // 2 - 20  # also where a level takes two words
TOO_DEEP = 3000


def written(tmp_path: Path, statement: bytes = b"", behind: bytes = b"", **pickles: bytes) -> Path:
    """The overdrive with one more statement, with more behind its code, or with other pickles."""
    members = dict(attacks.read_originals()["overdrive"].members)
    if statement:
        assert BODY in members[MEMBER]
        members[MEMBER] = members[MEMBER].replace(BODY, b"    " + statement + b"\n" + BODY)
    members[MEMBER] += behind
    members |= {DEBUG if name == "debug" else f"model/{name}.pkl": content for name, content in pickles.items()}
    path = tmp_path / "a.nm"
    path.write_bytes(attacks.pack([*members.items(), ("model/constants/0", bytes(16))]))
    return path


STATEMENTS: dict[str, Callable[[int], bytes]] = {
    "parentheses": lambda n: b"_9 = " + b"(" * n + b"1" + b")" * n,
    "lists": lambda n: b"_9 = " + b"[" * n + b"1" + b"]" * n,
    "calls": lambda n: b"_9 = " + b"torch.neg(" * (n // 4) + b"1" + b")" * (n // 4),
    "signs": lambda n: b"_9 = " + b"- " * n + b"1",
    "sums": lambda n: b"_9 = 1" + b" + 1" * n,
    "powers": lambda n: b"_9 = 1." + b" ** 1." * (n // 2),
    "choices": lambda n: b"_9 = " + b"1 if True else " * (n // 4) + b"1",
    "calls of calls": lambda n: b"_9 = x" + b"()" * n,
    "attributes": lambda n: b"_9 = x" + b".T" * n,
    "over lines": lambda n: b"_9 = (x" + b"\n.T" * n + b")",
    "types": lambda n: b"_9 = annotate(" + b"List[" * n + b"int" + b"]" * n + b", [])",
    "after a comma": lambda n: b"_9 = (1, 2" + b" + 1" * n + b")",
}


@pytest.mark.parametrize("kind", STATEMENTS)
def test_deep_statements_are_refused(kind: str, tmp_path: Path) -> None:
    check_program(written(tmp_path, STATEMENTS[kind](FINE)))
    with pytest.raises(ArtifactError, match=r"overdrive\.py' is not as PyTorch writes it: it is nested \d+ levels"):
        check_program(written(tmp_path, STATEMENTS[kind](TOO_DEEP)))


def test_deep_blocks_are_refused() -> None:
    def blocks(count: int) -> str:
        return "".join("  " * level + "if True:\n" for level in range(count)) + "  " * count + "x = 1\n"

    assert deepest_code(blocks(40)) < 60
    assert deepest_code(blocks(MOST_LEVELS)) > MOST_LEVELS
    assert deepest_code("if x:\n  1\n" + "elif y:\n  1\n" * MOST_LEVELS) > MOST_LEVELS


def test_long_is_not_deep() -> None:
    numbers = ", ".join(f"{index}.25" for index in range(5000))
    assert deepest_code(f"x = [{numbers}]\n" + "y = torch.add(x, 1)\n" * 5000) < 20
    pairs = ", ".join(f"(-{index}, [f(x)[0], x.y])" for index in range(5000))
    assert deepest_code(f"x = annotate(List[Tuple[int, int]], [{pairs}])\n" * 2) < 30
    assert deepest_code('x = "' + "(" * 5000 + '"\n# ' + "(" * 5000 + "\n") < 20


@pytest.mark.parametrize("kind", ["classes", "functions"])
def test_long_chains_of_definitions_are_refused(kind: str, tmp_path: Path) -> None:
    """Each is read in the midst of the one before."""

    def chain(count: int) -> bytes:
        first = b"class A0:\n  a : int\n" if kind == "classes" else b"def A0(x: int) -> int:\n  return x\n"
        form = "class A{0}:\n  a : __torch__ . overdrive\n.A{1}\n" if kind == "classes" else FUNCTION
        return first + b"".join(form.format(index, index - 1).encode() for index in range(1, count))

    check_program(written(tmp_path, behind=chain(FINE)))
    message = r"in its code 600 definitions name one another in a row, allowed are 500\. Export the model again"
    with pytest.raises(ArtifactError, match=message):
        check_program(written(tmp_path, behind=chain(600)))


FUNCTION = "def A{0}(x: int) -> int:\n  return __torch__.Overdrive.A{1}(x)\n"


def test_definitions_in_circles_are_refused(tmp_path: Path) -> None:
    assert definitions("class A:\n  a : __torch__.m.A\n  b : int\n", "__torch__.m") == {
        "__torch__.m.A": {"__torch__.m.A"}
    }
    assert longest_chain({"__torch__.m.A": {"__torch__.m.A"}}) == 1
    circle = b"class A:\n  a : __torch__.overdrive.B\nclass B:\n  a : __torch__.overdrive.A\n"
    with pytest.raises(ArtifactError, match=r"is not as PyTorch writes it: it defines '__torch__\.overdrive\."):
        check_program(written(tmp_path, behind=circle))


def gain(x: Tensor) -> Tensor:
    return x * 0.5


class Stage(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return gain(x)


class Gain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()

    def forward(self, x: Tensor) -> Tensor:
        return self.stage(x)


def test_names_that_differ_in_capitals_are_no_circle() -> None:
    defined = definitions_of(torch.jit.script(Gain()))
    assert sum("gain" in name.lower() for name in defined) == 2
    assert longest_chain(defined) == 3
    used = "class A:\n  a : __torch__.M.B\nclass B:\n  a : int\n"
    assert longest_chain(definitions(used, "__torch__.m")) == 2, "PyTorch finds the member all the same"


def test_comments_behind_a_name_take_no_time() -> None:
    code = "x = __torch__" + "# " * 5000 + "\n" + "#\n" * 5000 + "x = __torch__ #.a\n . b.C\n"
    assert definitions("class A:\n  a : int\n" + code, "__torch__.m") == {"__torch__.m.A": {"__torch__.b.C"}}


PICKLES: dict[str, Callable[[int], bytes]] = {
    "tuples": lambda n: b"K\x01" + b"\x85" * n,
    "tuples from marks": lambda n: b"(" * n + b"K\x01" + b"t" * n,
    "lists": lambda n: b"]" * n + b"a" * (n - 1),
    "lists from marks": lambda n: b"](" * n + b"K\x01" + b"e" * n,
    "dictionaries": lambda n: b"}(K\x01" * n + b"K\x01" + b"u" * n,
    "through memory": lambda n: b"]q\x00" + b"](h\x00eq\x00" * n,
    "results": lambda n: b"ctorch\ndevice\n" * n + b")" + b"R" * n,
    "a type": lambda n: unicode("List[" * n + "int" + "]" * n),
}


def unicode(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text.encode()


@pytest.mark.parametrize("kind", PICKLES)
def test_deep_pickles_are_refused(kind: str, tmp_path: Path) -> None:
    check_program(written(tmp_path, constants=b"\x80\x02" + PICKLES[kind](FINE) + b"."))
    for name in ("constants", "data", "traced_inputs"):
        with pytest.raises(ArtifactError, match=rf"{name}\.pkl' is not as PyTorch .*: it is nested deeper than 500"):
            check_program(written(tmp_path, **{name: b"\x80\x02" + PICKLES[kind](TOO_DEEP) + b"."}))


def test_where_lines_came_from_is_not_nested_deep_either(tmp_path: Path) -> None:
    """Which PyTorch reads where code fails; our own artifacts are written without."""
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(Gain()), buffer)
    with zipfile.ZipFile(buffer) as archive:
        for name in archive.namelist():
            if name.endswith(".debug_pkl"):
                check_program(written(tmp_path, debug=archive.read(name)))
    brackets = b"\x80\x02" + unicode("[" * TOO_DEEP) + b"."
    check_program(written(tmp_path, debug=brackets))  # a source is no type
    for too_deep in ({"constants": brackets}, {"debug": b"\x80\x02" + PICKLES["lists"](TOO_DEEP) + b"."}):
        with pytest.raises(ArtifactError, match=r"(constants\.|debug_)pkl' is not as .* nested deeper than 500"):
            check_program(written(tmp_path, **too_deep))


@pytest.mark.parametrize("content", [b"t.", b"R.", b"q\x01.", b"h\x01.", b"a.", b"0.", b"2.", b"K\x01\x87."])
def test_pickles_about_nothing_are_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"constants\.pkl' is not as PyTorch writes it: "):
        check_program(written(tmp_path, constants=b"\x80\x02" + content))


class Chained(nn.Module):
    def __init__(self, levels: int) -> None:
        super().__init__()
        self.inner = Chained(levels - 1) if levels else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = self.inner(x) + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x
        for _ in range(y.dim()):
            for _ in range(y.dim()):
                if y.dim() > 3:
                    y = y * 2.0
        return y


def definitions_of(scripted: torch.jit.ScriptModule) -> dict[str, set[str]]:
    buffer = io.BytesIO()
    torch.jit.save(scripted, buffer)
    defined: dict[str, set[str]] = {}
    with zipfile.ZipFile(buffer) as archive:
        for name in archive.namelist():
            if name.endswith(".py"):
                place = name.partition("code/")[2].removesuffix(".py").replace("/", ".")
                defined |= definitions(archive.read(name).decode(), place)
    return defined


def test_what_pytorch_writes_is_far_from_the_limit() -> None:
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(Chained(20)), buffer)
    defined: dict[str, set[str]] = {}
    pickles = PickleNesting()
    with zipfile.ZipFile(buffer) as archive:
        for name in archive.namelist():
            if name.endswith(".py"):
                code = archive.read(name).decode()
                assert 4 < deepest_code(code) < 60
                defined |= definitions(code, name.partition("code/")[2].removesuffix(".py").replace("/", "."))
        for operation, argument, _ in pickletools.genops(archive.read("archive/data.pkl")):
            pickles.follow(operation.name, argument)
    assert 20 <= longest_chain(defined) < 25
    assert 20 <= pickles.deepest < 60


# ---------------------------------------------------------------- data that is named in another way


def tensor(storage: bytes, count: int) -> bytes:
    size = b"(J" + struct.pack("<i", count) + b"t"
    made = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"QK\x00" + size + b"(K\x01t\x89"
    return made + b"ccollections\nOrderedDict\n)RtR"


def storage_of(count: int) -> bytes:
    number = b"J" + struct.pack("<i", count)
    return b"(" + unicode("storage") + b"ctorch\nFloatStorage\n" + unicode("0") + unicode("cpu") + number + b"t"


@pytest.mark.parametrize("how", ["as PyTorch does", "from memory", "in pieces"])
def test_data_shorter_than_told_is_refused_however_it_is_named(how: str, tmp_path: Path) -> None:
    """PyTorch believes the count, and reads what lies behind in memory."""

    def constants(count: int) -> bytes:
        storage = storage_of(count)
        if how == "as PyTorch does":
            return b"\x80\x02(" + tensor(storage, count) + b"t."
        if how == "from memory":
            return b"\x80\x02(" + storage + b"q\x00" + tensor(b"h\x00", count) + b"t."
        return b"\x80\x02(" + tensor(storage[:-1] + b"(tq\x00" + b"t", count) + b"t."

    if how == "as PyTorch does":
        check_contents(written(tmp_path, constants=constants(4)))
    with pytest.raises(ArtifactError, match=r"has 16 bytes of data, its|names data in a way that PyTorch does not"):
        check_contents(written(tmp_path, constants=constants(1000)))


def test_the_original_still_loads() -> None:
    load_artifact(attacks.EXPORTED / "overdrive" / "model.nm")

"""Writes docs/reference/compiled-operations.md from the compiler's own rules. Run after adding one."""

from pathlib import Path

from neutone_like.compiler.lowering import RULES

PAGE = Path(__file__).parent / "reference" / "compiled-operations.md"
HEAD = """# Operations that compile

What a network may be made of to become a compiled model. Operations with a definition of their own in PyTorch (group
norm, softmax, STFT, interpolation, attention, einsum...) are taken apart into these first. Names are PyTorch's, without
`aten::`; operators that write into their argument count as the ones that don't.

Everything else is refused with the operation, its line and its layer, and TorchScript plays the model. Refused whatever
it is made of: decisions by a tensor's values, or by how far Python has counted; random numbers; sizes that depend on
values; several inputs or outputs of sound; convolutions over two dimensions; recurrent layers over a batch or with
projections.
"""
TITLES = {
    "elementwise": "For each element",
    "making": "Tensors of nothing",
    "joining": "Side by side",
    "movement": "Where elements are: most of these cost nothing",
    "products": "Products with weights, and of two tensors",
    "convolutions": "Convolutions along time",
    "recurrent": "Recurrent layers, whole",
    "scans": "Linear recurrences (`streaming.IIR`, `Biquad`, `StateVariableFilter`), whole",
    "reductions": "One number of many",
    "spectra": "Spectra and complex numbers",
    "indexing": "Elements at places that a tensor says",
}


def page() -> str:
    """The whole page."""
    found: dict[str, set[str]] = {name: set() for name in TITLES}
    for op, rule in RULES.items():
        found[rule.__module__.rpartition(".")[2]].add(op.rpartition("::")[2].partition(".")[0].strip("_"))
    sections = [
        f"\n## {TITLES[name]}\n\n{', '.join(f'`{each}`' for each in sorted(operations))}\n"
        for name, operations in found.items()
    ]
    return HEAD + "".join(sections)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Wrote {PAGE}")

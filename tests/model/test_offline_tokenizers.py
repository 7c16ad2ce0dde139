"""Text to tokens with the tokenizers that models bring, against the libraries and by hand."""

import base64
import io
import sys
from pathlib import Path
from typing import Any

import pytest

from neutone_like import MissingExtraError, ModelError, ParameterError
from neutone_like.render.tokenizing import RwkvWorldTokenizer, open_tokenizer

# As in the vocabulary of the RWKV "World" models: index, literal, length in bytes.
VOCABULARY = "\n".join(
    [
        *(f"{byte + 1} {chr(byte)!r} 1" for byte in range(128)),
        *(f"{byte + 1} {bytes([byte])!r} 1" for byte in range(128, 256)),
        "257 'th' 2",
        "258 'the' 3",
        "259 ' the' 4",
        "260 'then' 4",
        "261 '日' 3",
        r"262 b'\xe6\x97' 2",
        "263 '日本' 6",
        '264 "\'s" 2',
        "265 '  ' 2",
        "65530 '\\n\\n' 2",
    ]
)


def in_base64(content: str | bytes) -> str:
    return base64.b64encode(content.encode() if isinstance(content, str) else content).decode()


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", []),
        ("a", [98]),
        ("the", [258]),
        ("th", [257]),
        ("then the", [260, 259]),
        ("thex", [258, 121]),
        ("日", [261]),
        ("日本", [263]),
        ("日月", [261, 0xE6 + 1, 0x9C + 1, 0x88 + 1]),
        ("\u65e9", [262, 0xA9 + 1]),  # a character that shares two of its three bytes with another
        ("it's", [106, 117, 264]),
        ("\n\n\n", [65530, 11]),
        ("   ", [265, 33]),
    ],
)
def test_rwkv_world_takes_the_longest_entry(text: str, tokens: list[int]) -> None:
    assert open_tokenizer("RWKVWorld", in_base64(VOCABULARY)).encode(text) == tokens


def test_rwkv_world_by_brute_force() -> None:
    import random

    entries = {
        258: b"the",
        259: b" the",
        257: b"th",
        260: b"then",
        265: b"  ",
        **{b + 1: bytes([b]) for b in range(128)},
    }
    tokenizer = RwkvWorldTokenizer("\n".join(f"{i} {e.decode()!r} {len(e)}" for i, e in entries.items()).encode())
    chooser = random.Random(0)
    for _ in range(200):
        text = "".join(chooser.choice("then ax ") for _ in range(30))
        rest, expected = text.encode(), []
        while rest:
            index, entry = max(
                ((i, e) for i, e in entries.items() if rest.startswith(e)), key=lambda each: len(each[1])
            )
            expected.append(index)
            rest = rest[len(entry) :]
        assert tokenizer.encode(text) == expected


@pytest.mark.parametrize(
    ("vocabulary", "message"),
    [
        ("1 'a' 1\nnonsense", r"line 2: expected 'index literal length', got 'nonsense'"),
        ("1 'a' 2", r"line 1: expected a literal of 2 bytes, got"),
        ("1 'a' + 'b' 2", r"line 1: expected a literal of 2 bytes"),
        ("1 '' 0", r"line 1: expected a literal of 0 bytes"),
        ("\n", "an empty vocabulary"),
    ],
)
def test_vocabularies_that_are_refused(vocabulary: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        open_tokenizer("RWKVWorld", in_base64(vocabulary))


def test_a_character_that_no_entry_has() -> None:
    tokenizer = RwkvWorldTokenizer(b"1 'a' 1")
    with pytest.raises(ParameterError, match="no token for the byte 98 of 'b', character 3 of the text"):
        tokenizer.encode("aab")


def test_json_is_what_the_library_says() -> None:
    tokenizers = pytest.importorskip("tokenizers")
    reference = tokenizers.Tokenizer(tokenizers.models.WordLevel({"deep": 3, "bass": 7, "[UNK]": 0}, unk_token="[UNK]"))
    reference.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    for given in (in_base64(reference.to_str()), reference.to_str()):  # some models hold it as it is
        tokenizer = open_tokenizer("JSON", given)
        assert tokenizer.encode("deep deep bass drum") == [3, 3, 7, 0]


def test_sentencepiece_is_what_the_library_says(tmp_path: Path) -> None:
    sentencepiece = pytest.importorskip("sentencepiece")
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["deep bass", "deep drum", "bright bass drum"] * 20),
        model_writer=model,
        vocab_size=30,
        minloglevel=2,
        hard_vocab_limit=False,
    )
    reference = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    tokenizer = open_tokenizer("SentencePiece", in_base64(model.getvalue()))
    tokens = tokenizer.encode("deep bright drum")
    assert tokens == reference.encode("deep bright drum")
    assert reference.decode(tokens) == "deep bright drum"


def test_no_tokenizer_or_none_that_is_known() -> None:
    with pytest.raises(ModelError, match="The model has no tokenizer .* Pass the tokens, as a list"):
        open_tokenizer(None, "")
    with pytest.raises(ModelError, match="type must be one of JSON, SentencePiece, RWKVWorld, got 'BPE'"):
        open_tokenizer("BPE", "")
    with pytest.raises(ModelError, match="not in base64"):
        open_tokenizer("RWKVWorld", "1 'a' 1")


@pytest.mark.parametrize("kind", ["JSON", "SentencePiece"])
def test_a_damaged_tokenizer(kind: str) -> None:
    pytest.importorskip({"JSON": "tokenizers", "SentencePiece": "sentencepiece"}[kind])
    with pytest.raises(ModelError, match=f"The model's tokenizer is no usable file of type {kind}: "):
        open_tokenizer(kind, in_base64("{broken"))


@pytest.mark.parametrize(("kind", "library"), [("JSON", "tokenizers"), ("SentencePiece", "sentencepiece")])
def test_without_the_library(kind: str, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_import(name: str, *rest: Any) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.delitem(sys.modules, library, raising=False)
    monkeypatch.setattr("importlib.import_module", no_import)
    with pytest.raises(MissingExtraError, match=rf"{library}.*pip install \"neutone-like\[tokenizers\]\""):
        open_tokenizer(kind, in_base64("{}"))

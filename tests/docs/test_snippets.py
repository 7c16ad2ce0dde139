"""The runner of documentation snippets must itself fail where a snippet does."""

from pathlib import Path

import pytest

from support.snippets import run_page, snippets

PAGE = """# A page

```python
value = 20
```

<!-- not run: it would fail -->
```python
raise RuntimeError("this is not run")
```

```text
not python
```

```python
value += 22
answer = value
```
"""


def test_finds_blocks_with_their_lines_and_marks() -> None:
    found = [(block.language, block.line, block.not_run) for block in snippets(PAGE)]
    assert found == [("python", 4, None), ("python", 9, "it would fail"), ("text", 13, None), ("python", 17, None)]


def test_blocks_share_names(tmp_path: Path) -> None:
    page = tmp_path / "good.md"
    page.write_text(PAGE + "\n```python\nassert answer == 42\n```\n")
    assert run_page(page, tmp_path) == 3


def test_a_failing_block_is_reported_at_the_line_of_the_page(tmp_path: Path) -> None:
    page = tmp_path / "bad.md"
    page.write_text(PAGE + "\n```python\nassert answer == 41\n```\n")
    with pytest.raises(AssertionError) as caught:
        run_page(page, tmp_path)
    assert caught.traceback[-1].lineno + 1 == page.read_text().splitlines().index("assert answer == 41") + 1


def test_a_failing_command_is_reported(tmp_path: Path) -> None:
    page = tmp_path / "command.md"
    page.write_text("```bash\nneutone-like no-such-verb\n```\n")
    with pytest.raises(AssertionError, match="No such command .no-such-verb."):
        run_page(page, tmp_path)

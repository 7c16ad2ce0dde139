"""A result's lines: few at a prompt, all of them from a command, and a table in a notebook."""

from neutone_like.printing import Printed, few_lines, html_table, whole_text


def test_a_command_shows_all_lines_and_nothing_that_steers_a_terminal() -> None:
    class Long(Printed):
        def _rows(self) -> list[tuple[str, str]]:
            return [(str(row), "\x1b[2J" + "long " * 40) for row in range(12)]

    assert whole_text(Long()).splitlines() == [
        "Long",
        *(f"  {row}: \\x1b[2J{'long ' * 40}".rstrip() for row in range(12)),
    ]
    assert "more" in str(Long())
    assert "..." in str(Long())


def test_few_lines_and_tables() -> None:
    assert few_lines("Title", [("a", "1", "2"), ("b",)]) == "Title\n  a: 1, 2\n  b"
    assert few_lines("T", [(str(n),) for n in range(9)]).splitlines()[-1] == "  ... and 4 more"
    assert html_table("<", [("a\nb",)]).count("&lt;") == 1
    assert "a<br>b" in html_table("<", [("a\nb",)])

"""What is wrong with the stopping of other completion programs, each defect by its name."""

from __future__ import annotations

import pytest

from completion.filters import pipeline
from completion.filters.cursor import Cursor, Lines
from completion.filters.stop_rule import Stop, StopReason, StopRule
from completion.syntax.languages import language_for


def cursor_of(name: str, prefix: str, suffix: str = "", lines: Lines = Lines.AUTO) -> Cursor:
    return Cursor(
        prefix=prefix.encode(),
        suffix=suffix.encode(),
        language=language_for(name, ""),
        lines=lines,
    )


def stopped(cursor: Cursor, text: str) -> tuple[str, StopReason, int]:
    """Return the middle, the reason, and how many bytes the model had to say."""
    rule, stop = StopRule(cursor), None
    said = 0
    for byte in text.encode():
        said += 1
        stop = rule.feed(bytes([byte]))
        if stop:
            break
    stop = stop or rule.finish(StopReason.MODEL)
    return rule.middle.decode(), stop.reason, said


@pytest.mark.parametrize(
    ("name", "prefix", "line"),
    [
        ("javascript", "const u = ", '"https://example.org/a//b";'),
        ("javascript", "const t = ", "`a ${b} c`; // and more"),
        ("go", "func f() {\n\tg()\n\tu := ", '"https://example.org" // here'),
        ("python", "x = ", "a // b  # ```"),
        ("shellscript", "u=", '"https://example.org" # `date`'),
        ("rust", "fn f() {\n    g();\n    let u = ", '"```"; // x'),
        ("java", "String u = ", '"a//```b"; // c'),
    ],
)
def test_continue_slashes_and_backticks_are_no_stop_strings(
    name: str, prefix: str, line: str
) -> None:
    middle, reason, _ = stopped(cursor_of(name, prefix), line + "\nnext\n")
    assert middle == line
    assert reason in (StopReason.SYNTAX, StopReason.LINE)


RUNS_ON = {
    "python": ("def f():\n    ", "return 1\n", "\n\ndef g():\n    return 2\n"),
    "javascript": ("function f() {\n  ", "return 1;\n}", "\n\nfunction g() {\n  return 2;\n}\n"),
    "typescript": ("f(): void {\n  ", "return;\n}", "\n\ng(): void {\n  return;\n}\n"),
    "go": ("func f() int {\n\t", "return 1\n}", "\n\nfunc g() int {\n\treturn 2\n}\n"),
    "rust": ("fn f() -> i32 {\n    ", "1\n}", "\n\nfn g() -> i32 {\n    2\n}\n"),
    "java": ("int f() {\n    ", "return 1;\n}", "\n\nint g() {\n    return 2;\n}\n"),
    "c": ("int f(void)\n{\n\t", "return 1;\n}", "\n\nint g(void)\n{\n\treturn 2;\n}\n"),
    "cpp": ("int f() {\n  ", "return 1;\n}", "\n\nint g() {\n  return 2;\n}\n"),
    "csharp": ("int F()\n{\n    ", "return 1;\n}", "\n\nint G()\n{\n    return 2;\n}\n"),
    "ruby": ("def f\n  ", "1\nend", "\n\ndef g\n  2\nend\n"),
    "shellscript": ("f() {\n  ", "echo 1\n}", "\n\ng() {\n  echo 2\n}\n"),
}


@pytest.mark.parametrize("name", sorted(RUNS_ON))
@pytest.mark.parametrize("lines", [Lines.AUTO, Lines.MULTI])
def test_runs_on_too_long_the_body_ends_and_nothing_after_it_is_waited_for(
    name: str, lines: Lines
) -> None:
    prefix, body, more = RUNS_ON[name]
    middle, reason, said = stopped(cursor_of(name, prefix, lines=lines), body + more * 20)
    assert middle == body.rstrip()
    assert reason is StopReason.SYNTAX
    assert said <= len(body) + 4, "the engine goes on while the rule has not stopped"


@pytest.mark.parametrize("name", sorted(RUNS_ON))
def test_cut_off_too_early_no_line_of_a_body_is_missing(name: str) -> None:
    prefix, body, more = RUNS_ON[name]
    closer = body.split("\n")[-1].strip()
    first = body.split("\n")[0]
    indent = prefix.split("\n")[-1]
    text = f"{first}\n\n{indent}{first[:-1]}2{first[-1:]}\n{closer}"
    suffix = f"\n{closer}\n" if closer else "\n"
    middle, reason, _ = stopped(cursor_of(name, prefix, suffix), text + more)
    assert middle == text[: len(text) - len(closer)].rstrip()
    assert reason in (StopReason.SUFFIX, StopReason.SYNTAX)


def test_the_text_after_the_cursor_is_never_repeated_indented_or_not() -> None:
    for indent in ("  ", "    ", "\t"):
        suffix = f"\n{indent}return total + 1;\n}}\n"
        cursor = cursor_of("javascript", f"function f() {{\n{indent}", suffix, Lines.MULTI)
        middle, reason, _ = stopped(cursor, f"let total = 2;\n{indent}return total + 1;\n}}\n")
        assert (middle, reason) == ("let total = 2;", StopReason.SUFFIX)


def test_a_selected_popup_item_is_where_the_completion_begins() -> None:
    cursor = cursor_of("javascript", "items.forEach", "\n")
    middle, reason, _ = stopped(cursor, "((x) => {\n  use(x);\n});\nmore();\n")
    assert (middle, reason) == ("((x) => {\n  use(x);\n});", StopReason.SYNTAX)


def test_indentation_tabs_stay_tabs_and_spaces_spaces() -> None:
    tabs = "func a() {\n\tif x {\n\t\ty()\n\t}\n}\n"
    cursor = cursor_of("go", tabs + "func f() {", "\n")
    text = pipeline.run(b"\n    if x {\n        y()\n    }\n}", cursor).text
    assert text == b"\n\tif x {\n\t\ty()\n\t}\n}"
    spaces = "function a() {\n  if (x) {\n    y();\n  }\n}\n"
    cursor = cursor_of("javascript", spaces + "function f() {", "\n")
    text = pipeline.run(b"\n\tif (x) {\n\t\ty();\n\t}\n}", cursor).text
    assert text == b"\n  if (x) {\n    y();\n  }\n}"


def test_crlf_is_kept_by_what_stops_and_by_what_is_shown() -> None:
    prefix = "class A\r\n{\r\n    void F()\r\n    {\r\n        "
    cursor = Cursor(
        prefix=prefix.encode(),
        suffix=b"\r\n    }\r\n}\r\n",
        language=language_for("csharp", ""),
        eol=b"\r\n",
    )
    rule = StopRule(cursor)
    stop = rule.feed(b"A();\r\n        B();\r\n    }\r\n}\r\n")
    assert stop == Stop(
        reason=StopReason.SUFFIX, length=len(b"A();\r\n        B();"), line_ended=True
    )
    assert pipeline.run(rule.middle, cursor).text == b"A();\r\n        B();"

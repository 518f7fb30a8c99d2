"""Which function of a file is typed."""

from eval.replay.regions import LEAST, MOST, region_of


def function(name: str, lines: int, indent: str = "") -> str:
    body = "".join(f"{indent}    value_{n} = compute({n})\n" for n in range(lines))
    return f"{indent}def {name}(x):\n{body}"


FITS = function("fits", 18)
assert LEAST < len(FITS) < MOST


def typed(source: str) -> str | None:
    place = region_of("a.py", source.encode())
    return None if place is None else source.encode()[place[0] : place[1]].decode()


def test_a_whole_function_of_moderate_length_is_typed_without_its_line_end():
    assert typed(f"import os\n\n\n{function('short', 2)}\n{FITS}\nx = 1\n") == FITS.rstrip()


def test_there_is_none_in_a_file_of_short_and_long_ones():
    assert typed(function("short", 2) + function("long", 60)) is None
    assert typed("") is None
    assert typed("x = 1\n") is None


def test_a_method_begins_with_its_indentation_and_its_decorators():
    method = "    @property\n" + function("fits", 16, "    ")
    assert typed(f"class A:\n{method}") == method.rstrip()


def test_a_function_inside_one_that_is_too_long_is_found():
    inner = function("inner", 16, "    ")
    assert typed(function("outer", 40) + "\n" + inner) == inner.rstrip()


def test_a_function_with_a_syntax_error_is_left_out():
    assert typed(FITS.replace("compute(3)", "compute(3")) is None


def test_a_function_that_shares_a_line_is_left_out():
    assert typed(f"if x: pass\n{FITS.rstrip()}; y = 1\n") != FITS.rstrip()


def test_windows_line_ends_and_other_scripts_are_counted_in_characters():
    source = FITS.replace("compute", "computé").replace("\n", "\r\n")
    assert typed(source) == source.rstrip()


def test_the_choice_is_the_same_each_time_and_another_for_another_path():
    source = "\n".join(function(f"f{n}", 18) for n in range(8)).encode()
    assert region_of("a.py", source) == region_of("a.py", source)
    assert len({region_of(f"{n}.py", source) for n in range(20)}) > 2


def test_deep_nesting_is_no_problem():
    source = "".join(" " * n + f"def f{n}():\n" for n in range(500)) + " " * 500 + "pass\n"
    assert region_of("a.py", source.encode()) is None

from __future__ import annotations

from training.objectives.dual import body_tasks, docstring_tasks
from training.objectives.parsed import Found

CODE = '''@wrap
def add(a, b):
    """Add größe."""
    total = a + b
    return total

def bare(a):
    return a

def said():
    """Nothing else."""

class Thing:
    """A thing."""

    @property
    def size(self):
        """Its size."""
        return 1
'''
PARSED = Found("a.py", CODE)


def test_bodies_stand_behind_signature_and_docstring() -> None:
    tasks = sorted(body_tasks(PARSED))
    assert [CODE[slice(*t.middle)] for t in tasks] == [
        "total = a + b\n    return total",
        "return 1",
    ]
    for task, name in zip(tasks, ("add", "size"), strict=True):
        before = CODE[task.needs[0] : task.middle[0]]
        assert before.startswith(f"def {name}(")
        assert before.rstrip().endswith('"""')
        assert task.needs[1] == task.middle[1]


def test_docstrings_need_the_body_behind_them() -> None:
    tasks = sorted(docstring_tasks(PARSED))
    assert [CODE[slice(*t.middle)] for t in tasks] == [
        '"""Add größe."""', '"""A thing."""', '"""Its size."""',
    ]  # fmt: skip
    behind = [CODE[t.middle[1] : t.needs[1]].strip() for t in tasks]
    assert behind[0] == "total = a + b\n    return total"
    assert behind[1].startswith("@property")
    assert behind[1].endswith("return 1")
    assert behind[2] == "return 1"


def test_a_comment_above_describes_where_the_language_says_so_there() -> None:
    code = "package a\n\n// Add adds.\n// Both.\nfunc Add(a, b int) int {\n\treturn a + b\n}\n"
    parsed = Found("a.go", code)
    (body,), (docstring,) = body_tasks(parsed), docstring_tasks(parsed)
    assert code[slice(*body.middle)] == "return a + b"
    assert code[slice(*docstring.middle)] == "// Add adds.\n// Both."
    assert code[slice(*docstring.needs)].startswith("// Add adds.")
    assert docstring.needs == body.needs == (docstring.middle[0], body.middle[1])

"""A small queue of jobs: strings of every kind, and brackets over lines."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
PATTERN = re.compile(r"(?P<name>\w+)\s*=\s*(?P<value>'[^']*'|\"[^\"]*\")")
RAW = rb"\x00\"still raw"
EMPTY = ""
NESTED = f"{'a' + "b".upper() if EMPTY else 'c'}"
TABLE = {
    "one": 1,  # a comment with a "quote"
    'two': 0x2F,
    "three": 3_000.5e-3,
}


@dataclass(frozen=True)
class Job(Generic[T]):
    """One job.

    It may hold 'quotes' and "double quotes" and a # sign.
    """

    name: str
    payload: T
    tags: list[str] = field(default_factory=list)

    def describe(self, *, width: int = 10) -> str:
        '''Return a line about it.'''
        text = f"{self.name!r:>{width}}: {len(self.tags):03d} {{literal}}"
        if self.tags:
            text += " [" + ", ".join(sorted(self.tags)) + "]"
        return text

    @property
    def key(self) -> bytes:
        r"""Raw docstring with a \d in it."""
        return self.name.encode() + b"\n"


class Queue:
    """Holds jobs."""

    def __init__(self) -> None:
        self._jobs: list[Job[object]] = []
        self.log = """first line
        second "line" with 'quotes'
        # no comment
        """

    def push(self, job: Job[object]) -> None:
        self._jobs.append(
            job,
        )

    async def drain(self):
        while self._jobs:
            job = self._jobs.pop(0)
            try:
                yield job
            except (KeyError, ValueError) as error:
                raise RuntimeError(
                    f"could not run {job.name}: "
                    f"{error}"
                ) from error
            finally:
                self.log += '\n'

    def names(self) -> list[str]:
        return [
            job.name
            for job in self._jobs
            if not job.name.startswith(("_", '.'))
        ]


def parse(text: str) -> dict[str, str]:
    found = {}
    for match in PATTERN.finditer(text):
        name, value = match["name"], match['value']
        found[name] = value.strip("'\"")
    total = sum(x for x in (1, 2, 3)) + \
        len(found)
    assert total >= 6, "too few"
    return found


def choose(command):
    match command:
        case ["go", direction]:
            return direction
        case {"name": str(name)}:
            return name
        case _:
            return None


def main() -> int:
    queue = Queue()
    queue.push(Job("first", {"a": [1, 2, (3, 4)]}, ["x"]))
    print(queue.names(), choose(["go", "north"]), end='')
    print(f'{parse("a = 'b'")!s:<10}|{3.0:.2f}')
    value = lambda x: x + 1  # noqa: E731
    return value(0) - 1


if __name__ == "__main__":
    raise SystemExit(main())

"""jedi in a process of its own: asked beside everything else, ended when it hangs.

It is slow (a first question may take seconds), it recurses deeply, and it holds the interpreter
while it thinks; so none of it is in the language server's process. What it has said is kept: the
names of a line are mostly those of the line before.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from completion.wire.environment import child_environment
from lsp.context.definitions import Target
from lsp.context.found import Spot, line_start
from lsp.context.uses import Use

log = logging.getLogger("caret.lsp")

HANG_S = 20.0
"""A question that takes longer will not be answered: the process is ended."""
HANGS = 3
"""How often that may happen, or the process end by itself, before jedi is left alone for good."""
MAX_TEXT = 512 << 10
"""Longer documents are not asked about, in bytes."""
MAX_USES = 12
KEPT = 512
"""Names that are remembered."""

Key = tuple[str, bytes, bytes]
"""A path, and a name with what stands before it with a dot."""


@dataclass(kw_only=True, slots=True)
class _Question:
    number: int
    spot: Spot
    uses: tuple[Use, ...]
    since: float
    answered: threading.Event = field(default_factory=threading.Event)


class Jedi:
    """One workspace folder's jedi. Thread-safe; :meth:`close` it at the end."""

    def __init__(self, root: Path, command: Sequence[str] = ()) -> None:
        """Take the folder; ``command`` stands in for jedi's process in tests."""
        self._root = root
        module = [sys.executable, "-m", "lsp.context.jedi_worker", str(root)]
        self._command = list(command) or module
        self._usable = bool(command) or find_spec("jedi") is not None
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._asked: _Question | None = None
        self._known: OrderedDict[Key, tuple[Target, ...]] = OrderedDict()
        self._numbers = 0
        self.hangs = 0

    @property
    def is_busy(self) -> bool:
        """Whether a question is open."""
        return self._asked is not None

    def begin(self, spot: Spot, uses: Sequence[Use]) -> Answers:
        """Ask about the first names of ``uses``, unless a question is still open."""
        chosen = tuple(uses[:MAX_USES])
        with self._lock:
            question = self._ask(spot, chosen) if len(spot.text) <= MAX_TEXT else None
        return Answers(self, spot, tuple(uses), question)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._usable = False
            self._end()

    def forget(self) -> None:
        """Remember nothing of what was said, nor of what is still being answered."""
        with self._lock:
            self._known.clear()
            if self._asked is not None:
                self._asked.answered.set()
                self._asked = None

    def recall(self, spot: Spot, uses: Sequence[Use]) -> dict[bytes, list[Target]]:
        """Return what is known of the names, from this question or an earlier one."""
        out: dict[bytes, list[Target]] = {}
        with self._lock:
            for use in uses:
                found = self._known.get((spot.path, use.owner, use.name))
                if found is not None:
                    out[use.name] = list(found)
        return out

    def _ask(self, spot: Spot, uses: tuple[Use, ...]) -> _Question | None:
        open_question = self._asked
        if open_question is not None:
            if time.monotonic() - open_question.since < HANG_S:
                return None
            self._failed("does not answer")
        if not self._usable or not uses:
            return None
        try:
            process = self._process or self._start()
            self._numbers += 1
            question = _Question(number=self._numbers, spot=spot, uses=uses, since=time.monotonic())
            self._asked = question
            assert process.stdin is not None
            process.stdin.write(_line(question))
            process.stdin.flush()
        except OSError:
            self._failed("cannot be asked")
            return None
        return question

    def _start(self) -> subprocess.Popen[bytes]:
        self._process = process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env=child_environment(), cwd=Path(__file__).parent,
        )  # fmt: skip
        threading.Thread(target=self._listen, args=(process,), daemon=True, name="jedi").start()
        return process

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            try:
                answer = json.loads(line)
                number, found = answer["id"], answer["found"]
                with self._lock:
                    question = self._asked
                    if question is not None and question.number == number:
                        self._asked = None
                        self._remember(question, found)
                        question.answered.set()
            except (ValueError, KeyError, TypeError):
                log.debug("jedi's process said something that is no answer")
        with self._lock:
            if self._process is process:
                self._failed("has ended")

    def _remember(self, question: _Question, found: list[Any]) -> None:
        for use, places in zip(question.uses, found, strict=False):
            if places is None:
                continue  # it may be an edit's fault: what was known before is still the best guess
            key = (question.spot.path, use.owner, use.name)
            targets = tuple(
                Target(path, line=line, name=name.encode()) for path, line, name in places
            )
            self._known.pop(key, None)
            self._known[key] = targets
        while len(self._known) > KEPT:
            self._known.popitem(last=False)

    def _failed(self, why: str) -> None:
        self.hangs += 1
        if self._usable:
            log.warning("jedi %s; it is %s", why, "left alone" if self.hangs >= HANGS else "ended")
        self._usable = self._usable and self.hangs < HANGS
        self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if self._asked is not None:
            self._asked.answered.set()
            self._asked = None
        if process is not None:
            process.kill()
            threading.Thread(target=process.wait, daemon=True).start()


class Answers:
    """What a question will bring, or has brought before."""

    def __init__(
        self, jedi: Jedi, spot: Spot, uses: tuple[Use, ...], question: _Question | None
    ) -> None:
        self._jedi, self._spot, self._uses, self._question = jedi, spot, uses, question
        self.complete = question is not None or not jedi.is_busy

    def result(self, seconds: float) -> dict[bytes, list[Target]]:
        """Return by name where it is defined, as far as is known after so many seconds."""
        if self._question is not None:
            self.complete = self._question.answered.wait(seconds)
        return self._jedi.recall(self._spot, self._uses)


def _line(question: _Question) -> bytes:
    text = question.spot.text
    places: list[tuple[int, int]] = []
    for use in question.uses:
        start = line_start(text, use.at)
        row = text.count(b"\n", 0, start) + 1
        places.append((row, len(text[start : use.at].decode("utf-8", "replace"))))
    asked = {
        "id": question.number,
        "path": question.spot.path,
        "text": text.decode("utf-8", "replace"),
        "places": places,
    }
    return json.dumps(asked).encode() + b"\n"

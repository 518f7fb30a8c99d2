"""Suggestions of a real `caret lsp`, driven as an editor drives it: edits and requests over stdio."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType

from completion.config import ContextConfig
from completion.config_sources import load
from completion.errors import CaretError
from completion.wire.address import parse_address
from completion.wire.channel import NotServing, open_channel, wait_until_serving
from eval.errors import EngineGone
from eval.item import Answer, Timings, to_bytes
from eval.replay.replay import ASKED, NO_MODEL, UNKNOWN, Suggestion
from eval.replay.typist import Edit, Typing, offset_of, position
from eval.replay.workspace import lay_out
from eval.workspace.arms import Arm
from eval.workspace.place import Place
from lsp.session import LspSession, Message, inline, lsp_command

_TIMEOUT_MS = "600000"
"""No answer is given up: every key is answered, and a slow one is seen in the latency."""
_PROBE_S = 2.0
_GATHERED_S = 20.0
"""How long the first gathering that lacks nothing is waited for: a user has looked at the file for
a while before the first key."""
_HELD_S = 20.0
"""How long the service has to take in and fit the workspace before the first key: nothing that an
editor hears says when it has."""
_TOLD_S = 60.0
"""How long the timings of an answer are waited for, of which the first line was there before."""
_CONTEXT = "caret/context"
_ANSWERED = "caret/answered"
_TIMINGS = "caret/timings"


@dataclass(frozen=True, kw_only=True, slots=True)
class Manner:
    """How the file is typed."""

    other_files: Arm | None = None
    """What the language server makes of other files; ``None``: what it does by itself."""
    key_s: float = 0.0
    """Least time between two requests, in seconds; 0: the typist is as quick as the answers."""
    always_ask: bool = False
    """Whether the model is asked anew at each key: nothing kept, recycled or asked for ahead."""

    @property
    def gathers(self) -> bool:
        """Whether snippets of other files are sent."""
        return self.other_files is None or self.other_files.snippets

    @property
    def mixes(self) -> bool:
        """Whether the workspace is wanted in the service, and so is waited for."""
        return self.other_files is not None and self.other_files.workspace

    @property
    def settings(self) -> dict[str, str]:
        """Return the language server's settings, as variables of its environment."""
        arm = self.other_files
        if arm is None:
            return {}
        return {
            "CARET_CONTEXT_ENABLED": str(arm is not Arm.NONE).lower(),
            "CARET_CONTEXT_MAX_BYTES": str(ContextConfig().max_bytes if arm.snippets else 0),
            "CARET_WORKSPACE_MODEL_ENABLED": str(arm.workspace).lower(),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What an editor shows behind one request."""

    edit: Edit | None
    milliseconds: float
    """From the request to its answer, as the editor sees it."""
    served: float
    """Of them, those between the language server's reading it and its answering."""
    source: str
    """"cache", "model", "recycled" (a request made for an earlier text), or "none": superseded."""
    completion_id: str


class Editor:
    """One file open in one editor whose language server asks the service at ``address``.

    ``async with`` it. The user's own configuration is not read, so that figures compare.
    """

    def __init__(
        self, address: str, path: str, language: str, typing: Typing, folder: Path,
        *, place: Place | None = None, manner: Manner | None = None,
    ) -> None:  # fmt: skip
        """Take a scratch ``folder``, and where the file really lies; None: it stands alone."""
        self._address, self._language, self._typing = address, language, typing
        parts = PurePosixPath(place.path if place is not None else path).parts
        self._inside = [part for part in parts if part not in ("/", "..")]
        self._folder, self._place = folder, place
        self._manner = manner or Manner()
        self._asked = float("-inf")
        self._tokens = itertools.count(1)
        self._version = 1
        self._uri = ""

    async def __aenter__(self) -> Editor:
        """Start the language server and open the file.

        Raises:
            EngineGone: it does not start, or finds no service.
        """
        environment = {
            "CARET_CLIENT_TIMEOUT_MS": _TIMEOUT_MS,
            **self._manner.settings,
            "XDG_CONFIG_HOME": str(self._folder / "config"),
            "XDG_CACHE_HOME": str(self._folder / "cache"),
        }
        self._work = self._folder / f"work-{time.monotonic_ns()}"
        self._session = LspSession(lsp_command("--server", self._address), environment=environment)
        await self._session.__aenter__()
        try:
            await self._open(self._work)
        except BaseException as error:
            await self.__aexit__(None, None, None)
            if isinstance(error, CaretError):
                raise EngineGone(error.message) from None
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        await self._session.__aexit__(kind, error, trace)
        shutil.rmtree(self._work, ignore_errors=True)

    async def edited(self, before: Typing, edit: Edit) -> None:
        """Send the edit as an editor does: its range, and no more."""
        self._version += 1
        document = before.document
        change = {
            "range": {"start": _place(document, edit.start), "end": _place(document, edit.end)},
            "text": edit.text,
        }
        self._session.change(self._uri, self._version, change)

    async def suggestion(self, typing: Typing) -> Suggestion:
        """Return what an editor would show.

        Raises:
            EngineGone: the language server or the service behind it has ended.
        """
        if (rest := self._asked + self._manner.key_s - time.monotonic()) > 0:
            await asyncio.sleep(rest)
        self._asked = time.monotonic()
        asked = await self.asked(typing)
        told = await self._timings(asked)
        if told is None and asked.edit is None and asked.source == "none":
            await self._check()
        return _suggestion(asked, told)

    async def asked(self, typing: Typing) -> Asked:
        """Ask at the cursor of ``typing``; return what an editor would show, and how it came.

        Several may be under way: the language server answers each.

        Raises:
            EngineGone: the language server has ended.
        """
        session, token = self._session, next(self._tokens)
        params = inline(self._uri, *position(typing.document, typing.cursor))
        heard, started = len(session.notifications), time.perf_counter()
        try:
            found = await session.request(
                "textDocument/inlineCompletion", {**params, "workDoneToken": token}
            )
        except CaretError as error:
            raise EngineGone(error.message) from None
        milliseconds = (time.perf_counter() - started) * 1000
        said = [
            n["params"]
            for n in session.notifications[heard:]
            if n["method"] == _ANSWERED and n["params"]["token"] == token
        ]
        return Asked(
            edit=_edit((found or {}).get("items", ()), typing.document),
            milliseconds=milliseconds,
            served=said[-1]["milliseconds"] if said else milliseconds,
            source=said[-1]["source"] if said else "none",
            completion_id=said[-1]["completionId"] if said else "",
        )

    async def _timings(self, asked: Asked) -> Message | None:
        """Return what the model's answer took; ``None``: it was not asked, or nobody knows."""
        if asked.source not in ("model", "recycled"):
            return None

        def told(message: Message) -> bool:
            return (
                message["method"] == _TIMINGS
                and message["params"]["completionId"] == asked.completion_id
            )

        try:
            return (await self._session.notification(told, _TOLD_S))["params"]
        except CaretError:
            return None

    async def _open(self, root: Path) -> None:
        root.mkdir()
        tabs = lay_out(self._place, self._typing, root) if self._place is not None else []
        if self._place is not None and self._manner.gathers:
            self._indexed(root)
        experimental = {
            "caretTimings": True, "caretContext": True, "caretAlwaysAsk": self._manner.always_ask,
        }  # fmt: skip
        said = await self._session.initialize(root, capabilities={"experimental": experimental})
        encoding = said["capabilities"].get("positionEncoding", "utf-16")
        if encoding != "utf-8":
            raise CaretError(f"the language server counts in {encoding}, where utf-8 was offered")
        await self._session.ready()
        for tab in tabs:
            self._session.open(
                tab, tab.read_text(encoding="utf-8", errors="replace"), self._language
            )
        path = root.joinpath(*(self._inside or ["file.py"]))
        self._uri = self._session.open(path, self._typing.document, self._language)
        await self._look()

    def _indexed(self, root: Path) -> None:
        """Index the workspace as it was before this session, which finds that index."""
        from lsp.context.gather_now import Gathering
        from lsp.context.index.keys import cache_folder

        home = self._folder / "cache" / cache_folder().parent.name / cache_folder().name
        with Gathering(root, index_folder=home):
            pass

    async def _look(self) -> None:
        """Ask once before the first key; with context, until a gathering lacked nothing."""
        session, until = self._session, time.monotonic() + _GATHERED_S
        where = position(self._typing.document, self._typing.cursor)
        gathers = self._place is not None and self._manner.gathers
        await session.complete(self._uri, *where)
        if self._place is not None and self._manner.mixes:
            await asyncio.sleep(_HELD_S)
        for count in itertools.count(1):
            if not gathers or await self._lacks_nothing(count, until - time.monotonic()):
                return
            await session.complete(self._uri, *where)

    async def _lacks_nothing(self, count: int, timeout_s: float) -> bool:
        """Return whether the gathering of that number had all it wanted, or need not be waited for."""

        def told() -> list[Message]:
            return [n["params"] for n in self._session.notifications if n["method"] == _CONTEXT]

        try:
            await self._session.notification(lambda _: len(told()) >= count, max(timeout_s, 0.0))
        except CaretError:
            return True  # a file of which nothing may be sent, or a busy machine
        return not told()[-1]["failed"]

    async def _check(self) -> None:
        """Find out whether there was no answer because there is no service any more."""
        channel = open_channel(parse_address(self._address), load().config.client.credentials)
        try:
            await wait_until_serving(channel, timeout_s=_PROBE_S)
        except NotServing:
            raise EngineGone(f"the completion server at {self._address} has gone away") from None
        finally:
            await channel.close()


def _place(document: str, offset: int) -> Message:
    line, character = position(document, offset)
    return {"line": line, "character": character}


def _edit(items: Sequence[Message], document: str) -> Edit | None:
    if not items:
        return None
    place = items[0]["range"]
    start, end = (
        offset_of(document, place[side]["line"], place[side]["character"])
        for side in ("start", "end")
    )
    return Edit(start=start, end=end, text=items[0]["insertText"])


def _suggestion(asked: Asked, told: Message | None) -> Suggestion:
    reason = told["reason"] if told else ""
    answer = Answer(
        cut=to_bytes(asked.edit.text) if asked.edit else None,
        cut_end=reason if asked.edit else "",
        declined="" if asked.edit else reason,
        timings=_spent(asked.milliseconds, told),
    )
    if told is not None:
        model = ASKED if told["tokens"]["prompt"] else NO_MODEL
    else:
        model = NO_MODEL if asked.source == "cache" else UNKNOWN
    return Suggestion(edit=asked.edit, answer=answer, model=model)


def _spent(milliseconds: float, told: Message | None) -> Timings:
    """Return the timings. Where no service was asked, all of the time was the language server's."""
    if told is None:
        return Timings(total_ms=milliseconds, round_trip_ms=milliseconds)
    stages, tokens = told["stages"], told["tokens"]
    return Timings(
        **{f"{stage}_ms": value for stage, value in stages.items()},
        round_trip_ms=milliseconds,
        prompt_tokens=tokens["prompt"],
        cached_tokens=tokens["cached"],
        generated_tokens=tokens["generated"],
    )

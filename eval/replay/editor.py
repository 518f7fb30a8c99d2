"""Suggestions of a real `caret lsp`, driven as an editor drives it: edits and requests over stdio."""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePosixPath
from types import TracebackType

from completion.errors import CaretError
from completion.wire.address import parse_address
from completion.wire.channel import NotServing, open_channel, wait_until_serving
from eval.errors import EngineGone
from eval.item import Answer, Timings, to_bytes
from eval.replay.replay import ASKED, NO_MODEL, UNKNOWN, Suggestion
from eval.replay.typist import Edit, Typing, offset_of, position
from lsp.session import LspSession, Message, Shown, lsp_command

_TIMEOUT_MS = "600000"
"""No answer is given up: every key is answered, and a slow one is seen in the latency."""
_PROBE_S = 2.0


class Editor:
    """One file open in one editor whose language server asks the service at ``address``.

    ``async with`` it. The user's own configuration is not read, so that figures compare.
    """

    def __init__(self, address: str, path: str, language: str, typing: Typing) -> None:
        self._address, self._language, self._typing = address, language, typing
        self._inside = [part for part in PurePosixPath(path).parts if part not in ("/", "..")]
        self._version = 1
        self._uri = ""

    async def __aenter__(self) -> Editor:
        """Start the language server and open the file.

        Raises:
            EngineGone: it does not start, or finds no service.
        """
        self._folder = tempfile.TemporaryDirectory(prefix="caret-replay-")
        root = Path(self._folder.name)
        environment = {
            "CARET_CLIENT_TIMEOUT_MS": _TIMEOUT_MS,
            "XDG_CONFIG_HOME": str(root / "config"),
        }
        self._session = LspSession(lsp_command("--server", self._address), environment=environment)
        await self._session.__aenter__()
        try:
            await self._open(root / "work")
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
        self._folder.cleanup()

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
        session, document = self._session, typing.document
        heard = len(session.notifications)
        try:
            shown = await session.complete(self._uri, *position(document, typing.cursor))
        except CaretError as error:
            raise EngineGone(error.message) from None
        told = _timings(session.notifications[heard:])
        if told is None and not shown.items:
            await self._check()
        return _suggestion(shown, told, document)

    async def _open(self, root: Path) -> None:
        root.mkdir()
        said = await self._session.initialize(
            root, capabilities={"experimental": {"caretTimings": True}}
        )
        encoding = said["capabilities"].get("positionEncoding", "utf-16")
        if encoding != "utf-8":
            raise CaretError(f"the language server counts in {encoding}, where utf-8 was offered")
        await self._session.ready()
        path = root.joinpath(*(self._inside or ["file.py"]))
        self._uri = self._session.open(path, self._typing.document, self._language)

    async def _check(self) -> None:
        """Find out whether there was no answer because there is no service any more."""
        channel = open_channel(parse_address(self._address))
        try:
            await wait_until_serving(channel, timeout_s=_PROBE_S)
        except NotServing:
            raise EngineGone(f"the completion server at {self._address} has gone away") from None
        finally:
            await channel.close()


def _place(document: str, offset: int) -> Message:
    line, character = position(document, offset)
    return {"line": line, "character": character}


def _timings(notifications: list[Message]) -> Message | None:
    """Return what the server said of where the time went; ``None``: the model was not asked."""
    told = [n["params"] for n in notifications if n["method"] == "caret/timings"]
    return told[-1] if told else None


def _suggestion(shown: Shown, told: Message | None, document: str) -> Suggestion:
    edit = None
    if shown.items:
        place = shown.items[0]["range"]
        start, end = (
            offset_of(document, place[side]["line"], place[side]["character"])
            for side in ("start", "end")
        )
        edit = Edit(start=start, end=end, text=shown.text)
    reason = told["reason"] if told else ""
    answer = Answer(
        cut=to_bytes(shown.text) if shown.items else None,
        cut_end=reason if shown.items else "",
        declined="" if shown.items else reason,
        timings=_spent(shown.milliseconds, told),
    )
    if told is not None:
        model = ASKED if told["tokens"]["prompt"] else NO_MODEL
    else:
        model = NO_MODEL if shown.items else UNKNOWN
    return Suggestion(edit=edit, answer=answer, model=model)


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

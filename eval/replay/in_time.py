"""A typist who does not wait: keys at a fixed pace, and pauses in which a completion may be taken.

Every key is followed by a request, as editors send them, and the next key comes when it comes: by
then the answer is there or it is too late. Only in a pause does the typist look at what is shown,
and takes it if it is what comes next.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from eval.replay.editor import Asked, Editor
from eval.replay.typist import Edit, Typing, size


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How someone types; seconds."""

    key_s: float = 0.06
    pause_s: float = 0.8
    """Behind each line end, and behind so many keys: until the typist looks at what is shown."""
    look_s: float = 0.4
    """Behind a completion that was taken, until the next is looked at."""
    keys: int = 12


@dataclass(kw_only=True, slots=True)
class Typed:
    """What was typed, what was asked, and what it brought."""

    characters: int = 0
    pressed: int = 0
    brought: int = 0
    """Characters that completions brought."""
    taken: int = 0
    asked: list[Asked] = field(default_factory=list[Asked])

    def add(self, other: Typed) -> None:
        """Take in what was typed elsewhere."""
        self.characters += other.characters
        self.pressed += other.pressed
        self.brought += other.brought
        self.taken += other.taken
        self.asked += other.asked


async def type_in_time(typing: Typing, editor: Editor, pace: Pace) -> Typed:
    """Type the region of ``typing`` to its end.

    Raises:
        EngineGone: the language server or the service behind it has ended.
    """
    typed = Typed(characters=size(typing.region))
    requests: list[asyncio.Task[Asked]] = []
    loop = asyncio.get_running_loop()
    due, since = loop.time(), 0

    async def edit(made: Edit) -> Typing:
        await editor.edited(typing, made)
        then = typing.after(made)
        assert then is not None
        if not then.is_over:
            requests.append(asyncio.create_task(editor.asked(then)))
        return then

    while not typing.is_over:
        await asyncio.sleep(max(due - loop.time(), 0.0))
        due = loop.time() + pace.key_s
        key = typing.key()
        typing = await edit(key)
        typed.pressed, since = typed.pressed + 1, since + 1
        if since < pace.keys and not key.text.endswith(("\n", "\r")):
            continue
        since, wait = 0, pace.pause_s
        while not typing.is_over:
            await asyncio.sleep(wait)
            shown = requests[-1].result().edit if requests[-1].done() else None
            _, taken = typing.judge(shown)
            if taken is None:
                break
            then = await edit(taken)
            typed.brought += size(then.region[typing.done : then.done])
            typed.taken, wait, typing = typed.taken + 1, pace.look_s, then
        due = loop.time() + pace.key_s
    typed.asked = await asyncio.gather(*requests)
    return typed

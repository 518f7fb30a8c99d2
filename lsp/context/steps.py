"""What is sent for a document, changing in steps. Pure: told the time, it never asks for it.

Other files stand at the front of a prompt: when they change, all that was computed for the last
prompt is lost. So a set of snippets, once sent, stays as it is while a line is typed (unless it was
made before everything was known), and its snippets keep their order for as long as they are sent.
"""

from __future__ import annotations

from collections.abc import Sequence

from completion.wire import completion_pb2 as pb

LEAST_S = 5.0
"""Least time from one step to the next, in seconds."""
BEST = 3
"""A step is made for the most relevant snippets only: when one of so many is not sent yet."""
FAR = 30
"""Lines: who has gone this far from where the last step was is somewhere else, and a step is made
at once."""

Snippets = tuple[pb.Snippet, ...]


class Steps:
    """The snippets of one document."""

    def __init__(self) -> None:
        self.sent: Snippets = ()
        self._next: Snippets | None = None
        self._next_provisional = self._provisional = False
        self._line = 0
        self._since = float("-inf")
        self.made = 0
        """How many steps there were."""

    def offer(self, snippets: Snippets, *, provisional: bool = False) -> None:
        """Take what was gathered last; it is sent from the next step on.

        What is ``provisional`` (something was not known in time) need not wait for another line to
        be replaced, only for its time.
        """
        self._next, self._next_provisional = snippets, provisional

    def take(self, line: int, now: float) -> Snippets:
        """Return what is sent for a cursor in ``line`` at ``now``, in seconds of one clock."""
        if self._next is not None and self._may_step(line, now):
            if self._is_worth_it(self._next):
                self.sent = ordered(self.sent, self._next)
                self.made += 1
                self._line, self._since = line, now
            self._provisional = self._next_provisional
            self._next = None
        return self.sent

    def forget(self) -> None:
        """Send nothing of what was gathered: it may not be sent any more."""
        self.sent, self._next = (), None

    def _may_step(self, line: int, now: float) -> bool:
        if not self.sent:
            return True
        away = abs(line - self._line)
        if away >= FAR:
            return True
        mended = self._provisional and not self._next_provisional
        return (away > 0 or mended) and now - self._since >= LEAST_S

    def _is_worth_it(self, following: Snippets) -> bool:
        """Whether the best of what was gathered is not sent yet, or all of that must go."""
        best = sorted(following, key=lambda one: -one.relevance)[:BEST]
        sent = {_key(one) for one in self.sent}
        return any(_key(one) not in sent for one in best) or (bool(sent) and not following)


def ordered(sent: Sequence[pb.Snippet], following: Sequence[pb.Snippet]) -> Snippets:
    """Return ``following`` with what was sent before in its old order, and in front.

    What is new comes last, nearest to the cursor, where also the most relevant stands.
    """
    fresh = {_key(one): one for one in following}
    old = [fresh.pop(_key(one)) for one in sent if _key(one) in fresh]
    return (*old, *fresh.values())


def _key(snippet: pb.Snippet) -> tuple[str, str, bytes]:
    return snippet.path, snippet.kind, snippet.text

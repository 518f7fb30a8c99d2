"""Where names are wanted: everything of it as it was when the request came. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from completion.syntax.languages import Language
from completion.wire import completion_pb2 as pb
from lsp.context.masking import Hidden
from lsp.inline import Snapshot
from lsp.paths import locate
from lsp.popup.analysis import Question
from lsp.popup.names import Word
from lsp.positions import wire_bytes
from lsp.window import cut
from lsp.workspace.membership import Membership


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A word, and the text on both sides of it."""

    snapshot: Snapshot
    word: Word
    language: Language | None
    before: str
    """Up to the start of the word."""
    after: str
    """From the end of the word on."""
    key: object
    """The same while the word is typed."""

    @classmethod
    def of(cls, snapshot: Snapshot, word: Word, language: Language | None) -> Place:
        """Return the place of ``word``, which is the one at the snapshot's cursor."""
        content = snapshot.document.content
        before = content.before(snapshot.line, word.start)
        after = content.after(snapshot.line, word.end)
        key = (snapshot.document.uri, snapshot.document.language_in_use, hash(before), hash(after))
        return cls(
            snapshot=snapshot, word=word, language=language, before=before, after=after, key=key
        )

    @property
    def start(self) -> Snapshot:
        """The snapshot with the cursor at the start of the word."""
        line = self.snapshot.head + self.snapshot.tail
        column = self.word.start
        return replace(self.snapshot, column=column, head=line[:column], tail=line[column:])

    def question(self, roots: Sequence[str]) -> Question:
        """Return what jedi is asked: the names at the start of the word, which stays in the text."""
        line = self.snapshot.head + self.snapshot.tail
        text = self.before + line[self.word.start : self.word.end] + self.after
        return Question(
            path=locate(self.snapshot.document.file_uri, roots)[0],
            text=text.replace("\r\n", "\n").replace("\r", "\n"),
            line=self.snapshot.line,
            column=self.word.start,
        )

    def request(
        self,
        roots: Sequence[str],
        limit: int,
        *,
        hidden: Hidden,
        snippets: Sequence[pb.Snippet],
        membership: Membership | None,
    ) -> pb.ScoreRequest:
        """Return the place as the service is asked about it, without texts.

        ``hidden`` is of :attr:`start`; ``limit`` is how many bytes are sent on each side. The text is
        cut as for a completion at the same place, so both have one prompt.
        """
        line = self.snapshot.head + self.snapshot.tail
        word = wire_bytes(line[self.word.start : self.word.end])
        window = cut(wire_bytes(self.before), word + wire_bytes(self.after), limit)
        path, _ = locate(self.snapshot.document.file_uri, roots)
        return pb.ScoreRequest(
            document=pb.Document(
                path=membership.path if membership is not None else path,
                language_id=self.snapshot.document.language_in_use,
                prefix=hidden.prefix(window.prefix),
                suffix=hidden.suffix(window.suffix)[len(word) :],
                prefix_truncated=window.prefix_truncated,
                suffix_truncated=window.suffix_truncated,
            ),
            snippets=snippets,
            workspace_id=membership.workspace_id if membership is not None else "",
            edge=pb.ScoreRequest.EDGE_IDENTIFIER_END,
        )

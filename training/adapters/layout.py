"""Examples in the layout of any family of models: the server's own table decides.

Lives here: filling a template's layout with a document's parts, the middle behind them. Where a
layout ends with the prefix, prefix and middle are encoded as one string, whatever the family did
before: exact healing stands on it. It knows ids and text, no model.
"""

from __future__ import annotations

from completion.engine.checkpoint import Checkpoint
from completion.prompt.builder import task_text
from completion.prompt.related import RelatedFiles
from completion.prompt.templates import Part, Template
from completion.prompt.views import DocumentView, SnippetView
from training.data.layouts import Ahead, Files, Parts
from training.objectives.fim import Laid, Stretch, share_room

COMMENT = b"#"
"""What other files are shown behind in families without separators: the corpus is Python."""


def trained_arms(template: Template, spm_rate: float) -> tuple[str, ...]:
    """Return the arms that examples are drawn in, the family's own default first."""
    wanted = {"psm": spm_rate < 1, "spm": spm_rate > 0}
    known = [*template.arms, *(a for a in template.layouts if a not in template.arms)]
    return tuple(a for a in known if wanted[a]) or (known[0],)


def joins(template: Template, arm: str) -> bool:
    """Whether the middle goes on where the prefix ends, with no token between."""
    return template.layouts[arm][-1] is Part.PREFIX


def end_of(checkpoint: Checkpoint, eos: str | None) -> int:
    """Return the token that ends a middle: the family's, else the tokenizer's own end of text."""
    special = checkpoint.vocabulary.special
    first, *others = checkpoint.template.ends
    names = (first, *([eos] if eos else []), *others)
    return next(special[name] for name in names if name in special)


class FamilyLayout:
    """The layout of one base; see :class:`training.data.layouts.Layout`."""

    def __init__(self, checkpoint: Checkpoint, end: int) -> None:
        self._template, self._encoder = checkpoint.template, checkpoint.encoder
        self._special = checkpoint.vocabulary.special
        self._sizes = [len(b) for b in checkpoint.vocabulary.token_bytes]
        self._related = RelatedFiles(self._template, self._encoder)
        bos = self._template.bos
        self._opening = [] if bos is None else [self._special[bos]]
        self.end = self.pad = end
        self.start = self._opening[0] if self._opening else end

    def ahead(self, repository: str, path: str, files: Files) -> Ahead:
        """Return ``files`` as the server shows them to this family."""
        if not files:
            return Ahead(path=path)
        views = [SnippetView(path=name, text=text.encode()) for name, text in files]
        lead = self._related.lead(self._related.blocks(views, COMMENT), path, repository)
        return Ahead(
            path=path,
            ids=tuple(i for ids in lead.ids for i in ids),
            header=lead.header.decode(),
            opening=lead.opening.decode(),
            size=self._related.tokens(lead),
        )

    def before_text(self, ahead: Ahead) -> list[int]:
        """Return the opening token, the files and the path.

        The text behind is a piece of a file, so it has no SentencePiece space before it.
        """
        return [*self._opening, *ahead.ids, *self._encode(ahead.header + ahead.opening)]

    def fim(self, parts: Parts, ahead: Ahead, *, limit: int, suffix_first: bool) -> Laid | None:
        """Return the family's prompt with the middle and the end behind it."""
        prefix, middle, suffix = parts
        arm = self._arm(suffix_first)
        layout, joined = self._template.layouts[arm], joins(self._template, arm)
        heads_prefix = (
            Part.HEADER in layout and layout[layout.index(Part.HEADER) + 1] is Part.PREFIX
        )
        lead = ahead.opening + (ahead.header if heads_prefix else "")
        header = "" if heads_prefix else ahead.header
        said = prefix + middle if joined else prefix
        p = self._encode(lead + said, dummy_prefix=self._template.dummy_prefix)
        s, m = self._encode(suffix), self._encode(middle)
        fixed = {
            at: self._fixed(item, ahead, header)
            for at, item in enumerate(layout)
            if item not in (Part.PREFIX, Part.SUFFIX)
        }
        space = limit - len(self._opening) - sum(map(len, fixed.values())) - 1
        room = space if joined else space - len(m)
        if room < 0 or (len(p) + len(s) > room and len(m) > space // 2):
            return None
        p, s = share_room(p, s, room)

        out = list(self._opening)
        stretches: list[Stretch] = []
        cut, seam = len(prefix), len(prefix) + len(middle)
        for at, item in enumerate(layout):
            first = len(out)
            if item is Part.PREFIX:
                out += p
                first = len(out) - self._tokens_of(p, said)
                stretches.append(Stretch(first, len(out), seam if joined else cut, True))
            elif item is Part.SUFFIX:
                out += s
                stretches.append(Stretch(first, len(out), seam, False))
            else:
                out += fixed[at]
        if not joined:
            stretches.append(Stretch(len(out), len(out) + len(m), seam, True))
            out += m
        return Laid([*out, self.end], tuple(stretches))

    def _arm(self, suffix_first: bool) -> str:
        arm = "spm" if suffix_first else "psm"
        return arm if arm in self._template.layouts else next(iter(self._template.layouts))

    def _fixed(self, item: str | Part, ahead: Ahead, header: str) -> list[int]:
        if isinstance(item, str):
            return [self._special[item]]
        if item is Part.FILES:
            return list(ahead.ids)
        if item is Part.HEADER:
            return self._encode(header)
        document = DocumentView(path=ahead.path, prefix=b"", suffix=b"", language_id="python")
        return self._encoder.encode(task_text(item, document))

    def _encode(self, text: str, *, dummy_prefix: bool = False) -> list[int]:
        return self._encoder.encode(text.encode(), dummy_prefix=dummy_prefix)

    def _tokens_of(self, ids: list[int], text: str) -> int:
        """Return how many of the last ``ids`` spell nothing but ``text``, which they end in."""
        left, count = len(text.encode()), 0
        while count < len(ids) and self._sizes[ids[-1 - count]] <= left:
            left -= self._sizes[ids[-1 - count]]
            count += 1
        return count

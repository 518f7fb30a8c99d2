"""Who was sure of each generated token, the model or the workspace, as a terminal shows it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from completion.wire import completion_pb2 as pb

WORKSPACE = "cyan"
MODEL = "green"
MOST_TOKENS = 24
_SEEN = str.maketrans({" ": "·", "\n": "⏎", "\t": "→", "\r": "␍"})


def sources(found: Sequence[pb.TokenSource], *, wide: bool) -> RenderableType | None:
    """Return the generated text, coloured by who decided each token, and the numbers below it.

    ``None`` where no workspace was mixed in. In few columns the probabilities are left out.
    """
    if not found:
        return None
    text = Text()
    for one in found:
        shown = one.text.decode("utf-8", "backslashreplace")
        text.append(shown, WORKSPACE if is_workspace_s(one) else MODEL)
    text.rstrip()
    count = sum(map(is_workspace_s, found))
    said = Text.assemble(
        (f"{count} of {len(found)} tokens by the ", "dim"), ("workspace", WORKSPACE),
        (", the others by the ", "dim"), ("model", MODEL),
    )  # fmt: skip
    return Group(text, Text(""), said, Text(""), _table(found, wide=wide))


def is_workspace_s(source: pb.TokenSource) -> bool:
    """Whether more than half of the token's probability is the workspace's."""
    weight: float = getattr(source, "lambda")
    return weight * source.workspace_prob > (1 - weight) * source.model_prob


def quoted(text: bytes) -> Text:
    """Return bytes so that blanks and parts of characters can be seen."""
    shown = text.decode("utf-8", "backslashreplace").translate(_SEEN)
    return Text(shown, "black on cyan") if shown else Text("anything", "dim")


def _table(found: Sequence[pb.TokenSource], *, wide: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("token", no_wrap=True)
    if wide:
        table.add_column("model", justify="right")
        table.add_column("workspace", justify="right")
    table.add_column("weight", justify="right")
    table.add_column("behind", justify="right", no_wrap=True)
    table.add_column("seen in", overflow="fold")
    for one in found[:MOST_TOKENS]:
        weight: float = getattr(one, "lambda")
        style = WORKSPACE if is_workspace_s(one) else MODEL
        token = Text(one.text.decode("utf-8", "backslashreplace").translate(_SEEN), style)
        numbers = [f"{one.model_prob:.3f}", f"{one.workspace_prob:.3f}" if weight else "–"]
        behind = "–"
        if weight:
            behind = f"{one.matched_tokens} token" + "s" * (one.matched_tokens != 1)
        place = f"{one.path}:{one.line}" if one.path else ""
        if not place and one.workspace_prob:
            place = "this document"
        row = [f"{weight:.2f}" if weight else "–", behind, place]
        table.add_row(token, *(numbers if wide else []), *row)
    if len(found) > MOST_TOKENS:
        table.add_row(Text(f"and {len(found) - MOST_TOKENS} more", "dim"))
    return table

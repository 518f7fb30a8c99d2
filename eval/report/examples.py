"""Items worth looking at, chosen by a rule and not by a hand, each as an editor would show it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from eval.report.figures import figure, named
from eval.report.ghost import panel
from eval.report.markup import Html, element, join
from eval.report.runs import Group, Run, share
from eval.result import Record
from eval.suites.base import CUT

WRONG, TURNED, RIGHT = 4, 2, 2
"""How many are shown: wrong raw and cut; right in one of the two; right in both."""
CONTEXT_LINES = 8
RULE = (
    "Items stand in the order of the SHA-256 of their id, which nobody chose. Shown are the first "
    f"{WRONG} that are wrong both raw and cut, of different kinds while there are kinds left; the first "
    f"{TURNED} where only one of raw and cut is right; the first {RIGHT} that are right in both. Right is "
    "a full score in the suite’s first metric; of several runs the first one’s scores choose. Blanks and "
    "breaks at the edges are marked, and bytes that are no character."
)


def section(groups: Sequence[Group]) -> Html:
    """Return the section."""
    return element(
        "section",
        element("h2", "Failures worth looking at"),
        element("p", RULE),
        *(_suite(group) for group in groups),
        attributes={"id": "failures"},
    )


def chosen(records: Sequence[Record], metric: str) -> list[tuple[str, Record]]:
    """Return what the rule takes, each under its heading."""
    ordered = sorted(records, key=lambda r: (hashlib.sha256(_bytes(r.id)).digest(), r.id))
    texts = [r for r in ordered if r.prefix or r.suffix or r.reference]
    wrong = _varied([r for r in texts if _right(r, metric) == (False, False)])
    turned = [r for r in texts if _right(r, metric) in ((True, False), (False, True))]
    right = [r for r in texts if _right(r, metric) == (True, True)]
    return [
        *(("wrong", r) for r in wrong[:WRONG]),
        *((_turned(r, metric), r) for r in turned[:TURNED]),
        *(("right", r) for r in right[:RIGHT]),
    ]


def _suite(group: Group) -> Html:
    title = element("h3", group.name)
    if not group.asks_for_text:
        text = "The suite asks for no text that could be held against the expected one."
        return join((title, element("p", text, kind="quiet")))
    found = chosen(group.runs[0].result.items, group.headline)
    if not found:
        return join((title, element("p", "The result holds no items with text.", kind="quiet")))
    others = [{r.id: r for r in run.result.items} for run in group.runs]
    items = [
        _item(heading, record, group, [table.get(record.id) for table in others])
        for heading, record in found
    ]
    return join((title, *items))


def _item(heading: str, record: Record, group: Group, answers: list[Record | None]) -> Html:
    kind = f" · {record.kind}" if record.kind else ""
    asked = panel("expected", record.prefix, record.reference, record.suffix, lines=CONTEXT_LINES)
    want = element("div", asked, kind="want")
    shown = [
        _answer(run, found, group.headline, many=len(group.runs) > 1)
        for run, found in zip(group.runs, answers, strict=True)
        # Under another prompt it is another question, whatever its id.
        if found is not None and found.prompt_sha256 == record.prompt_sha256
    ]
    kinds = {"right": "good"}.get(heading, "bad")
    return element(
        "article",
        element("h5", element("span", heading, kind=kinds), f" · {record.id}{kind}"),
        want,
        *shown,
        kind="item",
    )


def _answer(run: Run, record: Record, metric: str, *, many: bool) -> Html:
    alike = record.raw is not None and record.raw == record.cut
    texts = (
        [("raw and cut", record.raw, metric, record.raw_end)]
        if alike
        else [
            ("raw", record.raw, metric, record.raw_end),
            ("cut", record.cut, metric + CUT, record.cut_end),
        ]
    )
    panels = [
        panel(_title(name, record, text, score, end), record.prefix, text, record.suffix, lines=2)
        for name, text, score, end in texts
    ]
    title = element("h4", run.label) if many else None
    return join((title, element("div", *panels, kind="answers")))


def _title(name: str, record: Record, text: str | None, metric: str, end: str) -> str:
    said = [name]
    if text is None:
        nothing = (
            f"nothing suggested ({record.declined})" if record.declined else "nothing suggested"
        )
        said.append(nothing if name == "cut" else "no answer")
    elif not text:
        said.append("an empty text")
    score = share(record, metric)
    if score is not None:
        said.append(f"{named(metric)} {figure(score, share=0 <= score <= 1)}")
    verdict = record.verdicts.get("cut" if name == "cut" else "raw")
    if verdict:
        said.append(verdict)
    if end and text is not None:
        said.append(f"ended by {end}")
    return ", ".join(said)


def _right(record: Record, metric: str) -> tuple[bool, bool] | None:
    """Return whether raw and cut are right; a suite without one of them has it as the other."""
    raw, cut = share(record, metric), share(record, metric + CUT)
    raw, cut = (cut if raw is None else raw), (raw if cut is None else cut)
    if raw is None or cut is None:
        return None
    return raw >= 1, cut >= 1


def _turned(record: Record, metric: str) -> str:
    right = _right(record, metric)
    return "right raw, wrong cut" if right == (True, False) else "wrong raw, right cut"


def _varied(records: list[Record]) -> list[Record]:
    """Return the first of each kind, then the second of each, and so on; order otherwise kept."""
    seen: dict[str, int] = {}

    def turn(record: Record) -> int:
        seen[record.kind] = seen.get(record.kind, 0) + 1
        return seen[record.kind]

    turns: list[int] = [turn(record) for record in records]
    order: Callable[[int], int] = turns.__getitem__
    return [records[place] for place in sorted(range(len(records)), key=order)]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")

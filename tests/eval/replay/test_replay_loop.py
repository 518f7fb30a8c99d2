"""The loop of a replay and what is counted of it, with suggesters whose answers are known."""

import pytest

from eval.engines.base import Engine, Identity
from eval.engines.dummies import Half, Oracle, Silent
from eval.engines.nearest_line import NearestLine
from eval.engines.ngram import NGram
from eval.item import Answer, Ask, Item
from eval.replay.direct import DirectSuggester
from eval.replay.measures import measures
from eval.replay.replay import NO_MODEL, Suggestion, replay
from eval.replay.typist import Edit, Typing

ABOVE = "import os\n\n\ndef first(values):\n    total = 0\n    return total\n\n\n"
REGION = "def second(values):\n    total = 0\n    for value in values:\n        total += value"
BELOW = "\n    return total\n"
TYPING = Typing(above=ABOVE, region=REGION, below=BELOW)
ITEM = Item(
    id="x", prefix=ABOVE.encode(), suffix=BELOW.encode(), reference=REGION.encode(), path="a.py"
)


async def scores(engine: Engine, item: Item = ITEM, typing: Typing = TYPING):
    answers = await replay(typing, DirectSuggester(engine, item, Ask()))
    return measures(typing.region, answers), answers


async def test_the_oracle_saves_all_but_the_first_key_and_the_one_that_accepts():
    found, answers = await scores(Oracle())
    assert found["keystrokes_saved"] == (len(REGION) - 2, len(REGION))
    assert found["chars_saved"] == (len(REGION) - 1, len(REGION))
    assert found["accepted"] == (1, 1)
    assert len(answers) == 1


async def test_silence_saves_nothing_and_is_asked_behind_every_key_but_the_last():
    found, answers = await scores(Silent())
    assert found["keystrokes_saved"] == (0, len(REGION))
    assert found["chars_saved"] == (0, len(REGION))
    assert found["shown"] == (0, len(REGION) - 1)
    assert found["accepted"] == (0, 0)
    assert len(answers) == len(REGION) - 1


async def test_half_answers_save_what_halving_the_rest_does():
    left, keys, brought = len(REGION), 0, 0
    while left:
        keys, left = keys + 1, left - 1  # one typed
        while left // 2 >= 2:  # and half of the rest taken, as long as that is worth a key
            keys, brought, left = keys + 1, brought + left // 2, left - left // 2
    found, _ = await scores(Half())
    assert found["keystrokes_saved"] == (len(REGION) - keys, len(REGION))
    assert found["chars_saved"] == (brought, len(REGION))


class Says(Engine):
    """Suggests what it is told, always."""

    name = "says"

    def __init__(self, cut: bytes, replace_after: int = 0) -> None:
        self._answer = Answer(cut=cut, replace_after=replace_after)

    async def start(self) -> Identity:
        return Identity(name=self.name)

    async def answer(self, item: Item, ask: Ask) -> Answer:
        return self._answer


async def test_wrong_suggestions_cost_nothing_and_save_nothing():
    found, _ = await scores(Says(b"nonsense"))
    assert found["keystrokes_saved"] == (0, len(REGION))
    assert found["shown"] == (len(REGION) - 1, len(REGION) - 1)
    assert found["accepted"] == (0, len(REGION) - 1)
    assert found["wrong_edit"][0] == 0


async def test_a_suggestion_that_would_spoil_the_file_is_counted_and_not_taken():
    found, answers = await scores(Says(b"value", replace_after=3))
    assert found["keystrokes_saved"][0] == 0
    assert found["wrong_edit"][0] == REGION.count("value")
    assert sum(a.data["verdict"] == "wrong" for a in answers) == REGION.count("value")


async def test_half_a_character_is_never_shown():
    found, _ = await scores(Says("é".encode()[:1]))
    assert found["shown"][0] == 0
    item = Item(id="x", prefix=b"", suffix="é".encode(), reference=b"xyz", path="a.py")
    typing = Typing(above="", region="xyz", below="é")
    found, _ = await scores(Says(b"yz", replace_after=1), item, typing)
    assert found["shown"][0] == 0


@pytest.mark.parametrize("engine", [NearestLine(), NGram()])
async def test_baselines_that_only_read_can_be_replayed(engine):
    found, _ = await scores(engine)
    assert found["chars_saved"][0] > 0
    assert "served_without_model" not in found, "nothing says whether there is one"


async def test_progress_is_told_up_to_the_end():
    told = []
    await replay(TYPING, DirectSuggester(Silent(), ITEM, Ask()), lambda *at: told.append(at))
    assert told[0] == (1, len(REGION))
    assert told[-1] == (len(REGION), len(REGION))
    assert [done for done, _ in told] == sorted(done for done, _ in told)


async def test_windows_line_ends_and_other_scripts_are_typed():
    region = "x = 'é世🙂'\r\ny = 2\r\nzz"
    typing = Typing(above="", region=region, below="\r\n")
    item = Item(id="x", prefix=b"", suffix=b"\r\n", reference=region.encode(), path="a.py")
    found, answers = await scores(Silent(), item, typing)
    assert found["chars_saved"] == (0, len(region) - 2)
    assert len(answers) == len(region) - 3


class Cached:
    """Suggests the next three characters; every second time from a cache."""

    def __init__(self) -> None:
        self.asked = 0
        self.document = TYPING.document

    async def edited(self, before: Typing, edit: Edit) -> None:
        assert before.document == self.document, "told of every edit, in order"
        self.document = edit.applied(self.document)

    async def suggestion(self, typing: Typing) -> Suggestion:
        assert typing.document == self.document
        self.asked += 1
        text = typing.region[typing.done : typing.done + 3]
        edit = Edit(start=typing.cursor, end=typing.cursor, text=text)
        return Suggestion(edit=edit, model=NO_MODEL if self.asked % 2 else "asked")


async def test_what_was_served_without_the_model_is_counted():
    cached = Cached()
    answers = await replay(TYPING, cached)
    found = measures(REGION, answers)
    assert cached.document == ABOVE + REGION + BELOW
    assert found["served_without_model"] == ((cached.asked + 1) // 2, cached.asked)
    assert found["model_requests"] == (cached.asked // 2, cached.asked)
    taken = sum(bool(answer.data["brought"]) for answer in answers)
    typed = len(REGION) - found["chars_saved"][0]
    assert found["keystrokes_saved"] == (len(REGION) - typed - taken, len(REGION))
    assert taken > 10
